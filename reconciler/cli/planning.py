"""From files and a live workspace to a plan: what ``plan``, ``apply`` and ``drift`` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.plan.changes import Guard
from reconciler.plan.make import Prepared, Terms, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.clearml.transport import ReadTransport
    from reconciler.cli.console import Console
    from reconciler.cli.declared import Declared
    from reconciler.cli.session import Target
    from reconciler.model.desired import Desired
    from reconciler.vaults.parse import DocumentParser


def terms_for(
    console: Console,
    declared: Declared,
    target: Target,
    parser: DocumentParser,
    *,
    allowed: Iterable[str] = (),
    exact_documents: bool = False,
) -> Terms:
    """Take what a comparison is made with from the command line and the moment."""
    return Terms(
        declaration=declared.shown,
        server=target.name,
        parser=parser,
        key=target.key,
        now=console.edges.now(),
        allowed=frozenset(Guard(name) for name in allowed),
        exact_documents=exact_documents,
    )


async def prepare(transport: ReadTransport, desired: Desired, terms: Terms) -> Prepared:
    """Read the live workspace and compare the declaration with it."""
    scope = desired.scope
    live = await read_live(
        Reader(transport),
        accounts=_with_old_names(scope.credentials_of, desired),
        vaults_of=_with_old_names(scope.vaults_of, desired),
    )
    return make_plan(desired, live, terms)


def _with_old_names(accounts: frozenset[str], desired: Desired) -> frozenset[str]:
    """Return the folded names of service accounts, and of those that are to be renamed the old ones too."""
    return accounts | {old.key[0] for new, old in desired.renames.items() if new.key[0] in accounts}
