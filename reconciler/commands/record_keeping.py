"""What commands do with the record of a workspace: read it, and in an apply hold its lock and write it meanwhile."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.commands.record_places import Places, places_for, workspace_of
from reconciler.errors import LockedError, RecordError
from reconciler.frozen import Frozen
from reconciler.plan.documents import DocumentComparison
from reconciler.plan.outcomes import Outcome
from reconciler.record.document import Record, RunEntry, SealedActing
from reconciler.record.fingerprint import RememberedDocument
from reconciler.record.known import known_identities
from reconciler.record.lock import HeldLock, Lock, read_lock
from reconciler.record.merge import Sight, spoken_for, with_open_ends_settled, with_sight
from reconciler.record.origin import commit_of, who_runs
from reconciler.record.recorder import Recorder, Unrecorded
from reconciler.record.store import RecordStore
from reconciler.vaults.redactor import Redactor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence

    from reconciler.commands.connection import Target
    from reconciler.commands.declaration_loading import LoadedDeclaration
    from reconciler.commands.session import Session
    from reconciler.model.acting import Acting
    from reconciler.model.live import Live
    from reconciler.model.resources import Address
    from reconciler.model.secret import Secret
    from reconciler.plan.document import Plan
    from reconciler.plan.fingerprints import DigestKey
    from reconciler.plan.make import Prepared, Terms
    from reconciler.plan.operations import Operation
    from reconciler.plan.order import Identity
    from reconciler.plan.outcomes import Report
    from reconciler.record.document import Who
    from reconciler.vaults.origin import Remembered
    from reconciler.world import World


class Intent(Frozen):
    """What a run is about to do: its operations, and the ids chosen for what it creates."""

    operations: Sequence[Operation]
    chosen: Mapping[Identity, str]


class Past(Frozen):
    """What is known of past runs at one moment.

    Without ``places`` no record is wanted. ``record`` is ``None`` without one, and where it cannot be trusted;
    ``trouble`` then says why.
    """

    places: Places | None = None
    store: RecordStore | None = None
    record: Record | None = None
    trouble: RecordError | None = None

    @property
    def identities(self) -> Mapping[Address, str]:
        """The server ids that the record knows; none without a record that can be trusted."""
        return {} if self.record is None else known_identities(self.record)

    @property
    def open_ids(self) -> Mapping[Address, str]:
        """The ids under which earlier runs began to create what they do not know the end of."""
        creations = () if self.record is None else self.record.creations
        return {creation.address: creation.server_id for creation in creations if creation.server_id is not None}

    def documents(self, key: DigestKey) -> dict[Address, Remembered]:
        """Return what the record knows of vaults' documents as they were applied, with this key."""
        resources = () if self.record is None else self.record.resources
        return {
            item.address: RememberedDocument(item.document, key)
            for item in resources
            if item.document is not None and item.document.key_id == key.key_id
        }

    def acted(self, key: DigestKey) -> Acting | None:
        """Return what acted when the declaration was last applied; ``None`` where no record with this key says so."""
        sealed = self.record.acting if self.record is not None else None
        return None if sealed is None else sealed.opened(key)

    @property
    def latest_run(self) -> str | None:
        """The id of the newest run."""
        return self.record.runs[0].id if self.record is not None and self.record.runs else None


async def read_past(session: Session, where: str | None, declared: LoadedDeclaration, target: Target) -> Past:
    """Read the record; what is wrong with it is for the caller to judge.

    Raises :class:`reconciler.errors.UsageError` for a place that cannot be one.
    """
    workspace = workspace_of(declared, target)
    places = places_for(session, where, declared.folder, workspace)
    if places is None:
        return Past()
    store = RecordStore(places.record, workspace, session.world)
    try:
        return Past(places, store, await store.load())
    except RecordError as error:
        return Past(places, store, trouble=error)


async def read_past_for_comparison(
    session: Session, where: str | None, declared: LoadedDeclaration, target: Target
) -> Past:
    """Read the record for a command that only compares: what cannot be trusted is warned of, and not used."""
    past = await read_past(session, where, declared, target)
    if past.trouble is not None:
        session.reporter.warning(f"{past.trouble.message}; it is not used, so what was applied last is not known")
    return past


