"""From a declaration and a live workspace to a plan: what ``plan``, ``apply`` and ``drift`` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.clearml.read import Wanted, read_wanted
from reconciler.clearml.reader import Reader
from reconciler.model.edits import DocumentEdit
from reconciler.plan.make import Prepared, Terms, make_plan
from reconciler.vaults.redactor import Redactor

if TYPE_CHECKING:
    from reconciler.clearml.transport import ReadTransport
    from reconciler.commands.connection import Target
    from reconciler.commands.declaration_loading import LoadedDeclaration
    from reconciler.commands.session import Session
    from reconciler.model.desired import Desired
    from reconciler.plan.changes import Change
    from reconciler.plan.fingerprints import DigestKey
    from reconciler.vaults.parse import DocumentParser


def terms_of(session: Session, declared: LoadedDeclaration, target: Target, parser: DocumentParser) -> Terms:
    """Return what a comparison at this moment is made with."""
    return Terms(
        declaration=declared.shown,
        server=target.name,
        parser=parser,
        key=target.key,
        now=session.world.clock.now(),
    )


async def compare(session: Session, transport: ReadTransport, desired: Desired, terms: Terms) -> Prepared:
    """Read the live workspace and compare the declaration with it."""
    with session.reporter.step("Reading the workspace"):
        live = await read_wanted(Reader(transport), _wanted(desired))
        prepared = make_plan(desired, live, terms)
        return prepared if terms.reveal else _masked(prepared, desired, terms.key)


def _wanted(desired: Desired) -> Wanted:
    """Return what is to be read beside the lists."""
    scope = desired.scope
    return Wanted(
        accounts=_with_old_names(scope.credentials_of, desired),
        vaults_of=_with_old_names(scope.vaults_of, desired),
        entities={rule.entity for rule in desired.snapshot.access_rules.values()},
    )


def _masked(prepared: Prepared, desired: Desired, key: DigestKey) -> Prepared:
    """Mask the declared secrets' values where a document holds one in a place that is not known to be secret.

    It is done in the plan and not in its text, so that a saved one stays whole.
    """
    documents = (vault.document for vault in desired.snapshot.vaults.values())
    redactor = Redactor(value for document in documents for _, value in document.secrets if value is not None)
    changes = tuple(_masked_change(change, redactor) for change in prepared.plan.changes)
    if all(new is old for new, old in zip(changes, prepared.plan.changes, strict=True)):
        return prepared
    return replace(prepared, plan=replace(prepared.plan, changes=changes).sealed(key))


def _masked_change(change: Change, redactor: Redactor) -> Change:
    edits = tuple(
        replace(
            edit,
            **{
                side: redactor.mask(text)
                for side, text in (("before", edit.before), ("after", edit.after))
                if text is not None
            },
        )
        if isinstance(edit, DocumentEdit)
        else edit
        for edit in change.edits
    )
    return change if edits == change.edits else replace(change, edits=edits)


def _with_old_names(accounts: frozenset[str], desired: Desired) -> frozenset[str]:
    """Return the folded names of service accounts, and of those that are to be renamed the old ones too."""
    return accounts | {old.key[0] for new, old in desired.renames.items() if new.key[0] in accounts}
