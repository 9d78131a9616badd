"""``effective``: somebody's merged client configuration. Its connection, if it needs one, cannot write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.commands.connection import Connection
from reconciler.commands.declaration_loading import LoadedDeclaration, SecretUse, load_declared
from reconciler.effective.configuration import Configuration, configure
from reconciler.effective.sources import Discretion, Known, read_base
from reconciler.errors import UsageError
from reconciler.frozen import Frozen
from reconciler.model.resources import Kind, OwnerKind
from reconciler.model.snapshot import Snapshot
from reconciler.model.text import fold, harmless
from reconciler.plan.access.index import AccessIndex
from reconciler.plan.access.names import find_principal
from reconciler.plan.unreadable import check_read
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.origin import NOTHING_REMEMBERED
from reconciler.vaults.parse import DocumentParser
from reconciler.vaults.references import template_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.clearml.messages import VaultMessage
    from reconciler.commands.connection import Target
    from reconciler.commands.session import Session
    from reconciler.effective.configuration import Standings
    from reconciler.effective.difference import Difference
    from reconciler.effective.merge import Source
    from reconciler.model.resources import Address, Vault
    from reconciler.vaults.origin import Remembered
    from reconciler.vaults.tree import Path as KeyPath

_MAXIMUM_BASE = 4 * 1024 * 1024
_ORGANIZATION = "organization"
"""The scope of vaults that belong to no group and to nobody (``docs/explanation/clearml-api.md, Vaults``)."""


class EffectiveRequest(Frozen):
    """Whose configuration is asked for.

    ``base`` is a ``clearml.conf`` below the vaults. ``live`` asks what the workspace has, not what the declaration asks
    for. Only what is at or below the ``path`` counts. ``without_secrets`` reads no secret, and
    commands that print secrets are run only with ``run_commands``; ``reveal`` leaves secret values in the result.
    """

    who: str
    file: Path = Path("workspace.yaml")
    connection: Connection = Connection()
    base: Path | None = None
    live: bool = False
    path: KeyPath = ()
    without_secrets: bool = False
    run_commands: bool = False
    reveal: bool = False


class EffectiveResult(Frozen):
    """A merged configuration, and of what state it is."""

    configuration: Configuration
    where: str


class EffectiveDifference(Frozen):
    """What differs between somebody's live and declared configuration.

    ``title`` is who that is, and ``failing`` are the vaults on either side that clients do not take.
    """

    title: str
    difference: Difference
    failing: tuple[Standings, ...] = ()


class _Question(Frozen):
    """A request with what it is answered from."""

    session: Session
    request: EffectiveRequest
    parser: DocumentParser
    declared: LoadedDeclaration | None
    discretion: Discretion
    base: Source | None


async def effective_configuration(session: Session, request: EffectiveRequest) -> EffectiveResult:
    """Return somebody's merged client configuration, declared or live.

    Raises :class:`reconciler.errors.InvalidDeclarationError`, :class:`UsageError` for a name that is nobody's and for a
    base that cannot be read, and :class:`reconciler.errors.ServerError`.
    """
    with DocumentParser() as parser:
        question = _question(session, request, parser)
        if request.live:
            found, server = await _live(question)
            return EffectiveResult(found, f"as it is on {server}")
        shown = question.declared.shown if question.declared else ""
        return EffectiveResult(_declared(question), f"as declared in {shown}")


async def effective_difference(session: Session, request: EffectiveRequest) -> EffectiveDifference:
    """Return what differs between somebody's live and declared configuration.

    Raises what :func:`effective_configuration` raises.
    """
    from reconciler.effective.difference import difference

    with DocumentParser() as parser:
        question = _question(session, request, parser)
        desired = _declared(question)
        live, _ = await _live(question, missing=desired)
        found = difference(live.within(request.path), desired.within(request.path))
        return EffectiveDifference(desired.title, found, (*desired.failing, *live.failing))


def _question(session: Session, request: EffectiveRequest, parser: DocumentParser) -> _Question:
    declared = None
    if not (request.live and request.connection.server and not (session.folder / request.file).exists()):
        available = SecretUse.AVAILABLE if request.run_commands else SecretUse.WITHOUT_COMMANDS
        use = SecretUse.NONE if request.without_secrets else available
        declared = load_declared(session, request.file, parser, use)
    discretion = Discretion(session.secrets.redactor(), request.reveal)
    return _Question(session, request, parser, declared, discretion, _base(session, request.base, parser, discretion))


def _base(session: Session, path: Path | None, parser: DocumentParser, discretion: Discretion) -> Source | None:
    if path is None:
        return None
    shown = path.as_posix()
    try:
        with (session.folder / path).open("rb") as stream:
            text = stream.read(_MAXIMUM_BASE).decode("utf-8")
        return read_base(shown, text, parser, discretion)
    except OSError as error:
        raise UsageError(f"{harmless(shown)} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{harmless(shown)} is not UTF-8 text") from None
    except DocumentError as error:
        line = f":{error.line}" if error.line else ""
        raise UsageError(f"{harmless(shown)}{line}: {error.message}", hint=error.hint) from None


def _declared(question: _Question) -> Configuration:
    index = AccessIndex(_snapshot(question))
    principal = find_principal(question.request.who, index)
    return configure(principal, index, question.parser, question.discretion, base=question.base)


def _snapshot(question: _Question) -> Snapshot:
    return question.declared.desired.snapshot if question.declared else Snapshot()


async def _live(question: _Question, *, missing: Configuration | None = None) -> tuple[Configuration, str]:
    """Return the live configuration and the server's name; ``missing`` is that of who may not be there yet."""
    from reconciler.commands.record_keeping import read_past_for_comparison
    from reconciler.commands.server import find_target

    session, parser, discretion, base = question.session, question.parser, question.discretion, question.base
    declared_server = question.declared.server if question.declared else None
    target = find_target(session, question.request.connection, declared_server)
    snapshot, organization = await _read(session, target, question.request)
    index = AccessIndex(snapshot)
    if missing is not None and not index.has(missing.principal):
        session.reporter.note(f"{harmless(missing.title)} is not in the workspace yet.")
        nothing = AccessIndex(Snapshot())
        found = configure(missing.principal, nothing, parser, discretion, base=base, organization=organization)
        return found, target.name
    principal = find_principal(question.request.who, index)
    remembered = {}
    if question.declared is not None:
        past = await read_past_for_comparison(session, None, question.declared, target)
        remembered = past.documents(target.key)
    known = _known(_snapshot(question), remembered, parser)
    found = configure(principal, index, parser, discretion, base=base, known=known, organization=organization)
    return found, target.name


