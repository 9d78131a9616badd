"""The application: from a path to a handler, with the server's checks in the server's order."""

from __future__ import annotations

import logging
import traceback
from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from reconciler.sandbox import (
    auth,
    credentials,
    current_user,
    entities,
    groups,
    members,
    permissions,
    rules,
    server,
    service_accounts,
    sign_in,
    users,
    vault_log,
    vaults,
    whitelist,
)
from reconciler.sandbox.call import Call, Endpoint, Identity
from reconciler.sandbox.choices import AUTH_COOKIE, FEATURE_OF
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.wire import Envelope, client_of, read_fields, read_path

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from reconciler.sandbox.call import Json
    from reconciler.sandbox.settings import Settings
    from reconciler.sandbox.store import Store

_log = logging.getLogger(__name__)

_MODULES = (
    credentials,
    current_user,
    entities,
    groups,
    members,
    permissions,
    rules,
    server,
    service_accounts,
    sign_in,
    users,
    vault_log,
    vaults,
    whitelist,
)

ENDPOINTS: dict[str, Endpoint] = {name: endpoint for module in _MODULES for name, endpoint in module.ENDPOINTS.items()}
"""Every endpoint that the sandbox has, by its full name."""

ON_PREMISES_ONLY = frozenset({"auth.add_user"})
"""What a hosted server lacks altogether."""


LARGEST_REQUEST = 64 * 1024 * 1024
"""The largest body of a request that is read (bytes)."""


async def _body(request: Request) -> bytes | None:
    """Return the body of a request; ``None`` if it is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_REQUEST:
            return None
    return bytes(body)


class Application:
    """The server of one workspace. It answers every path and method by itself: no routing of Starlette's is needed."""

    def __init__(self, store: Store, on_missing: Callable[[str], None] | None = None) -> None:
        self._store = store
        self._on_missing = on_missing
        self._missing: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http":
            raise NotImplementedError(f"the sandbox knows requests over HTTP only, not {scope['type']}")
        request = Request(scope, receive)
        try:
            body = await _body(request)
        except ClientDisconnect:
            return
        if body is None:
            await Response("the request is too large", 413)(scope, receive, send)
            return
        response = self._answer(request, body)
        response.headers["Date"] = format_datetime(self._store.now(), usegmt=True)
        await response(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> Response:
        if request.method == "OPTIONS":
            return Response()
        identifier = self._store.token(32)
        envelope = Envelope(
            identifier, request.headers.get("x-clearml-trx") or identifier, self._store.settings.api_version
        )
        try:
            read_path(request.scope["path"], envelope)
            data = self._carry_out(request, body, envelope)
            response = envelope.answer(data)
        except ApiError as error:
            return envelope.refusal(error)
        except Exception as error:  # noqa: BLE001 - the real server turns every defect into an envelope
            trace = traceback.format_exc()
            _log.debug("%s failed", envelope.name, exc_info=error)
            return envelope.crash(str(error), trace)
        if envelope.name == sign_in.LOGIN and sign_in.wants_cookie(read_fields(request, body)):
            response.set_cookie(AUTH_COOKIE, str(data["token"]), httponly=True, path="/")
        elif envelope.name in sign_in.LOGOUTS:
            response.delete_cookie(AUTH_COOKIE)
        return response

    def _carry_out(self, request: Request, body: bytes, envelope: Envelope) -> Json:
        endpoint = self._find(envelope)
        client = client_of(request)
        write = endpoint.writes or auth.writes_on_sign_in(request)
        with self._store.transaction(write=write) as db:
            caller = self._caller(endpoint, db, request, client.ip)
            return endpoint.handler(Call(self._store, db, caller, read_fields(request, body), client))

    def _find(self, envelope: Envelope) -> Endpoint:
        endpoint = ENDPOINTS.get(envelope.name)
        if endpoint is None or _is_off(envelope.name, self._store.settings):
            self._report_missing(envelope.name)
            raise ApiError(Fault.NO_ENDPOINT, f"for name {envelope.name} and version {envelope.requested}")
        envelope.actual = endpoint.version
        return endpoint

    def _report_missing(self, name: str) -> None:
        if self._on_missing is not None and name not in self._missing:
            self._missing.add(name)
            self._on_missing(name)

    def _caller(self, endpoint: Endpoint, db: sqlite3.Connection, request: Request, ip: str) -> Identity:
        if not endpoint.roles:
            return auth.authenticate_if_possible(self._store, db, request, ip)
        origin = auth.authenticate(self._store, db, request, ip)
        _require_role(endpoint, origin.role)
        caller = auth.act_for_another(db, request, origin)
        _require_role(endpoint, caller.role)
        return caller


def _is_off(name: str, settings: Settings) -> bool:
    feature = FEATURE_OF.get(name)
    lacking = feature is not None and feature not in settings.features
    return lacking or (name in ON_PREMISES_ONLY and not settings.on_premises)


def create_app(store: Store, on_missing: Callable[[str], None] | None = None) -> ASGIApp:
    """Return the server of a workspace as an ASGI application. The store stays the caller's to close.

    ``on_missing`` gets the name of each call that a client asked for and the sandbox does not have, once.
    """
    return Application(store, on_missing)


def _require_role(endpoint: Endpoint, role: str) -> None:
    if role not in endpoint.roles:
        raise ApiError(Fault.ROLE)
