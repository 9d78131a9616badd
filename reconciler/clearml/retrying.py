"""When and how long to wait before a call is repeated (tenacity does the repeating)."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, TypeVar

from msgspec import field

from reconciler.clearml.failures import Failure
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

Result = TypeVar("Result")


class Timing(Frozen):
    """The clocks, the sleep and the randomness, so that a test need not wait. Seconds everywhere."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = field(default_factory=lambda: random.Random().random)  # noqa: S311 - only jitter
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time


class RetryPolicy(Frozen):
    """How often and how patiently a call is repeated, in seconds.

    The wait doubles from ``first_wait`` to ``longest_wait``, of which a random half is taken off. ``budget`` bounds
    one call with all its repeats; ``longest_asked_wait`` is the most that a server's Retry-After is followed. ``grace``
    is what a server is left to finish a write of which the answer was lost, before anybody looks whether it happened.
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 20.0
    longest_asked_wait: float = 60.0
    budget: float = 180.0
    grace: float = 5.0

    def wait(self, attempt: int, asked: float | None, chance: float) -> float:
        """Return how long to wait after this attempt (counted from 1)."""
        doubled = min(self.longest_wait, self.first_wait * 2.0 ** min(attempt - 1, 30))
        own = doubled * (0.5 + chance / 2)
        return own if asked is None else max(own, min(asked, self.longest_asked_wait))


class TransportOptions(Frozen):
    """How patient and how busy a connection is. Times in seconds, sizes in bytes.

    ``connect`` bounds each step of making a connection, ``read`` a single wait, ``whole`` a request from start to end.
    """

    concurrency: int = 16
    connect: float = 10.0
    read: float = 30.0
    whole: float = 120.0
    largest_answer: int = 64 * 1024 * 1024
    retry: RetryPolicy = field(default_factory=RetryPolicy)


async def repeated(
    attempt: Callable[[], Awaitable[Result]], *, endpoint: str, write: bool, policy: RetryPolicy, timing: Timing
) -> Result:
    """Make a call, repeating it where that is worth while and safe.

    A read is repeated after every passing failure; a write only if it was surely not carried out.
    """
    started = timing.clock()
    try:
        return await attempt()
    except Failure as failure:
        first = failure
    return await _again(attempt, first, endpoint=endpoint, write=write, policy=policy, timing=timing, started=started)


async def _again(
    attempt: Callable[[], Awaitable[Result]],
    first: Failure,
    *,
    endpoint: str,
    write: bool,
    policy: RetryPolicy,
    timing: Timing,
    started: float,
) -> Result:
    """Go on after a first attempt that failed. Only then is tenacity needed: most runs never import it."""
    from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

    failed: Failure | None = first

    async def replayed() -> Result:
        nonlocal failed
        if failed is not None:
            failure, failed = failed, None
            raise failure
        return await attempt()

    def worth_repeating(error: BaseException) -> bool:
        return isinstance(error, Failure) and error.repeat and not (write and error.maybe_done)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.after if isinstance(error, Failure) else None
        return policy.wait(state.attempt_number, asked, timing.random())

    def stop(state: RetryCallState) -> bool:
        spent = timing.clock() - started + state.upcoming_sleep
        return state.attempt_number >= policy.attempts or spent > policy.budget

    attempts = AsyncRetrying(
        sleep=timing.sleep, wait=wait, stop=stop, retry=retry_if_exception(worth_repeating), reraise=True
    )
    try:
        return await attempts(replayed)
    except Failure as failure:
        if write and failure.maybe_done:
            await timing.sleep(policy.grace)
        number = int(attempts.statistics.get("attempt_number", 1))
        error = failure.verdict(endpoint, write=write, attempts=number)
    raise error


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Read ``Retry-After``: seconds, or a date that is compared with the server's own ``Date`` if it sent one."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until = moment_of(value)
    if until is None:
        return None
    return max(0.0, until - (moment_of(headers.get("date", "")) or now))


def moment_of(date: str) -> float | None:
    """Return the moment that a header's date is, in seconds since the epoch; ``None`` if it is none."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
