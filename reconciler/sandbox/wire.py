"""Requests and answers as they travel: paths, fields from query and body, and the envelope."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from reconciler.sandbox.call import Client
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.fields import Fields

if TYPE_CHECKING:
    from starlette.requests import Request

    from reconciler.sandbox.call import Json

_PATH = re.compile(r"/{1,2}(?:v(?P<version>\d+\.\d+)/)?(?P<name>[A-Za-z_][\w-]*\.[A-Za-z_]\w*)/?")
_CLIENT_HEADERS = ("x-clearml-client", "x-clearml-agent")
_LONGEST_PROGRAM = 200
_PROGRAM = re.compile(r"(?P<name>.+)-(?P<version>\d[^;]*)")


@dataclass(slots=True)
class Envelope:
    """What the answer's ``meta`` says about the call; filled in as far as the call gets."""

    identifier: str
    trx: str
    requested: str
    name: str = ""
    actual: str | None = None

    def answer(self, data: Json) -> Response:
        """Return a success."""
        return self._response(200, 0, "OK", None, data)

    def refusal(self, error: ApiError) -> Response:
        """Return a refusal."""
        return self._response(error.fault.code, error.fault.subcode, error.message, None, {})

    def crash(self, message: str, trace: str) -> Response:
        """Return what a defect of the server looks like: 500/0 with a traceback."""
        return self._response(500, 0, f"{Fault.INTERNAL.text}: {message}", trace, {})

    def _response(self, code: int, subcode: int, message: str, stack: str | None, data: Json) -> Response:
        meta = {
            "id": self.identifier,
            "trx": self.trx,
            "endpoint": {
                "name": self.name,
                "requested_version": self.requested,
                "actual_version": self.actual,
            },
            "result_code": code,
            "result_subcode": subcode,
            "result_msg": message,
            "error_stack": stack,
            "error_data": {},
        }
        return Response(_json({"meta": meta, "data": data}), code, media_type="application/json")


def _json(value: Json) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        # A lone surrogate, which JSON can smuggle in, must not break the answer.
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def read_path(path: str, envelope: Envelope) -> None:
    """Note the endpoint and version that a path asks for; anything else is 400/0."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise ApiError(Fault.BAD_REQUEST, f"invalid request path {path}")
    envelope.name = found["name"]
    envelope.requested = found["version"] or envelope.requested


def client_of(request: Request) -> Client:
    """Return where a request comes from: ClearML's own clients name themselves in a header, as ``clearml-2.1.12``."""
    ip = request.client.host if request.client else "127.0.0.1"
    told = next((value for name in _CLIENT_HEADERS if (value := request.headers.get(name))), "")
    found = _PROGRAM.fullmatch(told[:_LONGEST_PROGRAM])
    return Client(ip, found["name"], found["version"]) if found else Client(ip)


def read_fields(request: Request, body: bytes) -> Fields:
    """Return the fields of a call: the JSON body, overridden by the query; the content type is not looked at.

    A body that is no JSON is 400/0, unless it is a form's, which counts as empty. So does JSON that is ``null`` or an
    empty list; any other JSON that is no object crashes the real server (500/0), so here too.
    """
    values: dict[str, object] = {}
    if body.strip() and not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        try:
            parsed = json.loads(body)
        except ValueError as error:
            raise ApiError(Fault.BAD_REQUEST, f"failed parsing the request body: {error}") from error
        if parsed and not isinstance(parsed, dict):
            raise TypeError(f"the request body is {type(parsed).__name__}, not an object")
        values.update(parsed or {})
    if request.scope["query_string"]:
        for name in request.query_params:
            given = [_coerce(value) for value in request.query_params.getlist(name)]
            values[name] = given[0] if len(given) == 1 else given
    return Fields(values)


def _coerce(value: str) -> str | int:
    return int(value) if value.isascii() and value.isdigit() else value