async def note_in_sync(session: Session, past: Past, sight: Sight, who: Who) -> None:
    """Keep what is applied where nothing was to be done; it costs nothing if it is known, and never fails a run.

    What a run left behind that was killed after its last write, its lock and its open end, is put right too.
    """
    if past.places is None or past.store is None:
        return
    try:
        if past.trouble is not None:
            raise past.trouble
        found = await past.places.lock.read()
        if read_lock(found) is None:
            await past.store.update(lambda record: with_open_ends_settled(with_sight(record, sight)))
        else:
            await _take_over(session, past.places, past.store, sight, who)
    except (RecordError, LockedError) as error:
        session.reporter.note(f"The record was left as it is: {error.message}")


async def _take_over(session: Session, places: Places, store: RecordStore, sight: Sight, who: Who) -> None:
    """Take over the lock of a run that is certainly gone, and give it back; else raise :class:`LockedError`."""
    world = session.world
    lock = Lock.of(store.workspace, _run_id(world), who, world)
    held = await HeldLock.take(places.lock, lock, world.machine, note=session.reporter.note)
    try:
        await store.update(lambda record: with_open_ends_settled(with_sight(record, sight)))
    finally:
        await held.release()


def _run_id(world: World) -> str:
    return f"{world.clock.now():%Y%m%dT%H%M%SZ}-{world.chance.token(3)}"


@asynccontextmanager
async def recorded(
    session: Session, past: Past, entry: RunEntry, intent: Intent, secrets: Collection[Secret]
) -> AsyncIterator[Recorder | Unrecorded]:
    """Hold the lock while the block lasts, after writing down what it is about to do.

    Raises :class:`reconciler.errors.LockedError`, :class:`reconciler.errors.StalePlanError` and
    :class:`RecordError`, all before the block.
    """
    if past.places is None or past.store is None:
        session.reporter.note("No record is kept, and so no lock: nothing keeps another apply from running meanwhile.")
        yield Unrecorded()
        return
    recorder = Recorder(
        store=past.store,
        lock_place=past.places.lock,
        run=entry,
        world=session.world,
        note=session.reporter.note,
        redactor=Redactor(secrets),
    )
    await recorder.begin(intent.operations, past.latest_run, intent.chosen)
    try:
        yield recorder
    finally:
        await recorder.release()


def sight_of(
    session: Session, declared: LoadedDeclaration, prepared: Prepared, terms: Terms, report: Report | None = None
) -> Sight:
    """Return what a reading of the workspace showed, after a run whose ``report`` there is, if there was one."""
    desired = declared.desired
    return Sight(
        live=prepared.live,
        declared=desired.snapshot,
        remaining=prepared.plan.changes,
        touched=_touched(report) if report is not None else frozenset(),
        documents=DocumentComparison(terms.parser, terms.key),
        seen=session.world.clock.now(),
        managed=spoken_for(desired.scope),
        acting=SealedActing.of(desired.acting, terms.key) if desired.acting is not None else None,
        uncertain=frozenset(item.address for item in prepared.plan.unreadable),
    )


async def run_entry(session: Session, declared: LoadedDeclaration, plan: Plan, live: Live) -> RunEntry:
    """Return what the record says of a run that is about to begin."""
    world = session.world
    now = world.clock.now()
    commit = await world.in_thread(commit_of, declared.folder, declared.files, session.environment, world.run_program)
    return RunEntry(
        id=_run_id(world),
        started=now,
        who=who_runs(live.caller, session.environment),
        commit=commit,
        plan=plan.digest,
        allowed=tuple(sorted({refusal.guard.value for refusal in plan.refusals if refusal.allowed})),
        tool=__version__,
        total=0,
    )


def secrets_of(declared: LoadedDeclaration, target: Target) -> Iterator[Secret]:
    """Iterate over the secrets that a run uses: none of them stands in its record."""
    for vault in declared.desired.snapshot.vaults.values():
        yield from (value for _, value in vault.document.secrets if value is not None)
    for secret in (target.settings.secret_key, target.settings.token):
        if secret is not None:
            yield secret


def _touched(report: Report) -> frozenset[Address]:
    return frozenset(
        result.operation.change.address for result in report.results if result.outcome is not Outcome.SKIPPED
    )
