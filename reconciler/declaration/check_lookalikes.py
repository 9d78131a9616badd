"""Declared names of one kind that look like each other: one of them may be somebody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.declaration.context import Context, shown
from reconciler.errors import Problem, Severity
from reconciler.model.lookalike import foreign_letters, look_alikes
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from reconciler.declaration.declaration import Entry


def check_look_alikes(context: Context) -> Iterator[Problem]:
    """Check that no two members, service accounts or groups can be mistaken for each other: look-alike (a warning)."""
    yield from _alike(context.members, "email", "address")
    yield from _alike(context.service_accounts, "name", "service account")
    yield from _alike(context.groups, "name", "group")


def _alike(entries: Mapping[str, Entry[Any]], key: str, what: str) -> Iterator[Problem]:
    for group in look_alikes(getattr(entry.item, key) for entry in entries.values()):
        for name in group[1:]:
            letters = foreign_letters("".join(group))
            because = f" (letters: {letters})" if letters else ""
            yield Problem(
                "look-alike",
                f"{shown(name)} looks like {shown(group[0])} but is a different {what}{because}",
                entries[fold(name)].place(key),
                "make sure that both are meant",
                Severity.WARNING,
            )
