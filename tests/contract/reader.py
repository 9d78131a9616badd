"""The published ClearML API as frozen values, read from the two data files beside this module.

``clearml-enterprise.yaml`` holds what the Enterprise pages publish, ``clearml-open-source.yaml`` the few calls that
have no published Enterprise page. Both have the same form; the first one's ``source.conventions`` explains it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

_FOLDER = Path(__file__).parent
_EVERYONE = "all"


class Kind(StrEnum):
    """What a value is in JSON. A map is an object with keys of the caller's choice."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    OBJECT = "object"
    ARRAY = "array"
    MAP = "map"


class Edition(StrEnum):
    """Whose description of a call is in the data."""

    ENTERPRISE = "enterprise"
    OPEN_SOURCE = "open-source"


@dataclass(frozen=True)
class Type:
    """The type of a value. ``fields`` is ``None`` for an object that may have any; ``items`` are a list's or a map's."""

    kind: Kind
    format: str | None = None
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    items: Type | None = None
    fields: tuple[Field, ...] | None = None


@dataclass(frozen=True)
class Field:
    """A named value in a request or an answer. ``since`` is the lowest API version that knows it."""

    name: str
    type: Type
    required: bool = False
    nullable: bool = False
    since: str | None = None
    default: object = None


@dataclass(frozen=True)
class Call:
    """One endpoint. ``roles`` is empty for a call that needs no sign-in, and ``None`` for one open to every role."""

    name: str
    request: tuple[Field, ...]
    response: tuple[Field, ...]
    roles: frozenset[str] | None
    edition: Edition

    def response_fields(self) -> Iterator[tuple[str, Field]]:
        """Yield every field of the answer with its path: ``users[].activity.last_ui_access``."""
        yield from _walk("", self.response)


@dataclass(frozen=True)
class Contract:
    """All calls by name."""

    calls: Mapping[str, Call]


@cache
def published() -> Contract:
    """Return the contract: the Enterprise pages, and the open-source descriptions of calls that these leave out."""
    enterprise = _load("clearml-enterprise.yaml")
    open_source = _load("clearml-open-source.yaml")
    definitions = enterprise["definitions"]
    calls = [_call(name, data, definitions, Edition.ENTERPRISE) for name, data in enterprise["calls"].items()]
    calls += [_call(name, data, definitions, Edition.OPEN_SOURCE) for name, data in open_source["calls"].items()]
    return Contract({call.name: call for call in calls})


def _load(name: str) -> Any:
    return YAML(typ="safe").load((_FOLDER / name).read_text(encoding="utf-8"))


def _call(name: str, data: Mapping[str, Any], definitions: Mapping[str, Any], edition: Edition) -> Call:
    since = data.get("since", {})
    return Call(
        name=name,
        request=_fields(data["request"], definitions, since),
        response=_fields(data["response"], definitions, {}),
        roles=None if data["roles"] == [_EVERYONE] else frozenset(data["roles"]),
        edition=Edition(data.get("edition", edition)),
    )


def _fields(data: Mapping[str, Any], definitions: Mapping[str, Any], since: Mapping[str, str]) -> tuple[Field, ...]:
    return tuple(
        Field(
            name=name,
            type=_type(value, definitions),
            required=value.get("required", False),
            nullable=value.get("nullable", False),
            since=since.get(name),
            default=value.get("default") if isinstance(value, Mapping) else None,
        )
        for name, value in data.items()
    )


def _type(data: str | Mapping[str, Any], definitions: Mapping[str, Any]) -> Type:
    if isinstance(data, str):
        return Type(Kind(data))
    if "ref" in data:
        return _type(definitions[data["ref"]], definitions)
    declared = data.get("type", Kind.OBJECT)
    if isinstance(declared, list):
        return Type(Kind.ARRAY, items=_type(declared[0], definitions))
    fields = data.get("fields")
    return Type(
        kind=Kind(declared),
        format=data.get("format"),
        choices=tuple(data.get("enum", ())) if declared == Kind.STRING else (),
        minimum=data.get("minimum"),
        items=_type(data["values"], definitions) if declared == Kind.MAP else None,
        fields=None if fields is None else _fields(fields, definitions, {}),
    )


def _walk(prefix: str, fields: tuple[Field, ...]) -> Iterator[tuple[str, Field]]:
    for field in fields:
        path, inner = f"{prefix}{field.name}", field.type
        yield path, field
        while inner.items is not None:
            path, inner = f"{path}[]", inner.items
        yield from _walk(f"{path}.", inner.fields or ())
