"""JSON → the message that an answer holds, and one sentence for every answer that does not fit it.

Nothing else decodes an answer. A :class:`Message` is a value that msgspec fills straight from the bytes: of tens of
thousands of users none becomes a mapping on the way. How strictly a field is read is said by its type, and only there:

- ``name: str`` must be there, and nothing can be made of an object without it;
- ``name: str | None = None`` may be absent or null, which is the same: not told;
- ``at: Lenient[datetime] | None = None`` may be anything; what cannot be read counts as not told.

What does not fit is confined, where that is possible (``docs/explanation/decisions.md, 9``): a :class:`Confined`
message leaves out the field, or the object of a list, and says so in ``unread``. Every other one is refused as a whole.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, Union, cast, get_args, get_origin

import msgspec
from msgspec.structs import replace

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


class Unread(Frozen):
    """What of an answer could not be read: ``path`` is a field, or the place of an object in a list.

    ``id`` and ``name`` are those of the object, where these could be read.
    """

    path: str
    why: str
    id: str | None = None
    name: str | None = None


class Confined(Message, kw_only=True):
    """A message that does without what cannot be read of it: ``unread`` says what that is."""

    unread: tuple[Unread, ...] = msgspec.field(default=(), name="(unread)")

    def why(self, *fields: str) -> str | None:
        """Return why one of these fields could not be read, if that is so."""
        return next((item.why for item in self.unread if item.path in fields), None)


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
    """A point in time as servers write it; ``None`` for an empty string.

    ISO 8601, in UTC if it names no zone (``docs/explanation/clearml-wire.md, Users``); also taken are the form of mails
    and headers (RFC 822), and seconds or milliseconds since the epoch.
    """

    __slots__ = ()

    def __init__(self, told: str | float) -> None:
        super().__init__(_moment(told))


class Whole(Held[int]):
    """A count, as a number or as a string of digits."""

    __slots__ = ()

    def __init__(self, told: int | str) -> None:
        number = int(told) if isinstance(told, int) or (told.isascii() and told.isdigit() and len(told) < 19) else -1
        if number < 0:
            raise ValueError("not a count")
        super().__init__(number)


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


_FROM: dict[Any, tuple[type, ...]] = {Secret: (str,), Time: (str, int, float), Whole: (str, int)}
"""What JSON holds for each of the types that msgspec does not make."""


def _custom(form: Any, value: object) -> object:
    """Make the values of types that are not JSON's own."""
    if form in _FROM:
        if isinstance(value, _FROM[form]) and not isinstance(value, bool):
            return form(value)
        raise TypeError("of another type")
    if form is object:
        return value
    return Lenient(_readable(value, *form.__args__))


def _readable(value: object, form: Any) -> Any:
    try:
        if form is datetime and isinstance(value, str | int | float) and not isinstance(value, bool):
            return _moment(value)
        return _converted(value, form)
    except ValueError:
        return None


_MILLISECONDS_FROM = 100_000_000_000
"""A number of this size is milliseconds since the epoch: as seconds it would be the year 5138."""


def _moment(told: str | float) -> datetime | None:
    """Return a point in time in UTC; raises :class:`ValueError` for what is none."""
    if told == "":
        return None
    try:
        found = _from_text(told) if isinstance(told, str) else _from_number(told)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (OverflowError, OSError):
        raise ValueError("a time outside of the calendar") from None


def _from_text(text: str) -> datetime:
    if text.isascii() and text.isdigit() and len(text) >= 10:
        return _from_number(float(text))
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    return parsedate_to_datetime(text)


def _from_number(number: float) -> datetime:
    return datetime.fromtimestamp(number / 1000 if abs(number) >= _MILLISECONDS_FROM else number, UTC)


def salvaged(content: dict[str, object], form: type[Form]) -> Form:
    """Return what can be read of a :class:`Confined` message that does not fit as a whole.

    Raises :class:`MisfitError` for a message of another class, and if what must be there is not.
    """
    if not issubclass(form, Confined):
        raise MisfitError(content)
    taken: dict[str, object] = {}
    lists: dict[str, object] = {}
    unread: list[Unread] = []
    for field in msgspec.structs.fields(form):
        name = field.encode_name
        value = content.get(name, msgspec.UNSET)
        item = _item(_without_null(field.type)[1])
        if value is msgspec.UNSET or field.name == "unread":
            continue
        if isinstance(value, list) and _is_confined(item):
            lists[field.name] = tuple(_salvaged_items(value, item, name, unread))
        elif field.required or _fits(value, field.type):
            taken[name] = value
        else:
            unread.append(Unread(field.name, next(misfits(value, field.type, name))))
    if lists:  # a required list that was read on its own must not be missed
        taken |= {field.encode_name: () for field in msgspec.structs.fields(form) if field.name in lists}
    whole = _converted(taken, form)
    return cast("Form", replace(whole, **lists, unread=tuple(unread)))


def _salvaged_items(items: list[object], form: Any, name: str, unread: list[Unread]) -> Iterator[object]:
    """Yield the objects of a list that can be read, whole or in part; the others are noted in ``unread``."""
    for index, item in enumerate(items):
        try:
            yield _converted(item, form)
            continue
        except MisfitError:
            if isinstance(item, dict):
                with suppress(MisfitError):
                    yield salvaged(item, form)
                    continue
        path = f"{name}[{index}]"
        told = item if isinstance(item, dict) else {}
        unread.append(
            Unread(
                path,
                next(misfits(item, form, path), f"{path} cannot be read"),
                id=_text_of(told, "id", "access_key"),
                name=_text_of(told, "email", "name", "description", "label"),
            )
        )


def _text_of(content: dict[str, object], *names: str) -> str | None:
    return next((value for name in names if isinstance(value := content.get(name), str) and value), None)


def _is_confined(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, Confined)


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
        if name in content and field.name != "unread":
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
    if _item(form) is not None:
        return "a list"
    return _WANTED.get(form, "an object")


_WANTED: dict[Any, str] = {
    str: "a string",
    Secret: "a string",
    bool: "true or false",
    float: "a number",
    Time: "a time",
    Whole: "a count",
}

_KINDS: dict[type, str] = {bool: "boolean", int: "number", float: "number", list: "list", str: "string"}


def _found(value: object, form: Any) -> str:
    """Say what a value is; one of the kind that was wanted is another one."""
    if value is None:
        return "null"
    if value == "":
        return "an empty string"
    kind = _KINDS.get(type(value), "object")
    plain = get_args(form)[0] if get_origin(form) is Annotated else form
    if kind in {Secret: ("string",), Time: ("string",), Whole: ("number",)}.get(plain, (_KINDS.get(plain),)):
        return f"another {kind}"
    return f"an {kind}" if kind == "object" else f"a {kind}"
