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

_ALPHABET = (string.ascii_lowercase + string.digits).encode()
_EVEN = 256 - 256 % len(_ALPHABET)
_LETTERS = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
_UNEVEN = bytes(range(_EVEN, 256))
"""Bytes that are dropped, since they would make some letters likelier than others."""


def system_clock() -> datetime:
    """Return the present in UTC."""
    return datetime.now(UTC)


def system_randomness(length: int) -> str:
    """Return an unguessable token of lower-case letters and digits."""
    token = b""
    while len(token) < length:
        token += secrets.token_bytes(length + 16).translate(_LETTERS, _UNEVEN)
    return token[:length].decode("ascii")


def stamp(moment: datetime) -> str:
    """Return a moment as the API writes it (UTC, ``+00:00`` at the end); such texts sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
