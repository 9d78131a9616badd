"""``access``: who has what and why. Its connection, if it needs one, cannot write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.commands.connection import Connection
from reconciler.commands.declaration_loading import LoadedDeclaration, SecretUse, load_declared
from reconciler.effective.reach import find_principal
from reconciler.frozen import Frozen
from reconciler.model.desired import Management
from reconciler.model.resources import Kind
from reconciler.model.text import fold
from reconciler.plan.access_facts import AccessReport
from reconciler.plan.access_names import find_entity, found_entity
from reconciler.plan.access_report import AccessBook
from reconciler.plan.impact.content import counting
from reconciler.vaults.parse import DocumentParser

if TYPE_CHECKING:
    from reconciler.commands.connection import Target
    from reconciler.commands.session import Session
    from reconciler.model.access import Entity
    from reconciler.model.desired import Desired
    from reconciler.model.live import Live
    from reconciler.model.snapshot import Snapshot

_SAID = (Kind.MEMBER, Kind.SERVICE_ACCOUNT, Kind.GROUP, Kind.VAULT, Kind.ACCESS_RULE)


class AccessRequest(Frozen):
    """Who is asked about, or which entity; neither means everybody.

    ``live`` asks what the workspace has, not what the declaration asks for.
    """

    who: str | None = None
    entity: Entity | None = None
    live: bool = False
    file: Path = Path("workspace.yaml")
    connection: Connection = Connection()


class AccessResult(Frozen):
    """Who has what; ``where`` says of what state this is."""

    report: AccessReport
    where: str


async def report_access(session: Session, request: AccessRequest) -> AccessResult:
    """Report who has what and why. Of vaults the values and secrets are counted, and never shown.

    Raises :class:`reconciler.errors.InvalidDeclarationError`, :class:`reconciler.errors.UsageError` for a name that is
    nobody's, and :class:`reconciler.errors.ServerError`.
    """
    with DocumentParser() as parser:
        declared = None
        if not (request.live and request.connection.server and not (session.folder / request.file).exists()):
            declared = load_declared(session, request.file, parser, SecretUse.NONE)
        if request.live or declared is None:
            return await _live(session, request, declared, parser)
        return _declared(request, declared, parser)


def _declared(request: AccessRequest, declared: LoadedDeclaration, parser: DocumentParser) -> AccessResult:
    """Answer from the declaration alone."""
    desired = declared.desired
    book = AccessBook(desired.snapshot, counting(parser))
    entity = None if request.entity is None else find_entity(request.entity, book.entities)
    report = _report(request, book, desired.snapshot, entity, _not_said(desired))
    return AccessResult(report, f"as declared in {declared.shown}")


async def _live(
    session: Session, request: AccessRequest, declared: LoadedDeclaration | None, parser: DocumentParser
) -> AccessResult:
    """Answer from the workspace."""
    from reconciler.commands.server import find_target

    target = find_target(session, request.connection, declared.server if declared else None)
    live = await _read(session, target, request)
    book = AccessBook(live.snapshot, counting(parser), live.credentials)
    wanted = request.entity
    entity = None if wanted is None else found_entity(wanted, live.entities.get(wanted), book.entities)
    return AccessResult(_report(request, book, live.snapshot, entity, ()), f"as it is on {target.name}")


def _report(
    request: AccessRequest, book: AccessBook, snapshot: Snapshot, entity: Entity | None, not_said: tuple[Kind, ...]
) -> AccessReport:
    if entity is not None:
        return AccessReport(entity.title, book.of_entity(entity), about_entity=True, not_said=not_said)
    if request.who is None:
        facts = (fact for who in book.principals for fact in book.of_principal(who, closed=False))
        return AccessReport(None, tuple(facts), not_said=not_said)
    principal = find_principal(request.who, snapshot)
    return AccessReport(principal.title, book.of_principal(principal.address), not_said=not_said)


async def _read(session: Session, target: Target, request: AccessRequest) -> Live:
    from reconciler.clearml.read import read_live
    from reconciler.clearml.reader import Reader
    from reconciler.commands.server import open_reader

    who, entity = request.who, request.entity
    accounts = () if entity is not None else None if who is None else {fold(who)}
    with session.reporter.step("Reading the workspace"):
        async with open_reader(session, target, request.connection) as transport:
            return await read_live(Reader(transport), accounts=accounts, entities=() if entity is None else {entity})


def _not_said(desired: Desired) -> tuple[Kind, ...]:
    """Return the kinds of which the workspace may have more than the declaration says."""
    return tuple(kind for kind in _SAID if desired.scope.management(kind) is not Management.ALL)
