"""Answers altered within what the published contract allows, or just outside of it, whatever client asked."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.contract.reader import Kind, Type, published

UNKNOWN = "something-new"


class What(StrEnum):
    """What becomes of a field."""

    ABSENT = "absent"
    NULL = "null"
    UNKNOWN = "unknown value"
    EMPTY = "empty string"
    AS_TEXT = "number as string"
    NEGATIVE = "minus one"
    MICROSECONDS = "date with microseconds"
    ZULU = "date with Z"
    WITHOUT_ZONE = "date without zone"
    MILLISECONDS = "date in milliseconds"
    RFC_822 = "date of RFC 822"


_DATES: dict[What, object] = {
    What.MICROSECONDS: "2026-02-01T12:00:00.123456+00:00",
    What.ZULU: "2026-02-01T12:00:00Z",
    What.WITHOUT_ZONE: "2026-02-01T12:00:00",
    What.MILLISECONDS: 1769947200000,
    What.RFC_822: "Sun, 01 Feb 2026 12:00:00 GMT",
}
_NAMED = ("role", "scope", "format", "type", "status", "entity_type", "access_permission", "operation")
"""The fields whose values are names of a kind, some of them free text by contract."""


@dataclass(frozen=True)
class Alteration:
    """One field of one call's answers, wherever it is in them, and what becomes of it.

    ``path`` is as :meth:`tests.contract.reader.Call.response_fields` has it; ``last_only`` spares all items of the
    outermost list but the last.
    """

    endpoint: str
    path: str
    what: What
    last_only: bool = False

    def __str__(self) -> str:
        return f"{self.endpoint} {self.path}: {self.what.value}{' in the last' if self.last_only else ''}"

    def of(self, path: str, status: int, body: bytes) -> bytes:
        """Return an answer, altered if it is one of this call's."""
        if status != 200 or path.rstrip("/").rpartition("/")[2] != self.endpoint:
            return body
        envelope = json.loads(body)
        self._alter(envelope["data"], self.path.split("."), outermost=True)
        return json.dumps(envelope).encode()

    def _alter(self, value: Any, steps: list[str], *, outermost: bool) -> None:
        name, is_list = steps[0].removesuffix("[]"), steps[0].endswith("[]")
        if not isinstance(value, dict):
            return
        if len(steps) == 1:
            self._set(value, name)
        elif is_list:
            items = value.get(name) or []
            for item in items[-1:] if outermost and self.last_only else items:
                self._alter(item, steps[1:], outermost=False)
        else:
            self._alter(value.get(name), steps[1:], outermost=outermost)

    def _set(self, holder: dict[str, Any], name: str) -> None:
        match self.what:
            case What.ABSENT:
                holder.pop(name, None)
            case What.NULL:
                holder[name] = None
            case _ if name not in holder or holder[name] is None:
                return
            case What.UNKNOWN:
                holder[name] = UNKNOWN
            case What.EMPTY:
                holder[name] = ""
            case What.AS_TEXT:
                holder[name] = str(holder[name])
            case What.NEGATIVE:
                holder[name] = -1
            case what:
                holder[name] = copy.copy(_DATES[what])


def alterations(endpoints: Iterable[str]) -> list[Alteration]:
    """Return every alteration of every published field of some calls' answers, in a stable order."""
    found = []
    for endpoint in sorted(endpoints):
        for path, field in published().calls[endpoint].response_fields():
            if path.endswith("[]") or not _is_asked_for(endpoint, path):
                continue
            for what in _fitting(path.rpartition(".")[2], field.type):
                found.append(Alteration(endpoint, path, what))
                if "[]" in path:
                    found.append(Alteration(endpoint, path, what, last_only=True))
    return found


def _is_asked_for(endpoint: str, path: str) -> bool:
    """Leave out what our client asks look-ups by name not to answer."""
    asks_for_some = any(field.name == "only_fields" for field in published().calls[endpoint].request)
    is_look_up = asks_for_some and not endpoint.startswith("users.")
    return not is_look_up or path.rpartition("[].")[2] in ("projects", "queues", "id", "name")


def _fitting(name: str, of: Type) -> Iterator[What]:
    yield What.ABSENT
    yield What.NULL
    if of.format == "date-time":
        yield from _DATES
    if of.format == "date-time" or of.choices or name in _NAMED:
        yield What.UNKNOWN
    elif of.kind is Kind.STRING:
        yield What.EMPTY
    if of.kind is Kind.INTEGER:
        yield What.AS_TEXT
        yield What.NEGATIVE


def altered(
    respond: Callable[[str, dict[str, str], bytes], tuple[int, bytes]], by: Alteration | None
) -> Callable[..., tuple[int, bytes]]:
    """Return a server's way to answer, with its answers altered."""

    def answer(path: str, headers: dict[str, str], content: bytes) -> tuple[int, bytes]:
        status, body = respond(path, headers, content)
        return status, body if by is None else by.of(path, status, body)

    return answer
