"""JSON → the message that an answer holds, and one sentence for every answer that does not fit it.

Nothing else decodes an answer. A :class:`Message` is a value that msgspec fills straight from the bytes: of tens of
thousands of users none becomes a mapping on the way. How strictly a field is read is said by its type, and only there:

- ``name: str`` must be there; absent, null or another type stops the run;
- ``name: str | None = None`` may be absent or null, which is the same; another type stops the run;
- ``at: Lenient[datetime] | None = None`` may be anything; what cannot be read counts as not said.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from enum import EnumMeta
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

import msgspec

from reconciler.frozen import Frozen
from reconciler.model.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = TypeVar("Value")
Form = TypeVar("Form")

Id = Annotated[str, msgspec.Meta(min_length=1, description="an id")]
"""What identifies something on the server."""

NonEmpty = Annotated[str, msgspec.Meta(min_length=1, description="a string that is not empty")]

Count = Annotated[int, msgspec.Meta(ge=0, description="a count")]


_SMALL = 4 * 1024 * 1024
"""Up to this size (bytes) JSON may hold whatever it holds: it takes at most some twenty times as much memory."""
_MOST_CONTAINERS = 1_500_000
_MOST_VALUES = 6_000_000
"""What a larger answer may hold; one of 64 MiB about 100,000 users holds a third of it."""


class Message(Frozen):
    """What an answer holds, or one object in it, under the names that the API gives its fields."""


class Held(Generic[Value]):
    """A value that msgspec does not make by itself. :func:`read` takes it out."""

    __slots__ = ("value",)

    def __init__(self, value: Value | None) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)


class Time(Held[datetime]):
    """A point in time as the server writes it: ISO 8601, in UTC if it names no zone; ``None`` for an empty string.

    Source: ``docs/explanation/clearml-wire.md, Users``.
    """

    __slots__ = ()

    def __init__(self, text: str) -> None:
        super().__init__(_moment(text))


class Lenient(Held[Value]):
    """A field that nothing depends on: ``None`` if what the server says there cannot be read."""

    __slots__ = ()


def read(field: Held[Value] | None) -> Value | None:
    """Return what a field holds, if it holds anything."""
    return field.value if field is not None else None


class FieldError(ValueError):
    """A field does not fit what the others say. A message raises it in ``__post_init__``."""

    def __init__(self, name: str, wanted: str) -> None:
        super().__init__(name)
        self.name = name
        self.wanted = wanted


class NotJsonError(ValueError):
    """Bytes that are not JSON."""


class TooManyValuesError(NotJsonError):
    """JSON that would take far more memory than its bytes do."""


class MisfitError(ValueError):
    """JSON that is not of the form that was asked for; ``plain`` is what it is."""

    def __init__(self, plain: object) -> None:
        super().__init__("an answer of another form")
        self.plain = plain


def decoded(body: bytes, form: type[Form]) -> Form:
    """Return what a body holds.

    Raises :class:`NotJsonError` (:class:`TooManyValuesError`), or :class:`MisfitError` if it is JSON of another form.
    """
    _check_size(body)
    with suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(body, type=form, dec_hook=_custom)
    return _converted(_loaded(body), form)


def _check_size(body: bytes) -> None:
    """Refuse JSON that would take far more memory than its bytes do, as a list of empty lists does."""
    if len(body) <= _SMALL:
        return
    containers = body.count(b"[") + body.count(b"{")
    if containers > _MOST_CONTAINERS or body.count(b",") > _MOST_VALUES:
        raise TooManyValuesError


def _converted(plain: object, form: type[Form]) -> Form:
    try:
        return msgspec.convert(plain, form, dec_hook=_custom)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:  # the latter for half of a pair in place of a choice
        raise MisfitError(plain) from error.__cause__


def _loaded(body: bytes) -> object:
    """Read JSON that msgspec refuses: it may be of another form, or have half of a surrogate pair in a name.

    Python's own reader takes such halves, and a server in Python may write them.
    """
    try:
        return json.loads(body, object_hook=_with_plain_names)
    except (ValueError, RecursionError):
        raise NotJsonError from None


def _with_plain_names(content: dict[str, object]) -> dict[str, object]:
    """Leave out fields that no message has: half of a surrogate pair in a name cannot be converted."""
    return {name: value for name, value in content.items() if name.isascii()}


def _custom(form: Any, value: object) -> object:
    """Make the values of types that are not JSON's own."""
    if form is Time or form is Secret:
        if isinstance(value, str):
            return form(value)
        raise TypeError("not a string")
    if form is object:
        return value
    return Lenient(_readable(value, *form.__args__))


