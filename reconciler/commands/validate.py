"""``validate``: check a declaration, without a server and without a secret."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import field

from reconciler.declaration.load import load
from reconciler.declaration.resolve import resolve
from reconciler.errors import InvalidDeclarationError, Problem, Severity
from reconciler.frozen import Frozen
from reconciler.plan.policy.outcome import broken_rules, policy_problems
from reconciler.vaults.client_view import client_differences
from reconciler.vaults.parse import DocumentParser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reconciler.commands.session import Session
    from reconciler.errors import Place
    from reconciler.model.desired import Desired
    from reconciler.model.resources import Kind


class Validation(Frozen):
    """What a check found.

    ``problems`` are errors and warnings with their places, ``excerpts`` the lines at those places that may be shown.
    ``invalid`` is the error of a declaration that has any. ``refused`` counts the places that break the organization's
    rules, ``counts`` what is declared.
    """

    problems: tuple[Problem, ...]
    excerpts: Mapping[Place, str]
    invalid: InvalidDeclarationError | None = None
    refused: int = 0
    counts: Mapping[Kind, int] = field(default_factory=dict)


def validate_declaration(session: Session, file: Path) -> Validation:
    """Check a declaration and all that it includes, and find every problem at once."""
    with DocumentParser() as parser:
        try:
            declaration = load(session.folder / file, documents=parser)
            desired = resolve(declaration, secrets=None)
            broken = tuple(policy_problems(broken_rules(desired)))
        except InvalidDeclarationError as error:
            return Validation(error.problems, error.excerpts, invalid=error)
        places = (problem.place for problem in broken if problem.place is not None)
        return Validation(
            problems=(*declaration.warnings, *_client_problems(desired, parser), *broken),
            excerpts={place: line for place in places if (line := declaration.excerpt(place)) is not None},
            refused=sum(problem.severity is Severity.ERROR for problem in broken),
            counts=Counter(address.kind for address in desired.snapshot.resources),
        )


def _client_problems(desired: Desired, parser: DocumentParser) -> Iterator[Problem]:
    """Return warnings about what clients make of each vault (only paths, never values)."""
    for address, vault in desired.snapshot.vaults.items():
        for warning in client_differences(vault, parser):
            message = f"vault {vault.title}: {warning.sentence}"
            yield Problem(warning.rule.value, message, desired.places.get(address), severity=Severity.WARNING)