async def _read(session: Session, target: Target, request: EffectiveRequest) -> tuple[Snapshot, tuple[Vault, ...]]:
    from reconciler.clearml.read import read_live
    from reconciler.clearml.reader import Reader
    from reconciler.commands.server import open_reader

    with session.reporter.step("Reading the workspace"):
        async with open_reader(session, target, request.connection) as transport:
            reader = Reader(transport)
            live = await read_live(reader, accounts=(), vaults_of={fold(request.who)})
            check_read(live, (Kind.MEMBER, Kind.GROUP, Kind.VAULT))
            return live.snapshot, tuple(_of_organization(await reader.listed_vaults()))


def _known(
    declared: Snapshot, remembered: Mapping[Address, Remembered], parser: DocumentParser
) -> dict[Address, Known]:
    """Return what the declaration says of vaults that are live, and what was applied: what of them may be shown."""
    return {
        address: Known(
            frozenset(template_tree(vault.document, parser).references),
            vault.document.visible,
            remembered.get(address, NOTHING_REMEMBERED),
        )
        for address, vault in declared.vaults.items()
    }


def _of_organization(messages: Iterable[VaultMessage]) -> Iterator[Vault]:
    """Return the vaults of the whole organization; who may make them and whom they reach is published nowhere."""
    from reconciler.clearml.assemble import vault_of

    return (vault_of(message, OwnerKind.GROUP, "") for message in messages if message.scope == _ORGANIZATION)
