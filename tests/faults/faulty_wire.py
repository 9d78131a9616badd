"""A wire on which one call goes wrong in a chosen way, or every call from there on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import httpx

from tests.support.wires import refusal


class Fault(StrEnum):
    REFUSED = "the connection is refused"
    ERROR_BEFORE = "500 before the effect"
    ERROR_AFTER = "500 after the effect"
    TIMEOUT_BEFORE = "a time-out before the effect"
    TIMEOUT_AFTER = "a time-out after the effect"
    DROPPED_AFTER = "the connection is dropped after the effect"
    BUSY = "429 with Retry-After"
    UNAUTHORIZED = "401"
    BROKEN_JSON = "an answer that is not JSON, after the effect"
    KILLED_BEFORE = "the process is killed before the call"
    KILLED_AFTER = "the process is killed after the effect"


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


@dataclass
class FaultyWire(httpx.AsyncBaseTransport):
    """Counts calls from 0; the one at ``position`` fails, and with ``lasting`` all that follow it."""

    fault: Fault | None
    position: int
    lasting: bool = False
    after_each: Callable[[], None] = lambda: None
    calls: int = 0
    dead: bool = False
    made: list[str] = field(default_factory=list)
    inner: httpx.AsyncBaseTransport = field(default_factory=httpx.AsyncHTTPTransport)

    def wrap(self, inner: httpx.AsyncBaseTransport) -> FaultyWire:
        self.inner = inner
        return self

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.dead:
            raise Killed
        number, self.calls = self.calls, self.calls + 1
        self.made.append(request.url.path)
        struck = number >= self.position if self.lasting else number == self.position
        if self.fault is None or not struck:
            return await self._carried_out(request)
        return await self._struck(self.fault, request)

    async def _carried_out(self, request: httpx.Request) -> httpx.Response:
        response = await self.inner.handle_async_request(request)
        await response.aread()
        self.after_each()
        return response

    async def _struck(self, fault: Fault, request: httpx.Request) -> httpx.Response:
        if fault in _AFTER:
            await self._carried_out(request)
        if fault in _BROKEN:
            raise _BROKEN[fault](fault.value, request=request)
        if fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
            self.dead = True
            raise Killed
        return _answer(fault)


_AFTER = {Fault.ERROR_AFTER, Fault.TIMEOUT_AFTER, Fault.DROPPED_AFTER, Fault.BROKEN_JSON, Fault.KILLED_AFTER}
_BROKEN: dict[Fault, type[httpx.TransportError]] = {
    Fault.REFUSED: httpx.ConnectError,
    Fault.TIMEOUT_BEFORE: httpx.ReadTimeout,
    Fault.TIMEOUT_AFTER: httpx.ReadTimeout,
    Fault.DROPPED_AFTER: httpx.RemoteProtocolError,
}


def _answer(fault: Fault) -> httpx.Response:
    if fault is Fault.BUSY:
        answer = refusal(429, 0, "too many requests")
        answer.headers["Retry-After"] = "1"
        return answer
    if fault is Fault.UNAUTHORIZED:
        return refusal(401, 30, "invalid token")
    if fault is Fault.BROKEN_JSON:
        return httpx.Response(200, text='{"meta": {"result_code": 200')
    return refusal(500, 0, "internal error")
