"""The server's time, by the ``Date`` of its answers and this machine's monotonic clock, which nobody sets.

The local clock judges nothing: one that is days ahead would take keys that work for expired ones
(``docs/explanation/decisions.md, 17``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.clearml.retrying import moment_of

if TYPE_CHECKING:
    from collections.abc import Mapping

TOLERANCE = 120.0
"""Seconds that the server's clock may leave the monotonic one by, before neither is believed."""


class ServerTime:
    """Follows the clock of one server. All arguments are seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._ahead: float | None = None
        self._jumped = False

    def heard(self, headers: Mapping[str, str], sent: float, received: float) -> None:
        """Learn from an answer: the first one sets the time, every other one has to agree with it.

        An answer may have been under way for a while, so that its date lies anywhere between the two moments.
        """
        date = moment_of(headers.get("date", ""))
        if date is None:
            return
        if self._ahead is None:
            # As if it were written the moment it arrived: the time is then never ahead of the server's.
            self._ahead = date - received
        elif not sent - TOLERANCE <= date - self._ahead <= received + TOLERANCE:
            self._jumped = True

    def at(self, moment: float) -> datetime | None:
        """Return the server's time; ``None`` if it never told it, or if its clock jumped."""
        if self._ahead is None or self._jumped:
            return None
        try:
            return datetime.fromtimestamp(self._ahead + moment, UTC)
        except (ValueError, OverflowError, OSError):
            return None
