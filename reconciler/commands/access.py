"""``access``: who has what and why. Its connection, if it needs one, cannot write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.commands.connection import Connection
from reconciler.commands.declaration_loading import LoadedDeclaration, SecretUse, load_declared
from reconciler.frozen import Frozen
from reconciler.model.desired import Management
from reconciler.model.resources import Kind
from reconciler.model.text import fold
from reconciler.plan.access.index import AccessIndex
from reconciler.plan.access.listing import AccessReport, Listing
from reconciler.plan.access.names import find_entity, find_principal, found_entity
from reconciler.plan.impact.content import counting
from reconciler.plan.unreadable import check_read
from reconciler.vaults.parse import DocumentParser

if TYPE_CHECKING:
    from reconciler.commands.connection import Target
    from reconciler.commands.session import Session
    from reconciler.model.access import Entity
    from reconciler.model.desired import Desired
    from reconciler.model.live import Live

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
    index = AccessIndex(desired.snapshot)
    entity = None if request.entity is None else find_entity(request.entity, tuple(index.entities.values()))
    report = _report(request, Listing(index, counting(parser)), entity, _not_said(desired))
    return AccessResult(report, f"as declared in {declared.shown}")


async def _live(
    session: Session, request: AccessRequest, declared: LoadedDeclaration | None, parser: DocumentParser
) -> AccessResult:
    """Answer from the workspace."""
    from reconciler.commands.server import find_target

    target = find_target(session, request.connection, declared.server if declared else None)
    live = await _read(session, target, request)
    index = AccessIndex.of_live(live)
    wanted, known = request.entity, tuple(index.entities.values())
    entity = None if wanted is None else found_entity(wanted, live.entities.get(wanted), known)
    listing = Listing(index, counting(parser), live.credentials)
    return AccessResult(_report(request, listing, entity, ()), f"as it is on {target.name}")


def _report(
    request: AccessRequest, listing: Listing, entity: Entity | None, not_said: tuple[Kind, ...]
) -> AccessReport:
    if entity is not None:
        return listing.report(entity.title, listing.of_entity(entity), not_said, about_entity=True)
    if request.who is None:
        facts = (fact for who in listing.index.principals for fact in listing.of_principal(who, closed=False))
        return listing.report(None, facts, not_said)
    principal = find_principal(request.who, listing.index)
    return listing.report(listing.index.title(principal), listing.of_principal(principal), not_said)


async def _read(session: Session, target: Target, request: AccessRequest) -> Live:
    from reconciler.clearml.read import read_live
    from reconciler.clearml.reader import Reader
    from reconciler.commands.server import open_reader

    who, entity = request.who, request.entity
    accounts = () if entity is not None else None if who is None else {fold(who)}
    with session.reporter.step("Reading the workspace"):
        async with open_reader(session, target, request.connection) as transport:
            entities = () if entity is None else {entity}
            live = await read_live(Reader(transport), accounts=accounts, entities=entities)
    check_read(live, (Kind.MEMBER, Kind.GROUP))
    return live


def _not_said(desired: Desired) -> tuple[Kind, ...]:
    """Return the kinds of which the workspace may have more than the declaration says."""
    return tuple(kind for kind in _SAID if desired.scope.management(kind) is not Management.ALL)
