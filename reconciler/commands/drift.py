"""``drift``: whether the workspace is what the declaration says, and which side moved. Its connection cannot write."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.clearml.reader import Reader
from reconciler.commands.comparing import compare, terms_of
from reconciler.commands.connection import Connection
from reconciler.commands.declaration_loading import SecretUse, load_declared
from reconciler.commands.drift_explaining import drift_of, explained, with_attention
from reconciler.commands.record_keeping import Past, read_past_for_comparison
from reconciler.commands.server import find_target, open_reader
from reconciler.drift.attention import Limits
from reconciler.frozen import Frozen
from reconciler.vaults.parse import DocumentParser

if TYPE_CHECKING:
    from reconciler.commands.session import Session
    from reconciler.drift.report import Drift
    from reconciler.plan.document import Plan

USUAL_LIMITS = Limits(
    expiring_within=timedelta(days=14),
    unused_for=timedelta(days=90),
    pending_for=timedelta(days=14),
    inactive_for=timedelta(days=180),
)


class DriftRequest(Frozen):
    """What to compare; ``limits`` say what deserves attention. The rest is as for a plan."""

    file: Path = Path("workspace.yaml")
    connection: Connection = Connection()
    limits: Limits = USUAL_LIMITS
    record: str | None = None
    without_secrets: bool = False
    exact_documents: bool = False


class DriftResult(Frozen):
    """The drift, the plan that would undo it, the record that it was judged by, and how long that took."""

    plan: Plan
    drift: Drift
    past: Past
    seconds: float


async def check_drift(session: Session, request: DriftRequest) -> DriftResult:
    """Compare the live workspace with a declaration and with what was last applied.

    What only explains is asked for last, and its refusal is a note. Raises what
    :func:`reconciler.commands.plan.plan_changes` raises.
    """
    started = session.world.clock.monotonic()
    with DocumentParser() as parser:
        use = SecretUse.NONE if request.without_secrets else SecretUse.NEEDED
        declared = load_declared(session, request.file, parser, use)
        target = find_target(session, request.connection, declared.server)
        past = await read_past_for_comparison(session, request.record, declared, target)
        terms = replace(
            terms_of(declared, target, parser),
            exact_documents=request.exact_documents,
            identities=past.identities,
            applied=past.documents(target.key),
        )
        async with open_reader(session, target, request.connection) as transport:
            prepared = await compare(session, transport, declared.desired, terms)
            drift = drift_of(prepared, declared.desired, terms, past)
            with session.reporter.step("Reading the workspace"):
                reader = Reader(transport)
                drift = await explained(reader, drift, prepared.live, declared.desired.snapshot, past, session.reporter)
                drift = await with_attention(reader, drift, prepared, request.limits, session.reporter)
    return DriftResult(prepared.plan, drift, past, session.world.clock.monotonic() - started)
