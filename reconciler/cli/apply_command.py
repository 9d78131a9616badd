"""``reconciler apply``: carry out a saved plan, or make one and ask."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from reconciler.apply.delivery import Deliveries
from reconciler.apply.execute import check_deliveries, execute
from reconciler.apply.run import Run
from reconciler.apply.stale import check_still_fits, is_carried_out
from reconciler.cli.declared import Declared, load_declared
from reconciler.cli.interrupt import answering, stopping_on_signals
from reconciler.cli.options import allow_option, connection_options, exact_option, format_option
from reconciler.cli.planning import prepare, terms_for
from reconciler.cli.progress import operations_bar, working
from reconciler.cli.record_places import record_option
from reconciler.cli.recording import Recording
from reconciler.cli.saved_plan import read_target_file
from reconciler.cli.session import Target, find_target, open_writer
from reconciler.errors import ExitCode, RefusedError, UsageError
from reconciler.frozen import Frozen
from reconciler.plan.make import restricted
from reconciler.plan.operations import operations_of
from reconciler.plan.outcomes import Left
from reconciler.vaults.parse import DocumentParser
from reconciler.views.outcome import outcome_json, render_outcome
from reconciler.views.plan_text import render_plan
from reconciler.views.sentences import refusal_remedy, refusal_sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.clearml.transport import Transport
    from reconciler.cli.console import Console
    from reconciler.cli.known_secrets import KnownSecrets
    from reconciler.cli.options import Connection
    from reconciler.model.delivery import Delivery
    from reconciler.model.secret import Secret
    from reconciler.plan.changes import Change
    from reconciler.plan.document import Plan
    from reconciler.plan.make import Prepared, Terms
    from reconciler.plan.outcomes import Report


@click.command("apply")
@click.option("--yes", is_flag=True, help="Do not ask; for CI.")
@allow_option
@exact_option
@format_option
@record_option
@connection_options
@click.argument("target", metavar="[PLAN|FILE]", type=click.Path(path_type=Path), default=Path("workspace.yaml"))
@click.pass_obj
def command(
    console: Console,
    target: Path,
    *,
    connection: Connection,
    yes: bool,
    allowed: tuple[str, ...],
    exact_documents: bool,
    output_format: str,
    record: str | None,
) -> int:
    """Carry out PLAN, saved by plan --out, if it still fits; or make a plan from FILE (workspace.yaml) and ask.

    Nothing is written without a plan that was shown or saved, and nothing if a guard refuses it.
    """
    if not yes and not console.interactive:
        raise UsageError("there is no terminal to ask in", hint="--yes applies without asking")
    saved, file = read_target_file(target)
    with DocumentParser() as parser:
        declared = load_declared(file, parser, console)
        connected = find_target(connection, declared.server)
        exact = exact_documents or (saved is not None and saved.exact_documents)
        terms = terms_for(console, declared, connected, parser, allowed=allowed, exact_documents=exact)
        job = _Job(
            console, connection, declared, connected, terms, Recording.at(record, console, declared, connected, parser)
        )
        return asyncio.run(job.carry_out(saved, ask=not yes, output_format=output_format))


class _NotedDeliveries(Deliveries):
    """Deliveries whose secret keys are known, so that they are masked wherever else they come up."""

    known: KnownSecrets

    async def deliver(self, delivery: Delivery, access_key: str, secret_key: Secret) -> None:
        self.known.add(secret_key)
        await Deliveries.deliver(self, delivery, access_key, secret_key)


class _Job(Frozen):
    console: Console
    connection: Connection
    declared: Declared
    target: Target
    terms: Terms
    recording: Recording

    async def carry_out(self, saved: Plan | None, *, ask: bool, output_format: str) -> int:
        async with open_writer(self.target, self.connection, self.console) as transport:
            await self.recording.look()
            prepared = await self._prepare(transport)
            plan = prepared.plan
            if saved is not None and is_carried_out(saved, plan):
                self.console.note("This plan is carried out already: nothing of it is left to do.")
                plan = self._restricted(prepared, saved)
            elif saved is not None:
                check_still_fits(saved, plan)
                plan = self._restricted(prepared, saved)
            text = output_format == "text"
            if text or ask:
                show = self.console.result if text else self.console.note
                show(render_plan(plan, self.console.output))
            _refuse(plan)
            if plan.is_empty:
                await self.recording.note_in_sync(prepared)
                if not text:
                    self.console.result(outcome_json(plan, None, Left()))
                return ExitCode.DONE
            self.recording.check()
            if ask:
                with answering():
                    agreed = click.confirm("Carry this out?", default=False, err=True)
                if not agreed:
                    self.console.note("Nothing was changed.")
                    return ExitCode.INTERRUPTED
                await self.recording.look()
                prepared = await self._prepare(transport)
                check_still_fits(plan, prepared.plan)
                plan = self._restricted(prepared, plan)
                _refuse(plan)
            report, left, code = await self._execute(transport, prepared, plan)
            self.console.result(
                render_outcome(report, left, self.console.output) if text else outcome_json(plan, report, left)
            )
            return code

    @property
    def _terms(self) -> Terms:
        return replace(self.terms, identities=self.recording.identities)

    async def _prepare(self, transport: Transport) -> Prepared:
        with working(self.console, "Reading the workspace"):
            return await prepare(transport, self.declared, self._terms)

    def _restricted(self, prepared: Prepared, reviewed: Plan) -> Plan:
        return restricted(prepared, reviewed, self.declared.desired, self.terms)

    async def _execute(self, transport: Transport, prepared: Prepared, plan: Plan) -> tuple[Report, Left, ExitCode]:
        """Rehearse, then carry the plan out behind the lock and read the workspace once more."""
        deliveries = _NotedDeliveries(self.declared.declaration.folder, self.target.client_server, self.console.secrets)
        run = Run.begin(transport, prepared, self.terms.parser, deliveries)
        check_deliveries(run, plan.changes)
        await self._rehearse(prepared, plan.changes)
        operations = operations_of(plan.changes)
        with stopping_on_signals(self.console) as stop:
            async with self.recording.run(plan, prepared.live, operations) as recorder:
                with operations_bar(self.console, len(operations)) as show:
                    async with recorder.watching(stop):
                        report = await execute(
                            run,
                            plan.changes,
                            concurrency=self.connection.concurrency,
                            stop=stop,
                            listener=recorder.listening(show),
                        )
                if report.listener_error is not None:
                    self.console.note(f"Progress could not be shown: {report.listener_error}")
                after = await self._read_again(transport)
                await self.recording.finish(recorder, report, after)
        left = Left.of(plan, None if after is None else after.plan)
        code = _exit_code(report, left)
        return report, left, ExitCode.PARTLY_DONE if recorder.troubled else code

    async def _rehearse(self, prepared: Prepared, changes: Sequence[Change]) -> None:
        from reconciler.rehearsal.rehearse import rehearse

        with working(self.console, "Rehearsing on a copy"):
            await rehearse(prepared, changes, self.declared.desired, self.terms)

    async def _read_again(self, transport: Transport) -> Prepared | None:
        """Read once more, to see which changes remain; ``None`` if nobody can tell."""
        from reconciler.errors import ServerError

        try:
            return await self._prepare(transport)
        except ServerError as error:
            self.console.note(f"The workspace could not be read again: {error.message}")
            return None


def _refuse(plan: Plan) -> None:
    if plan.refused:
        sentences = "".join(
            f"\n  {refusal_sentence(refusal)}   ({refusal_remedy(refusal)})" for refusal in plan.refused
        )
        raise RefusedError(f"refused by a guard; nothing was changed:{sentences}")


def _exit_code(report: Report, left: Left) -> ExitCode:
    if report.interrupted and not report.has_failures:
        return ExitCode.INTERRUPTED
    return ExitCode.DONE if report.is_complete and left.planned == 0 else ExitCode.PARTLY_DONE
