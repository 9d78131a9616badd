"""How a record grows: pure functions from a record to the next one.

Each can be applied again to a record that somebody else has written to in the meantime, which is what makes
conditional writes work: read, apply, write if unchanged, else once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.frozen import Frozen
from reconciler.model.desired import Management
from reconciler.model.resources import Kind
from reconciler.plan.changes import Action
from reconciler.record.fingerprint import applied

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime

    from reconciler.model.desired import Scope
    from reconciler.model.live import Live
    from reconciler.model.resources import Address
    from reconciler.plan.changes import Change
    from reconciler.plan.fingerprints import DigestKey
    from reconciler.record.document import Applied, Record, RunEntry, Told
    from reconciler.record.fingerprint import DeclaredDigests

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


def _nothing(_: Address) -> DeclaredDigests | None:
    return None


class Sight(Frozen):
    """What a reading of the whole workspace showed, compared with the declaration.

    ``declared`` are the addresses that the declaration names, ``remaining`` the changes that are still needed, and
    ``touched`` the addresses that this run carried operations out on. ``wanted`` tells what the declaration says of a
    resource, and ``managed`` what it speaks for, where that is known.
    """

    live: Live
    declared: Collection[Address]
    remaining: Collection[Change]
    touched: Collection[Address]
    key: DigestKey
    seen: datetime
    wanted: Callable[[Address], DeclaredDigests | None] = _nothing
    managed: tuple[str, ...] = ()


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
    for address in {*sight.declared, *to_remove}:
        before = known.get(address)
        if before is not None and before.seen > sight.seen:
            found[address] = before
        elif address in sight.live.snapshot and (address not in differing or address in sight.touched):
            # What was touched and still differs is not what was declared.
            found[address] = _seen(address, before, sight, None if address in differing else sight.wanted(address))
        elif before is not None:
            found[address] = before
    ordered = tuple(found[address] for address in sorted(found))
    managed = sight.managed or record.managed
    same = ordered == record.resources and managed == record.managed
    return record if same else replace(record, resources=ordered, managed=managed)


def _seen(address: Address, before: Applied | None, sight: Sight, declared: DeclaredDigests | None) -> Applied:
    resource = sight.live.snapshot.resources[address]
    now = applied(resource, sight.live.ids.get(address), sight.key, sight.seen, declared)
    same = before is not None and before == replace(now, seen=before.seen)
    return before if same and before is not None else now


def with_told(record: Record, told: Iterable[Told]) -> Record:
    """Return the record with all drift that people know of by now, in place of what they knew before."""
    ordered = tuple(sorted(told, key=lambda item: item.address))
    return record if ordered == record.told else replace(record, told=ordered)
