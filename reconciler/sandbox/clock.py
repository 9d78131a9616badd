"""Time as the store keeps it, and randomness as it hands it out."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present, with a time zone."""

Randomness = Callable[[int], str]
"""Returns a token of so many lower-case letters and digits."""

_ALPHABET = string.ascii_lowercase + string.digits


def system_clock() -> datetime:
    """Return the present in UTC."""
    return datetime.now(UTC)


def system_randomness(length: int) -> str:
    """Return an unguessable token of lower-case letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def stamp(moment: datetime) -> str:
    """Return a moment as the API writes it (UTC, ``+00:00`` at the end); such texts sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
