"""Declared members whose addresses look like each other: one of them may be somebody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.declaration.context import Context, shown
from reconciler.errors import Problem, Severity
from reconciler.model.lookalike import foreign_letters, look_alikes
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_look_alikes(context: Context) -> Iterator[Problem]:
    """Check that no two members can be mistaken for each other: look-alike (a warning)."""
    for group in look_alikes(entry.item.email for entry in context.declaration.members or ()):
        for email in group[1:]:
            letters = foreign_letters("".join(group))
            because = f" (letters: {letters})" if letters else ""
            yield Problem(
                "look-alike",
                f"{shown(email)} looks like {shown(group[0])} but is a different address{because}",
                context.members[fold(email)].place("email"),
                "make sure that both are meant",
                Severity.WARNING,
            )
