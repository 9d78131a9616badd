"""From a declaration and a live workspace to a plan: what ``plan``, ``apply`` and ``drift`` have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.clearml.read import Wanted, read_wanted
from reconciler.clearml.reader import Reader
from reconciler.model.edits import DocumentEdit
from reconciler.model.text import duration
from reconciler.plan.make import Prepared, Terms, make_plan
from reconciler.vaults.redactor import Redactor

_MOST_SKEW = timedelta(minutes=2)
_NO_TIME = timedelta()

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.clearml.transport import ReadTransport
    from reconciler.commands.connection import Target
    from reconciler.commands.declaration_loading import LoadedDeclaration
    from reconciler.commands.session import Session
    from reconciler.model.desired import Desired
    from reconciler.model.live import Live
    from reconciler.plan.changes import Change
    from reconciler.plan.fingerprints import DigestKey
    from reconciler.vaults.parse import DocumentParser


def terms_of(declared: LoadedDeclaration, target: Target, parser: DocumentParser) -> Terms:
    """Return what a comparison is made with; the server's time comes with the workspace."""
    return Terms(
        declaration=declared.shown,
        server=target.name,
        parser=parser,
        key=target.key,
    )


async def compare(session: Session, transport: ReadTransport, desired: Desired, terms: Terms) -> Prepared:
    """Read the live workspace and compare the declaration with it."""
    with session.reporter.step("Reading the workspace"):
        live = await read_wanted(Reader(transport), _wanted(desired))
        now = server_time(session, transport, live)
        prepared = make_plan(desired, live, replace(terms, now=now))
        return prepared if terms.reveal else _masked(prepared, desired, terms.key)


def server_time(session: Session, transport: ReadTransport, live: Live) -> datetime | None:
    """Return what time it is on the server, after the workspace was read.

    Where that is not certain, no credential is due and none has expired, which is said; a local clock that differs
    only causes a warning.
    """
    now = transport.server_time()
    if now is None:
        if any(facts.expires is not None for facts in live.credentials.values()):
            session.reporter.warning(
                "The server's time is unknown (its answers have no date, or its clock jumped): "
                "no credential counts as due or expired in this run."
            )
        return None
    ahead = session.world.clock.now() - now
    if abs(ahead) > _MOST_SKEW:
        side = "ahead of" if ahead > _NO_TIME else "behind"
        session.reporter.warning(
            f"The clock of this machine is {_rounded(abs(ahead))} {side} the server's, and the server's time is used."
        )
    return now


def _rounded(ahead: timedelta) -> str:
    """Return a difference in the largest unit that it has two of."""
    for unit in (timedelta(days=1), timedelta(hours=1)):
        if ahead >= 2 * unit:
            return duration(ahead // unit * unit)
    return duration(ahead)


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
