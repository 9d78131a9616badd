"""``plan``: what an apply would change. Its connection cannot write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.commands.comparing import compare, terms_of
from reconciler.commands.connection import Connection
from reconciler.commands.declaration_loading import SecretUse, load_declared
from reconciler.commands.record_keeping import read_past_for_comparison
from reconciler.commands.server import find_target, open_reader
from reconciler.frozen import Frozen
from reconciler.vaults.parse import DocumentParser

if TYPE_CHECKING:
    from reconciler.commands.session import Session
    from reconciler.plan.allowance import Allowance
    from reconciler.plan.document import Plan


class PlanRequest(Frozen):
    """What to compare, and how.

    ``allowed`` are the guards that are lifted on purpose. ``exact_documents`` makes a different text of the same
    meaning a change. ``record`` is where the record is (a path, a URL, or ``none``; by default beside the declaration).
    ``without_secrets`` reads no secret; such a plan cannot be applied. ``reveal`` leaves the values of documents in the
    plan, secrets too.
    """

    file: Path = Path("workspace.yaml")
    connection: Connection = Connection()
    allowed: frozenset[Allowance] = frozenset()
    exact_documents: bool = False
    record: str | None = None
    without_secrets: bool = False
    reveal: bool = False


class PlanResult(Frozen):
    """The plan."""

    plan: Plan


async def plan_changes(session: Session, request: PlanRequest) -> PlanResult:
    """Compare a declaration with the live workspace.

    What guards refuse is in the plan. Raises :class:`reconciler.errors.InvalidDeclarationError`,
    :class:`reconciler.errors.SecretUnavailableError`, :class:`reconciler.errors.UsageError` and
    :class:`reconciler.errors.ServerError`.
    """
    with DocumentParser() as parser:
        use = SecretUse.NONE if request.without_secrets else SecretUse.NEEDED
        declared = load_declared(session, request.file, parser, use)
        target = find_target(session, request.connection, declared.server)
        past = await read_past_for_comparison(session, request.record, declared, target)
        terms = replace(
            terms_of(declared, target, parser),
            allowed=request.allowed,
            exact_documents=request.exact_documents,
            identities=past.identities,
            applied=past.documents(target.key),
            acted=past.acted(target.key),
            reveal=request.reveal,
        )
        async with open_reader(session, target, request.connection) as transport:
            prepared = await compare(session, transport, declared.desired, terms)
    return PlanResult(prepared.plan)
