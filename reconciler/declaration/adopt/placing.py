"""Where a new entry goes: into the list with the most entries like it, in order if that list is in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.model.resources import Kind
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.declaration.adopt.copy import WorkingCopy

Plain = dict[str, Any]


def place_entry(copy: WorkingCopy, kind: Kind, entry: Plain) -> None:
    """Put a new entry where its neighbors are; some file has to have a list of the kind."""
    near = _nearness(copy, kind, entry)
    entries = max(copy.lists(kind), key=lambda entries: (sum(map(near, entries)), len(entries)))
    insert_in_order(entries, entry, "email" if kind is Kind.MEMBER else "name", near)


def insert_in_order(entries: list[Plain], entry: Plain, key: str, near: Callable[[Plain], bool] | None = None) -> None:
    """Insert an entry: by its key if the list is sorted by it, otherwise after the last one near it, or last."""
    names = [fold(other[key]) for other in entries]
    if len(names) > 1 and names == sorted(names):
        position = sum(name <= fold(entry[key]) for name in names)
    else:
        position = max((index + 1 for index, other in enumerate(entries) if near and near(other)), default=len(entries))
    entries.insert(position, entry)


def insert_name(names: list[str], name: str) -> None:
    """Add a name to a list of names: in order if the list is in order, otherwise last."""
    folded = [fold(other) for other in names]
    is_sorted = len(names) > 1 and folded == sorted(folded)
    names.insert(sum(other <= fold(name) for other in folded) if is_sorted else len(names), name)


def _nearness(copy: WorkingCopy, kind: Kind, entry: Plain) -> Callable[[Plain], bool]:
    """Return what tells whether an entry of the same kind is about the same thing."""
    if kind is Kind.VAULT:
        group = fold(entry["group"])
        if not any(fold(other["group"]) == group for other in copy.all(kind)):
            home = _files_of_group(copy, group)
            return lambda other: copy.file_of(other) in home
        return lambda other: fold(other["group"]) == group
    if kind is Kind.ACCESS_RULE:
        groups = set(map(fold, entry.get("groups", ())))
        return lambda other: bool(groups & set(map(fold, other.get("groups", ()))))
    return lambda _: False


def _files_of_group(copy: WorkingCopy, group: str) -> set[str | None]:
    return {copy.file_of(other) for other in copy.all(Kind.GROUP) if fold(other["name"]) == group}
