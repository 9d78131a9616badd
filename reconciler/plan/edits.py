"""The edits that every kind of resource is compared with."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.model.edits import FieldEdit, SetEdit

if TYPE_CHECKING:
    from reconciler.model.edits import Edit


def field_edits(*fields: tuple[str, str | bool | None, str | bool | None]) -> tuple[Edit, ...]:
    """Return an edit for each field, given by name, before and after, whose two values differ.

    A role or a format becomes the text that it is.
    """
    return tuple(
        FieldEdit(field=name, before=_plain(old), after=_plain(new)) for name, old, new in fields if old != new
    )


def _plain(value: str | bool | None) -> str | bool | None:
    return str(value.value) if isinstance(value, StrEnum) else value


def set_edits(before: frozenset[str] | None, after: frozenset[str], field_name: str) -> tuple[Edit, ...]:
    """Return an edit of who joins and who leaves, or nothing."""
    present = before or frozenset()
    if present == after:
        return ()
    return (SetEdit(field=field_name, added=tuple(sorted(after - present)), removed=tuple(sorted(present - after))),)


def description_edits(before: str | None, after: str | None) -> tuple[Edit, ...]:
    """Return the edit of a description. A declared one has no blanks around it; those of a live one do not count."""
    live = before or ""
    said = after if after in (None, live.strip()) else live
    return field_edits(("description", said, after))
