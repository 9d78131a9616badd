"""What ``apply`` does with the record: look before, hold the lock and write meanwhile, tell what went wrong."""

from __future__ import annotations

import os
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.cli.record_places import Places, places_for, workspace_of
from reconciler.errors import RecordError
from reconciler.plan.documents import DocumentComparison
from reconciler.plan.outcomes import Outcome
from reconciler.record.document import Record, RunEntry, Workspace
from reconciler.record.fingerprint import declared_at
from reconciler.record.known import known_identities
from reconciler.record.lock import read_lock
from reconciler.record.merge import Sight, spoken_for, with_sight
from reconciler.record.origin import commit_of, who_runs
from reconciler.record.recorder import Recorder, Unrecorded
from reconciler.record.store import RecordStore
from reconciler.vaults.redactor import Redactor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence

    from reconciler.cli.console import Console
    from reconciler.cli.declared import Declared
    from reconciler.cli.session import Target
    from reconciler.model.live import Live
    from reconciler.model.resources import Address
    from reconciler.model.secret import Secret
    from reconciler.plan.document import Plan
    from reconciler.plan.make import Prepared
    from reconciler.plan.operations import Operation
    from reconciler.plan.outcomes import Report
    from reconciler.vaults.parse import DocumentParser


@dataclass(slots=True)
class Recording:
    """The record of one workspace, as one apply uses it; without places it does nothing."""

    console: Console
    declared: Declared
    target: Target
    places: Places | None
    workspace: Workspace
    parser: DocumentParser
    _known: Record | None = None
    _error: RecordError | None = field(default=None)

    @staticmethod
    def at(
        where: str | None, console: Console, declared: Declared, target: Target, parser: DocumentParser
    ) -> Recording:
        """Choose the places. Raises :class:`reconciler.errors.UsageError`."""
        workspace = workspace_of(declared.declaration, target)
        places = places_for(where, declared.declaration.folder, workspace)
        return Recording(console, declared, target, places, workspace, parser)

    @property
    def identities(self) -> Mapping[Address, str]:
        """The server ids that the record knows; none without a record that can be trusted."""
        return {} if self._known is None else known_identities(self._known)

    async def look(self) -> None:
        """Read the record, before the workspace is; what is wrong with it matters only if there is something to do."""
        if self.places is not None:
            try:
                self._known = await self._store(self.places).load()
            except RecordError as error:
                self._error = error

    def check(self) -> None:
        """Raise the :class:`RecordError` that looking has met, if any."""
        if self._error is not None:
            raise self._error

    async def note_in_sync(self, prepared: Prepared) -> None:
        """Keep what is applied where nothing was to be done; it costs nothing if it is known, and never fails a run."""
        if self.places is None:
            return
        try:
            self.check()
            if read_lock(await self.places.lock.read()) is None:
                sight = self._sight(prepared, ())
                await self._store(self.places).update(lambda record: with_sight(record, sight))
        except RecordError as error:
            self.console.note(f"The record was left as it is: {error.message}")

    @asynccontextmanager
    async def run(
        self, plan: Plan, live: Live, operations: Sequence[Operation]
    ) -> AsyncIterator[Recorder | Unrecorded]:
        """Hold the lock while the block lasts, after writing down what it is about to do.

        Raises :class:`reconciler.errors.LockedError`, :class:`reconciler.errors.StalePlanError` and
        :class:`RecordError`, all before the block.
        """
        if self.places is None:
            yield Unrecorded()
            return
        recorder = Recorder(
            store=self._store(self.places),
            lock_place=self.places.lock,
            run=self._entry(plan, live),
            now=self.console.edges.now,
            tell=self.console.note,
            redactor=Redactor(self._secrets()),
        )
        latest = self._known.runs[0].id if self._known is not None and self._known.runs else None
        await recorder.begin(operations, latest)
        try:
            yield recorder
        finally:
            await recorder.release()

    async def finish(self, recorder: Recorder | Unrecorded, report: Report, after: Prepared | None) -> None:
        """Write down how a run ended; ``after`` is what a last reading found, if there was one."""
        await recorder.finish(report, None if after is None else self._sight(after, _touched(report)))

    def _store(self, places: Places) -> RecordStore:
        return RecordStore(places.record, self.workspace)

    def _sight(self, prepared: Prepared, touched: Collection[Address]) -> Sight:
        desired = self.declared.desired
        documents = DocumentComparison(self.parser, self.target.key)
        return Sight(
            live=prepared.live,
            declared=frozenset(desired.snapshot.resources),
            remaining=prepared.plan.changes,
            touched=frozenset(touched),
            key=self.target.key,
            seen=self.console.edges.now(),
            wanted=lambda address: declared_at(address, desired.snapshot, documents),
            managed=spoken_for(desired.scope),
        )

    def _entry(self, plan: Plan, live: Live) -> RunEntry:
        now = self.console.edges.now()
        declaration = self.declared.declaration
        files = [Path(file).absolute() for file in declaration.files]
        return RunEntry(
            id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
            started=now,
            who=who_runs(live.caller, os.environ),
            commit=commit_of(declaration.folder.absolute(), files, os.environ),
            plan=plan.digest,
            allowed=tuple(sorted({refusal.guard.value for refusal in plan.refusals if refusal.allowed})),
            tool=__version__,
            total=0,
        )

    def _secrets(self) -> Iterator[Secret]:
        for vault in self.declared.desired.snapshot.vaults.values():
            yield from (value for _, value in vault.document.secrets if value is not None)
        for secret in (self.target.settings.secret_key, self.target.settings.token):
            if secret is not None:
                yield secret


def _touched(report: Report) -> frozenset[Address]:
    return frozenset(
        result.operation.change.address for result in report.results if result.outcome is not Outcome.SKIPPED
    )
