"""From files and a live workspace to a plan: what ``plan``, ``apply`` and ``drift`` have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.plan.changes import Guard
from reconciler.plan.make import Prepared, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.clearml.transport import ReadTransport
    from reconciler.cli.declared import Declared
    from reconciler.cli.session import Target
    from reconciler.model.desired import Desired
    from reconciler.vaults.parse import DocumentParser


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user chose for the comparison."""

    allowed: frozenset[Guard] = frozenset()
    exact_documents: bool = False

    @staticmethod
    def of(allowed: Iterable[str], *, exact_documents: bool) -> Choices:
        """Take the values of the command line."""
        return Choices(frozenset(Guard(name) for name in allowed), exact_documents)


async def prepare(
    transport: ReadTransport, declared: Declared, target: Target, parser: DocumentParser, choices: Choices
) -> Prepared:
    """Read the live workspace and compare the declaration with it."""
    desired = declared.desired
    scope = desired.scope
    live = await read_live(
        Reader(transport),
        accounts=_with_old_names(scope.credentials_of, desired),
        vaults_of=_with_old_names(scope.vaults_of, desired),
    )
    return make_plan(
        desired,
        live,
        declaration=declared.shown,
        server=target.name,
        parser=parser,
        key=target.key,
        allowed=choices.allowed,
        exact_documents=choices.exact_documents,
    )


def _with_old_names(accounts: frozenset[str], desired: Desired) -> frozenset[str]:
    """Return the folded names of service accounts, and of those that are to be renamed the old ones too."""
    return accounts | {old.key[0] for new, old in desired.renames.items() if new.key[0] in accounts}
