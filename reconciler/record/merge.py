"""How a record grows: pure functions from a record to the next one.

Each can be applied again to a record that somebody else has written to in the meantime, which is what makes
conditional writes work: read, apply, write if unchanged, else once more.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.frozen import Frozen
from reconciler.model.desired import Management
from reconciler.model.resources import Kind, Vault
from reconciler.plan.changes import Action
from reconciler.record.fingerprint import applied, applied_document

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from reconciler.model.desired import Scope
    from reconciler.model.live import Live
    from reconciler.model.resources import Address, Resource
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.changes import Change
    from reconciler.plan.documents import DocumentComparison
    from reconciler.record.document import Applied, Creation, Record, Reported, RunEntry, SealedActing

KEPT_RUNS = 200
KEPT_OPERATIONS = 5000
"""Operations of all runs together; of older runs only the counts stay."""


def with_run(record: Record, run: RunEntry) -> Record:
    """Return the record with this run in it, in place of what it knew of the same run; the oldest runs fall out.

    Runs are kept in the order in which they came, which holds whatever the clocks of their machines say.
    """
    if any(item.id == run.id for item in record.runs):
        runs = [run if item.id == run.id else item for item in record.runs]
    else:
        runs = [run, *record.runs][:KEPT_RUNS]
    return replace(record, runs=tuple(_without_old_operations(runs)))


def _without_old_operations(runs: Iterable[RunEntry]) -> Iterable[RunEntry]:
    room = KEPT_OPERATIONS
    for position, run in enumerate(runs):
        # The newest run keeps its operations whatever their number: it may not have ended.
        fits = position == 0 or len(run.operations) <= room
        room = max(0, room - len(run.operations)) if fits else 0
        yield run if fits or not run.operations else replace(run, operations=())


class Sight(Frozen):
    """What a reading of the whole workspace showed, compared with the declaration.

    ``declared`` is what the declaration says, ``remaining`` are the changes that are still needed, and ``touched`` the
    addresses that this run carried operations out on. ``managed`` is what the declaration speaks for, and ``acting``
    what it makes act, where the run has applied that too.
    Of what is ``uncertain``, since it could not be read, the record keeps what it knew.
    """

    live: Live
    declared: Snapshot
    remaining: Collection[Change]
    touched: Collection[Address]
    documents: DocumentComparison
    seen: datetime
    managed: tuple[str, ...] = ()
    acting: SealedActing | None = None
    uncertain: Collection[Address] = ()


def spoken_for(scope: Scope) -> tuple[str, ...]:
    """Return what a declaration speaks for altogether: kinds, and single accounts' credentials and vaults."""
    whole = [kind.value for kind in Kind if scope.management(kind) is Management.ALL]
    credentials = [owned(Kind.CREDENTIAL, account) for account in scope.credentials_of]
    vaults = [owned(Kind.VAULT, account) for account in scope.vaults_of]
    return tuple(sorted((*whole, *credentials, *vaults)))


def owned(kind: Kind, account: str) -> str:
    """Return what stands for the credentials or vaults of one service account among what is spoken for."""
    return f"{kind.value} of {account}"


def with_sight(record: Record, sight: Sight) -> Record:
    """Return the record with what is applied by now.

    A resource counts as applied if it is as declared, or if this run has touched it; whatever else differs has been
    changed by somebody else, and keeps what was known of it. What is neither declared nor still to be removed is
    forgotten. A later sight is never replaced by an earlier one.
    """
    known = record.by_address()
    differing = {change.address for change in sight.remaining}
    to_remove = {change.address for change in sight.remaining if change.action is Action.DELETE}
    found: dict[Address, Applied] = {}
    for address in {*sight.declared.resources, *to_remove}:
        before = known.get(address)
        if address in sight.uncertain or (before is not None and before.seen > sight.seen):
            if before is not None:
                found[address] = before
        elif address in sight.live.snapshot and (address not in differing or address in sight.touched):
            # What was touched and still differs is not what was declared.
            found[address] = _seen(
                address, before, sight, None if address in differing else sight.declared.get(address)
            )
        elif before is not None:
            found[address] = before
    after = replace(
        record,
        resources=tuple(found[address] for address in sorted(found)),
        managed=sight.managed or record.managed,
        acting=sight.acting or record.acting,
    )
    return record if after == record else after


def with_open_ends_settled(record: Record) -> Record:
    """Return the record after a reading that found nothing left to do: what earlier runs left open is settled by it."""
    if not record.runs or record.runs[0].remaining is not None:
        return record
    count = sum(1 for _ in takewhile(lambda run: run.remaining is None, record.runs))
    settled = (replace(run, remaining=0) for run in record.runs[:count])
    return replace(record, runs=(*settled, *record.runs[count:]))


def _seen(address: Address, before: Applied | None, sight: Sight, declared: Resource | None) -> Applied:
    resource = sight.live.snapshot.resources[address]
    now = applied(resource, sight.live.ids.get(address), sight.seen, declared=declared)
    if isinstance(resource, Vault):
        wanted = declared if isinstance(declared, Vault) else None
        known = before.document if before is not None else None
        now = replace(now, document=applied_document(resource, wanted, sight.documents, known))
    same = before is not None and before == replace(now, seen=before.seen)
    return before if same and before is not None else now


def with_creations(record: Record, begun: Iterable[Creation]) -> Record:
    """Return the record with creations that are about to begin, beside those whose end is not known yet."""
    begun = tuple(begun)
    fresh = {(item.run, item.address) for item in begun}
    others = (item for item in record.creations if (item.run, item.address) not in fresh)
    creations = tuple(sorted((*others, *begun), key=lambda item: (item.address, item.begun, item.run)))
    return record if creations == record.creations else replace(record, creations=creations)


def without_creations(record: Record, ended: Collection[Address], run: str | None = None) -> Record:
    """Return the record without creations whose end is known: those of one run, or of all."""
    creations = tuple(
        item for item in record.creations if item.address not in ended or (run is not None and item.run != run)
    )
    return record if creations == record.creations else replace(record, creations=creations)


def with_reported(record: Record, told: Iterable[Reported]) -> Record:
    """Return the record with all drift that people know of by now, in place of what they knew before."""
    ordered = tuple(sorted(told, key=lambda item: item.address))
    return record if ordered == record.reported else replace(record, reported=ordered)
