"""What all cross checks share: what is declared, by folded names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.errors import Problem, Severity
from reconciler.model.desired import Management
from reconciler.model.resources import Kind
from reconciler.model.text import fold, harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.declaration.declaration import Declaration, Entry
    from reconciler.declaration.validation import Part
    from reconciler.errors import Place

_SUGGESTIONS = 20
_SHOWN_LENGTH = 80

NOUNS = {
    Kind.MEMBER: "member",
    Kind.SERVICE_ACCOUNT: "service account",
    Kind.GROUP: "group",
    Kind.VAULT: "vault",
    Kind.CREDENTIAL: "credential",
    Kind.ACCESS_RULE: "access rule",
}
"""The kinds as messages name them."""


class Context:
    """A declaration under check."""

    def __init__(self, declaration: Declaration, parts: Sequence[Part], *, complete: bool) -> None:
        self.declaration = declaration
        self.damaged = frozenset(kind for part in parts for kind in part.damaged)
        self._complete = complete and not any(part.unusable for part in parts)
        left_out = {
            kind: {fold(name) for part in parts for name in part.damaged.get(kind, ())}
            for kind in ("members", "service_accounts", "groups", "access_rules")
        }
        self.members = self._by_fold(declaration.members, "email")
        self.service_accounts = self._by_fold(declaration.service_accounts, "name")
        self.groups = self._by_fold(declaration.groups, "name")
        self.access_rules = self._by_fold(declaration.access_rules, "name")
        self._known: dict[Kind, frozenset[str]] = {
            Kind.MEMBER: frozenset(self.members) | left_out["members"],
            Kind.SERVICE_ACCOUNT: frozenset(self.service_accounts) | left_out["service_accounts"],
            Kind.GROUP: frozenset(self.groups) | left_out["groups"],
            Kind.ACCESS_RULE: frozenset(self.access_rules) | left_out["access_rules"],
        }
        self._suggestions_left = _SUGGESTIONS

    def _by_fold(self, entries: Iterable[Entry[Any]] | None, key: str) -> dict[str, Entry[Any]]:
        found: dict[str, Entry[Any]] = {}
        for entry in entries or ():
            found.setdefault(fold(getattr(entry.item, key)), entry)
        return found

    def known(self, kind: Kind) -> frozenset[str]:
        """Return the folded names that any file declares, in however wrong an entry."""
        return self._known[kind]

    def must_be_declared(self, kind: Kind) -> bool:
        """Return whether what is named must be declared: the declaration is the whole, readable truth for the kind."""
        return self._complete and self.declaration.management(kind) is Management.ALL

    def nearest(self, kind: Kind, folded: str) -> str | None:
        """Return a hint with the nearest declared name; only the first few times, for it is slow."""
        if self._suggestions_left <= 0:
            return None
        import difflib

        self._suggestions_left -= 1
        near = difflib.get_close_matches(folded, self._known[kind], n=1, cutoff=0.8)
        return f"did you mean `{harmless(near[0])}`?" if near else None


def shown(text: str) -> str:
    """Return a foreign text fit for a message: harmless, short, in backticks."""
    return f"`{harmless(text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + '…')}`"


def warning(rule: str, message: str, place: Place | None, hint: str | None = None) -> Problem:
    """Return a problem that does not stop anything."""
    return Problem(rule, message, place, hint, Severity.WARNING)
