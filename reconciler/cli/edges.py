"""What a command reaches the world through, in one place: time, and the wire to the embedded sandbox.

Commands run with the defaults. Tests and rehearsals give others: a clock that stands still, waits that take no time,
a wire that fails on purpose.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from reconciler.clearml.retrying import Timing


def _now() -> datetime:
    return datetime.now(UTC)


def _same(wire: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
    return wire


class Edges(NamedTuple):
    """``now`` tells the time; ``timing`` waits between repeats; ``wire`` may wrap the sandbox's in-process wire."""

    now: Callable[[], datetime] = _now
    timing: Timing | None = None
    wire: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] = _same
