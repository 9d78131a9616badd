"""Reading JSON strictly: a shape that the reference does not allow stops the run, naming the call and the field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from reconciler.clearml.failures import shown
from reconciler.errors import AnswerLostError, ServerError, UnexpectedAnswerError
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

Choice = TypeVar("Choice", bound="StrEnum")


class Node(Frozen):
    """A JSON object of an answer, with where it stands in it.

    A field that is null counts as absent, since servers leave unset fields out. ``written``: the answer is that of a
    write, so that what cannot be understood is a lost answer, to be settled by reading.
    """

    endpoint: str
    value: Mapping[str, object]
    path: str = "data"
    written: bool = False

    def has(self, name: str) -> bool:
        """Tell whether a field is there and not null."""
        return self.value.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        value = self.value.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self.wrong(name, "a text")
        return value

    def identifier(self, name: str) -> str:
        """Return a text that is not empty."""
        value = self.text(name)
        if not value:
            raise self.wrong(name, "an id")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text or nothing."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, str):
            raise self.wrong(name, "a text")
        return value

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        """Return a truth value; without a default it must be there."""
        value = self.value.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def optional_flag(self, name: str) -> bool | None:
        """Return a truth value or nothing."""
        return self.flag(name) if self.has(name) else None

    def number(self, name: str) -> int:
        """Return a whole number that is not negative."""
        value = self.value.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong(name, "a count")
        return value

    def optional_number(self, name: str) -> int | None:
        """Return a whole number that is not negative, or nothing."""
        return self.number(name) if self.has(name) else None

    def moment(self, name: str) -> datetime | None:
        """Return a point in time or nothing."""
        text = self.optional_text(name)
        if not text:
            return None
        found = moment(text)
        if found is None:
            raise self.wrong(name, "a time")
        return found

    def moment_if_told(self, name: str) -> datetime | None:
        """Return a point in time that nothing depends on: nothing if it is not one."""
        try:
            return self.moment(name)
        except ServerError:
            return None

    def choice(self, name: str, choices: type[Choice], default: Choice | None = None) -> Choice:
        """Return one of the known values; another one is not guessed at."""
        value = self.value.get(name)
        if value is None and default is not None:
            return default
        try:
            if isinstance(value, str):
                return choices(value)
        except ValueError:
            pass
        raise self.wrong(name, "one of " + ", ".join(choices))

    def items(self, name: str) -> list[object]:
        """Return a list, which must be there: an absent list is not an empty one."""
        value = self.value.get(name)
        if not isinstance(value, list):
            raise self.wrong(name, "a list")
        return value

    def nodes(self, name: str) -> list[Node]:
        """Return a list of objects, which must be there."""
        within = f"{self.path}.{name}["
        found: list[Node] = []
        for index, item in enumerate(self.items(name)):
            if not isinstance(item, dict):
                raise self.wrong(name, "a list of objects")
            found.append(Node(self.endpoint, item, f"{within}{index}]", self.written))
        return found

    def identifiers(self, name: str) -> frozenset[str]:
        """Return the ids of a list of objects, which must be there; a group has thousands, so none becomes a node."""
        found = [item.get("id") for item in self.items(name) if isinstance(item, dict)]
        texts = [identifier for identifier in found if isinstance(identifier, str) and identifier]
        if len(texts) == len(self.items(name)):
            return frozenset(texts)
        return frozenset(item.identifier("id") for item in self.nodes(name))  # raises, and says which one

    def node(self, name: str) -> Node:
        """Return an object, which must be there."""
        value = self.value.get(name)
        if not isinstance(value, dict):
            raise self.wrong(name, "an object")
        return Node(self.endpoint, value, f"{self.path}.{name}", self.written)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, which must be there."""
        found = self.items(name)
        texts = [item for item in found if isinstance(item, str)]
        if len(texts) != len(found):
            raise self.wrong(name, "a list of texts")
        return tuple(texts)

    def wrong(self, name: str, wanted: str) -> ServerError:
        """Return the error for a field that is not what it should be; its value is not quoted, it may be a secret."""
        value = self.value.get(name)
        found = "nothing" if value is None else f"a {_KINDS.get(type(value), 'value')} that is not one"
        kind = AnswerLostError if self.written else UnexpectedAnswerError
        return kind(
            f"{self.endpoint}: the answer's {shown(f'{self.path}.{name}', limit=120)} should be {wanted}, it is {found}"
        )


def moment(text: str) -> datetime | None:
    """Return a point in time if this is one; without a zone it is UTC (``docs/explanation/clearml-wire.md, Users``)."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is UTC:
            return found
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_KINDS: dict[type, str] = {
    str: "text",
    bool: "truth value",
    int: "number",
    float: "number",
    list: "list",
    dict: "mapping",
}
