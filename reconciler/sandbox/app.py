"""The application: from a path to a handler, with the server's checks in the server's order."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from reconciler.sandbox import (
    auth,
    credentials,
    entities,
    groups,
    members,
    rules,
    service_accounts,
    sign_in,
    users,
    vault_log,
    vaults,
    whitelist,
)
from reconciler.sandbox.call import Call, Endpoint
from reconciler.sandbox.choices import API_VERSION, AUTH_COOKIE
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.wire import Envelope, read_fields, read_path

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from reconciler.sandbox.call import Json
    from reconciler.sandbox.store import Store

_log = logging.getLogger(__name__)

_MODULES = (
    credentials,
    entities,
    groups,
    members,
    rules,
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


def create_app(store: Store) -> ASGIApp:
    """Return the server of a workspace as an ASGI application. The store stays the caller's to close."""
    return _Dispatcher(store)


class _Dispatcher:
    """Answers every path and method by itself, so that none of Starlette's routing is needed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(f"the sandbox knows requests over HTTP only, not {scope['type']}")
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        response = self._answer(request, body)
        await response(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> Response:
        if request.method == "OPTIONS":
            return Response()
        identifier = self._store.token(32)
        envelope = Envelope(identifier, request.headers.get("x-clearml-trx") or identifier)
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
        return response

    def _carry_out(self, request: Request, body: bytes, envelope: Envelope) -> Json:
        endpoint = self._find(envelope)
        ip = request.client.host if request.client else "127.0.0.1"
        write = endpoint.writes or auth.writes_on_sign_in(request)
        with self._store.transaction(write=write) as db:
            origin = auth.authenticate(self._store, db, request, ip)
            _require_role(endpoint, origin.role)
            caller = auth.act_for_another(db, request, origin)
            _require_role(endpoint, caller.role)
            return endpoint.handler(Call(self._store, db, caller, read_fields(request, body), ip))

    def _find(self, envelope: Envelope) -> Endpoint:
        endpoint = ENDPOINTS.get(envelope.name)
        if endpoint is None or (envelope.name in ON_PREMISES_ONLY and not self._store.settings.on_premises):
            raise ApiError(Fault.NO_ENDPOINT, f"for name {envelope.name} and version {envelope.requested}")
        envelope.actual = API_VERSION
        return endpoint


def _require_role(endpoint: Endpoint, role: str) -> None:
    if role not in endpoint.roles:
        raise ApiError(Fault.ROLE)
