"""``apply``: carry out a saved plan, or one that is made now and agreed to.

:func:`apply_changes` does it in one go. Whoever wants to show the plan and ask first goes step by step::

    async with open_apply(session, request) as opened:
        proposal = await propose(opened)
        ...  # show proposal.plan
        proposal = await propose_again(opened, proposal)  # after a while: is it still the same?
        result = await carry_out(opened, proposal)
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.apply.delivery import Deliveries
from reconciler.apply.execute import check_deliveries, check_states, execute
from reconciler.apply.run import Run, chosen_ids
from reconciler.apply.stale import check_nothing_missing, check_still_fits, is_carried_out
from reconciler.commands.comparing import compare, terms_of
from reconciler.commands.connection import Connection, Target
from reconciler.commands.declaration_loading import LoadedDeclaration, load_declared
from reconciler.commands.record_keeping import (
    Intent,
    Past,
    note_in_sync,
    read_past,
    recorded,
    run_entry,
    secrets_of,
    sight_of,
)
from reconciler.commands.saved_plan import SavedPlan, refuse_plan_as_declaration
from reconciler.commands.server import find_target, open_writer
from reconciler.errors import RefusedError, ServerError
from reconciler.frozen import Frozen
from reconciler.plan.make import Prepared, Terms, restricted
from reconciler.plan.operations import operations_of
from reconciler.plan.outcomes import Left, Report
from reconciler.record.origin import who_runs
from reconciler.vaults.parse import DocumentParser
from reconciler.views.sentences import refusal_remedy, refusal_sentence

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Sequence

    from reconciler.clearml.transport import Transport
    from reconciler.commands.session import Session
    from reconciler.model.delivery import Delivery
    from reconciler.model.secret import Secret
    from reconciler.plan.allowance import Allowance
    from reconciler.plan.changes import Change
    from reconciler.plan.document import Plan
    from reconciler.plan.outcomes import Result
    from reconciler.record.recorder import Recorder, Unrecorded


class ApplyRequest(Frozen):
    """What to apply: a declaration, or (``plan``) a saved plan that was made from it. The rest is as for a plan."""

    file: Path = Path("workspace.yaml")
    plan: Path | None = None
    connection: Connection = Connection()
    allowed: frozenset[Allowance] = frozenset()
    exact_documents: bool = False
    record: str | None = None


class OpenApply(Frozen):
    """What an apply has open: both sides, how they are compared, and a connection that can write.

    ``saved`` is the plan that was reviewed, if there is one.
    """

    session: Session
    request: ApplyRequest
    declared: LoadedDeclaration
    target: Target
    terms: Terms
    transport: Transport
    saved: Plan | None


class Proposal(Frozen):
    """A plan, and what it was made from at one moment. ``carried_out``: nothing is left to do of the saved plan."""

    plan: Plan
    prepared: Prepared
    past: Past
    carried_out: bool = False


class ApplyResult(Frozen):
    """What came of an apply.

    ``report`` is ``None`` if nothing was to be done. ``recorded`` is whether the record could be kept meanwhile.
    """

    plan: Plan
    report: Report | None
    left: Left
    recorded: bool = True


@asynccontextmanager
async def open_apply(session: Session, request: ApplyRequest) -> AsyncIterator[OpenApply]:
    """Read the files and open a connection that can write; nothing is written before :func:`carry_out`.

    Raises :class:`reconciler.errors.PlanFileError`, :class:`reconciler.errors.InvalidDeclarationError`,
    :class:`reconciler.errors.SecretUnavailableError`, :class:`reconciler.errors.UsageError` and
    :class:`reconciler.errors.SignInError`.
    """
    refuse_plan_as_declaration(session.folder, request.file)
    named = None if request.plan is None else SavedPlan.read(session.folder, request.plan, request.file)
    saved = named.plan if named is not None else None
    with DocumentParser() as parser:
        declared = load_declared(session, request.file, parser)
        target = find_target(session, request.connection, declared.server)
        if named is not None:
            named.check(target.name, target.key)
        terms = replace(
            terms_of(declared, target, parser),
            allowed=request.allowed,
            exact_documents=request.exact_documents or (saved is not None and saved.exact_documents),
        )
        async with open_writer(session, target, request.connection) as transport:
            yield OpenApply(session, request, declared, target, terms, transport, saved)


async def apply_changes(session: Session, request: ApplyRequest) -> ApplyResult:
    """Apply in one go, without asking anybody.

    Raises what :func:`open_apply`, :func:`propose` and :func:`carry_out` raise.
    """
    async with open_apply(session, request) as opened:
        return await carry_out(opened, await propose(opened))


async def propose(opened: OpenApply) -> Proposal:
    """Make the plan that is to be carried out; of a saved one, see whether it still fits.

    Raises :class:`reconciler.errors.StalePlanError` and :class:`reconciler.errors.ServerError`.
    """
    past, prepared = await _looked(opened)
    saved, carried_out, plan = opened.saved, False, prepared.plan
    if saved is not None:
        carried_out = is_carried_out(saved, plan)
        check = check_nothing_missing if carried_out else check_still_fits
        check(saved, plan)
        plan = _restricted(opened, prepared, saved)
    return Proposal(plan, prepared, past, carried_out)


async def propose_again(opened: OpenApply, agreed: Proposal) -> Proposal:
    """Read everything once more after somebody has agreed, which may have taken a while.

    Raises :class:`reconciler.errors.StalePlanError` if something has moved.
    """
    past, prepared = await _looked(opened)
    check_still_fits(agreed.plan, prepared.plan)
    return Proposal(_restricted(opened, prepared, agreed.plan), prepared, past)


def check_proposal(proposal: Proposal) -> None:
    """Make sure that a plan may be carried out.

    Raises :class:`RefusedError` if a guard refuses it, and :class:`reconciler.errors.RecordError` for a record that
    cannot be read or trusted, if there is something to do.
    """
    plan = proposal.plan
    if plan.refused:
        sentences = "".join(
            f"\n  {refusal_sentence(refusal)}   ({refusal_remedy(refusal)})" for refusal in plan.refused
        )
        raise RefusedError(f"refused by a guard; nothing was changed:{sentences}")
    if proposal.past.trouble is not None and not plan.is_empty:
        raise proposal.past.trouble


async def carry_out(opened: OpenApply, proposal: Proposal) -> ApplyResult:
    """Carry the plan out behind the lock and read the workspace once more.

    Raises what :func:`check_proposal` raises, :class:`RefusedError` if a state on the way could do harm or a secret key
    could not be delivered, :class:`reconciler.errors.LockedError` and :class:`reconciler.errors.StalePlanError`, all
    before the first write.
    """
    check_proposal(proposal)
    session, plan = opened.session, proposal.plan
    if plan.is_empty:
        sight = sight_of(session, opened.declared, proposal.prepared, opened.terms)
        who = who_runs(proposal.prepared.live.caller, session.environment)
        await note_in_sync(session, proposal.past, sight, who)
        return ApplyResult(plan, None, Left())
    run = _run(opened, proposal)
    check_deliveries(run, plan.changes)
    check_states(run, plan.changes)
    operations = operations_of(plan.changes)
    entry = await run_entry(session, opened.declared, plan, proposal.prepared.live)
    secrets = tuple(secrets_of(opened.declared, opened.target))
    with session.asked_to_stop() as stop:
        async with recorded(session, proposal.past, entry, Intent(operations, run.chosen), secrets) as recorder:
            async with recorder.watching(stop):
                report = await _executed(opened, run, plan.changes, stop, recorder)
            after = await _read_again(opened, proposal.past)
            seen = None if after is None else sight_of(session, opened.declared, after, opened.terms, report)
            await recorder.finish(report, seen)
    left = Left.of(plan, None if after is None else after.plan)
    return ApplyResult(plan, report, left, recorded=not recorder.troubled)


async def _looked(opened: OpenApply) -> tuple[Past, Prepared]:
    """Read the record, before the workspace is, and compare."""
    past = await read_past(opened.session, opened.request.record, opened.declared, opened.target)
    return past, await _compared(opened, past)


async def _compared(opened: OpenApply, past: Past) -> Prepared:
    terms = replace(
        opened.terms,
        identities=past.identities,
        applied=past.documents(opened.terms.key),
        acted=past.acted(opened.terms.key),
    )
    return await compare(opened.session, opened.transport, opened.declared.desired, terms)


def _restricted(opened: OpenApply, prepared: Prepared, reviewed: Plan) -> Plan:
    return restricted(prepared, reviewed, opened.declared.desired, opened.terms)


def _run(opened: OpenApply, proposal: Proposal) -> Run:
    session = opened.session
    files = Deliveries(opened.declared.folder, opened.target.client_server, session.environment, session.world)
    deliveries = _KnownDeliveries(session, files)
    chosen = chosen_ids(proposal.plan.changes, proposal.past.open_ids, session.world.chance)
    return Run.begin(opened.transport, proposal.prepared, opened.terms.parser, deliveries, chosen)


class _KnownDeliveries(Frozen):
    """Deliveries whose secret keys are known before they leave the event loop, so that they are masked everywhere."""

    session: Session
    deliveries: Deliveries

    def check(self, delivery: Delivery) -> None:
        self.deliveries.check(delivery)

    async def deliver(self, delivery: Delivery, access_key: str, secret_key: Secret) -> None:
        self.session.secrets.add(secret_key)
        await self.deliveries.deliver(delivery, access_key, secret_key)


async def _executed(
    opened: OpenApply, run: Run, changes: Sequence[Change], stop: asyncio.Event, recorder: Recorder | Unrecorded
) -> Report:
    """Carry the changes out; each result is written down and shown as it comes."""
    reporter, operations = opened.session.reporter, operations_of(changes)
    results: list[Result] = []
    with reporter.operations(len(operations)):
        async for result in execute(run, changes, concurrency=opened.request.connection.concurrency, stop=stop):
            results.append(result)
            recorder.ended(result)
            reporter.operation(result)
    return Report.of(results, operations, interrupted=stop.is_set())


async def _read_again(opened: OpenApply, past: Past) -> Prepared | None:
    """Read once more, to see which changes remain; ``None`` if that is not possible."""
    try:
        return await _compared(opened, past)
    except ServerError as error:
        opened.session.reporter.note(f"The workspace could not be read again: {error.message}")
        return None