def _readable(value: object, form: Any) -> Any:
    try:
        if form is datetime and isinstance(value, str):
            return _moment(value)
        return _converted(value, form)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is UTC:
            return found
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time outside of the calendar") from None


def misfits(value: object, form: Any, path: str) -> Iterator[str]:
    """Say of each field that does not fit where it is and what it should be. No value is quoted: it may be a secret."""
    optional, form = _without_null(form)
    if value is None and optional:
        return
    item = _item(form)
    if isinstance(value, dict) and _is_message(form):
        yield from _misfits_within(value, form, path)
    elif isinstance(value, list) and item is not None:
        for index, part in enumerate(value):
            yield from misfits(part, item, f"{path}[{index}]")
    elif not _fits(value, form):
        yield f"{path} should be {_wanted(form)}, but is {_found(value, form)}"


def _misfits_within(content: dict[str, object], form: Any, path: str) -> Iterator[str]:
    fine = True
    for field in msgspec.structs.fields(form):
        name = field.encode_name
        if name in content:
            for sentence in misfits(content[name], field.type, f"{path}.{name}"):
                fine = False
                yield sentence
        elif field.required:
            fine = False
            yield f"{path}.{name} should be {_wanted(field.type)}, but is missing"
    if fine:
        try:
            _converted(content, form)
        except MisfitError as error:
            if isinstance(cause := error.__cause__, FieldError):
                found = _found(content.get(cause.name), str) if cause.name in content else "missing"
                yield f"{path}.{cause.name} should be {cause.wanted}, but is {found}"


def _without_null(form: Any) -> tuple[bool, Any]:
    if get_origin(form) in (Union, UnionType):
        others = [option for option in get_args(form) if option is not NoneType]
        return len(others) < len(get_args(form)), others[0]
    return False, form


def _item(form: Any) -> Any | None:
    return get_args(form)[0] if get_origin(form) is tuple else None


def _is_message(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, Message)


def _fits(value: object, form: Any) -> bool:
    try:
        _converted(value, form)
    except MisfitError:
        return False
    return True


def _wanted(form: Any) -> str:
    _, form = _without_null(form)
    if get_origin(form) is Annotated:
        return str(get_args(form)[1].description)
    if isinstance(form, EnumMeta):
        return "one of " + ", ".join(map(str, form.__members__.values()))
    if _item(form) is not None:
        return "a list"
    return {str: "a string", Secret: "a string", bool: "true or false", float: "a number", Time: "a time"}.get(
        form, "an object"
    )


_KINDS: dict[type, str] = {bool: "boolean", int: "number", float: "number", list: "list", str: "string"}


def _found(value: object, form: Any) -> str:
    """Say what a value is; one of the kind that was wanted is another one."""
    if value is None:
        return "null"
    if value == "":
        return "an empty string"
    kind = _KINDS.get(type(value), "object")
    plain = get_args(form)[0] if get_origin(form) is Annotated else form
    wanted = "string" if plain in (Secret, Time) or isinstance(plain, EnumMeta) else _KINDS.get(plain)
    if kind == wanted:
        return f"another {kind}"
    return f"an {kind}" if kind == "object" else f"a {kind}"
