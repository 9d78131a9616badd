"""Calls to the API: signing in, repeating, concurrency, time-outs, and one clear error for each way to fail.

A :class:`ReadTransport` cannot write: it raises before anything is sent. Only a :class:`Transport` can, and only
:class:`reconciler.clearml.write.Writer` asks for one.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Self, TypeVar

from reconciler.clearml.answers import Context, Reply, data_of
from reconciler.clearml.endpoints import READS, SIGN_IN
from reconciler.clearml.messages import LoginAnswer
from reconciler.clearml.retrying import Timing, TransportOptions, repeated
from reconciler.clearml.server_time import ServerTime
from reconciler.clearml.signin import SignIn
from reconciler.errors import UnexpectedAnswerError
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import TracebackType

    import httpx

    from reconciler.clearml.claims import Claims
    from reconciler.clearml.settings import ConnectionSettings
    from reconciler.model.secret import Secret

__all__ = ["CallEvent", "ReadOnlyError", "ReadTransport", "Timing", "Transport", "TransportOptions"]

Form = TypeVar("Form")

IMPERSONATE = "X-Clearml-Impersonate-As"


class CallEvent(Frozen):
    """One request, for debug output: no headers, no bodies. ``status`` is ``None`` if no answer came."""

    endpoint: str
    status: int | None
    seconds: float


class ReadOnlyError(RuntimeError):
    """Our own mistake: something that may only read tried to write. Nothing was sent."""


class ReadTransport:
    """An open connection that can only read. Use it as an async context manager.

    ``transport`` replaces the network (the embedded sandbox). ``calls`` counts the requests
    sent, by endpoint, repeats included. ``observer`` hears of each request; it never gets a header or a body.
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        options: TransportOptions | None = None,
        timing: Timing | None = None,
        observer: Callable[[CallEvent], None] | None = None,
    ) -> None:
        from reconciler.clearml.http import HttpCalls

        self.calls: Counter[str] = Counter()
        self._settings = settings
        self._options = options or TransportOptions()
        self._timing = timing or Timing()
        self._http = HttpCalls(settings.server, self._options, transport)
        self._observer = observer
        self._sign_in = SignIn(settings, self._timing, self._log_in)
        self._server_time = ServerTime()

    @property
    def server(self) -> str:
        """The address of the server, for messages."""
        return self._settings.server

    @property
    def concurrency(self) -> int:
        """How many requests may be under way at once."""
        return self._options.concurrency

    @property
    def access_key(self) -> str | None:
        """The access key that this connection signs in with; ``None`` if it was given a token."""
        return self._settings.access_key

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    def server_time(self) -> datetime | None:
        """Return what time it is on the server; ``None`` if that is not certain. Signing in tells it."""
        return self._server_time.at(self._timing.clock())

    async def claims(self) -> Claims:
        """Sign in if that has not happened yet, and return what the token says of the caller."""
        return (await self._sign_in.ticket()).claims

    async def call(
        self, endpoint: str, body: Mapping[str, object], form: type[Form], *, impersonate: str | None = None
    ) -> Form:
        """Call a reading endpoint and return the data of its answer, in this form.

        Anything but a reading endpoint is refused before it is sent.
        """
        _require_reading(endpoint)
        return await self._call(endpoint, body, form, impersonate, write=False)

    async def _call(
        self,
        endpoint: str,
        body: Mapping[str, object],
        form: type[Form],
        impersonate: str | None,
        *,
        write: bool,
        document: Secret | None = None,
    ) -> Form:
        content = json.dumps(body).encode("ascii")
        headers = {} if impersonate is None else {IMPERSONATE: _header_value(endpoint, impersonate)}

        async def attempt() -> Form:
            ticket = await self._sign_in.ticket()
            reply = await self._send(endpoint, content, headers | {"Authorization": f"Bearer {ticket.token.reveal()}"})
            if reply.status == 401 and self._sign_in.renewable:
                # A 401 says that nothing was carried out, so that even a write may be sent again.
                ticket = await self._sign_in.renewed(ticket)
                again = headers | {"Authorization": f"Bearer {ticket.token.reveal()}"}
                reply = await self._send(endpoint, content, again)
            return data_of(reply, self._context(endpoint, ticket.claims.role, ticket.token, document), form)

        return await repeated(attempt, endpoint=endpoint, write=write, policy=self._options.retry, timing=self._timing)

    async def _log_in(self, authorization: str) -> LoginAnswer:
        content = json.dumps({"set_cookie": False}).encode("ascii")

        async def attempt() -> LoginAnswer:
            reply = await self._send(SIGN_IN, content, {"Authorization": authorization})
            return data_of(reply, self._context(SIGN_IN, None, self._settings.token, None), LoginAnswer)

        return await repeated(attempt, endpoint=SIGN_IN, write=False, policy=self._options.retry, timing=self._timing)

    def _context(self, endpoint: str, role: str | None, token: Secret | None, document: Secret | None) -> Context:
        return Context(
            endpoint=endpoint,
            server=self._settings.server,
            source=self._settings.source,
            role=role,
            now=self._timing.now(),
            secrets=(self._settings.secret_key, self._settings.token, token),
            document=document,
        )

    async def _send(self, endpoint: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        started = self._timing.clock()
        status: int | None = None
        self.calls[endpoint] += 1
        try:
            reply = await self._http.post(endpoint, content, headers)
            status = reply.status
            self._server_time.heard(reply.headers, started, self._timing.clock())
            return reply
        finally:
            if self._observer is not None:
                self._observer(CallEvent(endpoint, status, self._timing.clock() - started))


class Transport(ReadTransport):
    """An open connection that can read and write."""

    async def call(
        self,
        endpoint: str,
        body: Mapping[str, object],
        form: type[Form],
        *,
        impersonate: str | None = None,
        document: Secret | None = None,
    ) -> Form:
        """Call any endpoint and return the data of its answer, in this form.

        A write is repeated only where it surely was not carried out; where that is unknown,
        :class:`~reconciler.errors.AnswerLostError` says so. ``document`` is a text that no message may quote.
        """
        return await self._call(endpoint, body, form, impersonate, write=endpoint not in READS, document=document)


def _require_reading(endpoint: str) -> None:
    if endpoint not in READS:
        raise ReadOnlyError(f"{endpoint} is not a reading call, and this connection can only read")


def _header_value(endpoint: str, text: str) -> str:
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise UnexpectedAnswerError(f"{endpoint}: the server gave a user id that cannot be one")
    return text
