"""Judges what travels between the client and a server by the published contract.

The wires of the tests report here: :func:`sent` gets every request of our client, :func:`answered` every answer of the
sandbox. They are only kept at first and judged after each test (:func:`violations`, asked in ``tests/conftest.py``):
raising in the middle of a call would look like a failure of the server, and judging there would take time that a test
may measure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, NotRequired

import jwt
from annotated_types import Ge
from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from tests.contract.reader import Field, Kind, Type, published

OUR_CLIENT = "clearml-reconciler/"
"""How the User-Agent of our own client begins. Other clients of the sandbox are tests that misbehave on purpose."""

_EXACT = ConfigDict(extra="forbid", strict=True)
_ANY = {
    Kind.STRING: str,
    Kind.INTEGER: int,
    Kind.NUMBER: float,
    Kind.BOOLEAN: bool,
    Kind.OBJECT: dict[str, Any],
}
_sent: dict[tuple[str, bytes, tuple[int, ...] | None], None] = {}
_answered: dict[tuple[str, int, bytes], None] = {}


def sent(path: str, headers: Mapping[str, str], body: bytes) -> None:
    """Keep a request; one that is not our client's is left alone. The names of ``headers`` are in lower case."""
    if headers.get("user-agent", "").startswith(OUR_CLIENT):
        _sent[_endpoint(path), body, _version(headers.get("authorization", ""))] = None


def answered(path: str, status: int, body: bytes) -> None:
    """Keep an answer of the sandbox."""
    _answered[_endpoint(path), status, body] = None


def violations() -> list[str]:
    """Return what did not fit since the last time, each once, and forget it."""
    found = [problem for request in list(_sent) for problem in request_problems(*request)]
    found += [problem for answer in list(_answered) for problem in answer_problems(*answer)]
    _sent.clear()
    _answered.clear()
    return list(dict.fromkeys(found))


def request_problems(endpoint: str, body: bytes, version: tuple[int, ...] | None) -> list[str]:
    """Return how a request breaks the contract: unknown call or field, wrong type, a field newer than the server."""
    call = published().calls.get(endpoint)
    if call is None:
        return [f"{endpoint}: sent, but no such call is published"]
    problems = _problems(_request(endpoint), body or b"{}", f"{endpoint} request")
    if problems or version is None:
        return problems
    given = json.loads(body or b"{}")
    return [
        f"{endpoint} request: {field.name} exists since API {field.since}, the server speaks {version}"
        for field in call.request
        if field.since is not None and field.name in given and version < numbers(field.since)
    ]


def answer_problems(endpoint: str, status: int, body: bytes) -> list[str]:
    """Return how an answer breaks the contract: its envelope, and the data of a success."""
    if status != 200:
        return _problems(_refusal(), body, f"{endpoint or '(no call)'} refusal")
    if endpoint not in published().calls:
        return [f"{endpoint}: answered, but no such call is published"]
    return _problems(_answer(endpoint), body, f"{endpoint} answer")


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers that can be compared."""
    return tuple(int(part) for part in version.split("."))


def _endpoint(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _version(authorization: str) -> tuple[int, ...] | None:
    """Return the API version that the server told of itself, from the token that the client shows."""
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer":
        return None
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    return numbers(str(claims.get("api_version", "2.9")))


def _problems(model: TypeAdapter[Any], body: bytes, where: str) -> list[str]:
    try:
        model.validate_json(body)
    except ValidationError as error:
        return [
            f"{where}: {'.'.join(map(str, problem['loc']))}: {problem['msg']} (it was {str(problem['input'])[:80]!r})"
            for problem in error.errors(include_url=False)
        ]
    return []


# The contract as types that pydantic checks


class _Endpoint(TypedDict):
    __pydantic_config__ = _EXACT
    name: str
    requested_version: str
    actual_version: str | None


class _Meta(TypedDict):
    __pydantic_config__ = _EXACT
    id: str
    trx: str
    endpoint: _Endpoint
    result_code: int
    result_subcode: int
    result_msg: str
    error_stack: str | None
    error_data: dict[str, Any]


@cache
def _request(endpoint: str) -> TypeAdapter[Any]:
    return TypeAdapter(_object(published().calls[endpoint].request, answer=False))


@cache
def _answer(endpoint: str) -> TypeAdapter[Any]:
    return _envelope(_object(published().calls[endpoint].response, answer=True))


@cache
def _refusal() -> TypeAdapter[Any]:
    return _envelope(_exact({}))


def _envelope(data: Any) -> TypeAdapter[Any]:
    return TypeAdapter(_exact({"meta": _Meta, "data": data}))


def _object(fields: tuple[Field, ...], *, answer: bool) -> Any:
    """Return a type. In an answer everything is optional and may be null; in a request only what is said to be."""
    members: dict[str, Any] = {}
    for field in fields:
        kind = _annotation(field.type, answer=answer)
        kind = kind | None if answer or field.nullable else kind
        members[field.name] = kind if field.required and not answer else NotRequired[kind]
    return _exact(members)


def _exact(members: dict[str, Any]) -> Any:
    made = TypedDict("made", members)  # type: ignore[misc]
    made.__pydantic_config__ = _EXACT  # type: ignore[attr-defined]
    return made


def _annotation(of: Type, *, answer: bool) -> Any:
    if of.fields is not None:
        return _object(of.fields, answer=answer)
    if of.kind is Kind.ARRAY and of.items is not None:
        return list[_annotation(of.items, answer=answer)]  # type: ignore[misc]
    if of.kind is Kind.MAP and of.items is not None:
        return dict[str, _annotation(of.items, answer=answer)]  # type: ignore[misc]
    if of.choices:
        return Literal[of.choices]
    if of.format == "date-time":
        return datetime
    plain = _ANY[of.kind]
    return plain if of.minimum is None else Annotated[plain, Ge(of.minimum)]
