"""``adopt``: write what is live back into the declaration's files. Its connection cannot write to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.clearml.entities import look_up
from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.commands.adopt_keys import Selection, select
from reconciler.commands.base_revision import record_of_revision
from reconciler.commands.comparing import server_time, terms_of
from reconciler.commands.connection import Connection, Target
from reconciler.commands.declaration_loading import LoadedDeclaration, read_declaration, reviewed_files, secret_resolver
from reconciler.commands.record_keeping import read_past_for_comparison
from reconciler.commands.server import find_target, open_reader
from reconciler.commands.shown_lines import diff_text, file_lines, hidden_lines, text_lines
from reconciler.commands.staging import staged
from reconciler.declaration.adopt.run import Adopted, Adoption
from reconciler.declaration.export_access import named_entities
from reconciler.declaration.resolve import bind, desired_of
from reconciler.drift.classify import find_drift
from reconciler.drift.report import Memory
from reconciler.drift.sides import Kept, Preference, Sides, split
from reconciler.errors import InvalidDeclarationError, UsageError
from reconciler.frozen import Frozen
from reconciler.model.edits import DocumentEdit, EditCause
from reconciler.model.resources import Address, Kind
from reconciler.model.text import fold
from reconciler.plan.make import Prepared, make_plan
from reconciler.vaults.parse import DocumentParser

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reconciler.commands.session import Session
    from reconciler.declaration.declaration import Declaration
    from reconciler.declaration.models import SecretSource
    from reconciler.declaration.secrets import SecretResolver
    from reconciler.drift.report import Drift
    from reconciler.model.desired import Desired
    from reconciler.model.key import Key
    from reconciler.model.live import Live
    from reconciler.model.secret import Secret
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.changes import Change
    from reconciler.plan.make import Terms
    from reconciler.record.document import Record


class AdoptRequest(Frozen):
    """What to adopt: of what the ``keys`` name, or without any of everything, what changed outside.

    What was applied last says what that is: the record, or the declaration as the commit ``base`` has it. With
    ``everything`` the live state is taken also where that reverts the files. ``prefer`` says where a conflict goes.
    Without ``write`` the files stay as they are.
    """

    keys: tuple[Key, ...] = ()
    file: Path = Path("workspace.yaml")
    connection: Connection = Connection()
    write: bool = True
    everything: bool = False
    prefer: Preference = Preference.NEITHER
    base: str | None = None
    record: str | None = None


class AdoptResult(Frozen):
    """What was adopted, and what was left and why.

    ``kept`` is what the files keep since nobody changed it outside, or both did; ``reverted`` what they lose though
    nobody is known to have changed it outside. ``texts`` are the new texts by file, ``variables`` those that hold the
    new secrets. ``diff`` is what would change in the files if nothing was written, without the values that may not be
    shown. ``live`` and ``declared`` are the two sides, for the names that people write.
    """

    done: tuple[Address, ...]
    left: Mapping[Address, str]
    kept: tuple[Kept, ...]
    reverted: tuple[Kept, ...]
    texts: Mapping[Path, str]
    variables: tuple[str, ...]
    notes: tuple[str, ...]
    diff: str
    live: Snapshot
    declared: Snapshot

    @property
    def is_open(self) -> bool:
        """Whether something was left, or kept so that somebody still has to decide."""
        return bool(self.left) or any(kept.is_open for kept in self.kept)


class _Comparison(Frozen):
    """A declaration and the workspace, compared."""

    session: Session
    parser: DocumentParser
    declaration: Declaration
    declared: LoadedDeclaration
    resolver: SecretResolver
    terms: Terms
    live: Live
    prepared: Prepared
    drift: Drift


async def adopt_changes(session: Session, request: AdoptRequest) -> AdoptResult:
    """Write what is live back into a declaration and the files that it includes.

    Raises :class:`InvalidDeclarationError`, also if the files would not be valid afterwards (then nothing was written),
    :class:`reconciler.errors.UsageError` and :class:`reconciler.errors.ServerError`.
    """
    with DocumentParser() as parser:
        comparison = await _compared(session, request, parser)
        desired = comparison.declared.desired
        selection = select(request.keys, comparison.prepared, desired)
        for note in selection.notes:
            session.reporter.note(f"Note: {note}")
        sides, reverted = _sides(comparison, request, selection)
        adopted = _adoption(comparison).run(sides.taken, selection.undeclared)
        left = dict(adopted.left)
        if adopted.texts:
            left |= _still_different(comparison, adopted, selection, sides)
        if request.write:
            session.files.write_all(adopted.texts)
        diff = "" if request.write or not adopted.texts else _diff(comparison, adopted)
        session.secrets.add(*comparison.resolver.found)
    return AdoptResult(
        done=tuple(address for address in adopted.done if address not in left),
        left=left,
        kept=sides.kept,
        reverted=reverted,
        texts=adopted.texts,
        variables=tuple(sorted(adopted.secrets)),
        notes=adopted.notes,
        diff=diff,
        live=comparison.prepared.live.snapshot,
        declared=desired.snapshot,
    )


def write_adopted(session: Session, result: AdoptResult) -> None:
    """Write what was only looked at so far (``AdoptRequest.write``): all files, or none."""
    session.files.write_all(result.texts)


def _sides(comparison: _Comparison, request: AdoptRequest, selection: Selection) -> tuple[Sides, tuple[Kept, ...]]:
    """Split what is selected by the side that moved; also return what the files lose in spite of that.

    Raises :class:`UsageError` if nobody can tell and nobody said what to do.
    """
    changes, drift = selection.changes, comparison.drift
    is_known = drift.memory is Memory.RECORD
    if not (is_known or request.everything or selection.chosen or not changes):
        raise UsageError(
            "it is not known what was applied last, so that changes made outside look like edits of the files",
            hint="pass --base REV, the commit that was applied last, name what to adopt, or pass --all to see and "
            "confirm what would be reverted",
        )
    sides = split(changes, drift.findings, request.prefer, take_unknown=selection.chosen)
    if request.everything:
        return Sides(changes, ()), split(changes, drift.findings).kept
    unknown = split(changes, drift.findings, request.prefer).kept if selection.chosen else ()
    return sides, tuple(kept for kept in unknown if kept not in sides.kept)


async def _compared(session: Session, request: AdoptRequest, parser: DocumentParser) -> _Comparison:
    declaration = read_declaration(session, request.file, parser)
    target = find_target(session, request.connection, declaration.top.workspace.server)
    resolver = secret_resolver(session, declaration)
    bindings = bind(declaration, secrets=resolver, all_needed=False)
    desired = desired_of(declaration, bindings, reviewed_files(session, declaration))
    session.secrets.add(*resolver.found)
    declared = LoadedDeclaration(desired, request.file.as_posix(), declaration.folder, declaration.files)
    terms = terms_of(declared, target, parser)
    live, now = await _read(session, target, request.connection, desired)
    terms = replace(terms, now=now)
    if request.base is not None:
        record: Record | None = record_of_revision(session, request.base, declaration, live, terms)
    else:
        record = (await read_past_for_comparison(session, request.record, declared, target)).record
    renamed = _recognizing_renames(desired, live, terms, record)
    prepared = make_plan(renamed, live, terms)
    drift = find_drift(prepared, renamed, record, terms.key)
    return _Comparison(session, parser, declaration, declared, resolver, terms, live, prepared, drift)


async def _read(
    session: Session, target: Target, connection: Connection, desired: Desired
) -> tuple[Live, datetime | None]:
    with session.reporter.step("Reading the workspace"):
        async with open_reader(session, target, connection) as transport:
            reader = Reader(transport)
            live = await read_live(reader)
            declared = {rule.entity for rule in desired.snapshot.access_rules.values()}
            live = replace(live, entities=await look_up(reader, named_entities(live) | declared))
            return live, server_time(session, transport, live)


def _recognizing_renames(desired: Desired, live: Live, terms: Terms, record: Record | None) -> Desired:
    """Take what looks like a rename in the workspace for one: an entry keeps its place and its comments.

    What was never applied under its declared name was not renamed outside.
    """
    renames = dict(desired.renames)
    known = record.by_address() if record is not None else {}
    for rename in make_plan(desired, live, terms).plan.possible_renames:
        owner = (Kind.GROUP.value, fold(rename.owner)) if rename.owner is not None else ()
        declared = Address(rename.kind, (*owner, fold(rename.new)))
        if not known or declared in known:
            renames[declared] = Address(rename.kind, (*owner, fold(rename.old)))
    return replace(desired, renames=renames)


def _adoption(comparison: _Comparison) -> Adoption:
    live = replace(comparison.prepared.live, entities=comparison.live.entities)
    return Adoption(comparison.declaration, comparison.declared.desired.snapshot, live, comparison.parser)


def _still_different(
    comparison: _Comparison, adopted: Adopted, selection: Selection, sides: Sides
) -> dict[Address, str]:
    """Compare what the files would say with the workspace; raises :class:`InvalidDeclarationError`."""
    known = _KnownSecrets(comparison.resolver, adopted.secrets)
    try:
        with staged(comparison.declaration, adopted.texts, comparison.parser) as declaration:
            desired = desired_of(declaration, bind(declaration, secrets=known, all_needed=False))
            changes = make_plan(desired, comparison.live, comparison.terms).plan.changes
    except InvalidDeclarationError:
        comparison.session.reporter.note("Nothing was written: the declaration would not be valid.")
        raise
    done = set(adopted.done)
    found = [change for change in changes if change.address in done or not selection.chosen]
    return {
        change.address: _why_different(change)
        for change in found
        if change.address not in adopted.left and not sides.keeps(change)
    }


def _diff(comparison: _Comparison, adopted: Adopted) -> str:
    """Return what would change in the files, without what only the server knows and what looks like a secret."""
    now, parser, folder = comparison.declared.desired.snapshot, comparison.parser, comparison.declaration.folder
    old = {path.as_posix(): file_lines(path) for path in adopted.texts}
    with staged(comparison.declaration, adopted.texts, parser) as declaration:
        new = {
            (declaration.folder / path.relative_to(folder)).as_posix(): text_lines(text)
            for path, text in adopted.texts.items()
        }
        then = desired_of(declaration, bind(declaration, secrets=None)).snapshot
        hidden = hidden_lines(then, now, new, parser)
        after = {(folder / Path(name).relative_to(declaration.folder)).as_posix(): hidden[name] for name in hidden}
    return diff_text(adopted.texts, hidden_lines(now, now, old, parser), after)


def _why_different(change: Change) -> str:
    if change.edits and all(
        isinstance(edit, DocumentEdit) and edit.cause is not EditCause.WRITTEN for edit in change.edits
    ):
        return "clients read the live document otherwise than it is meant; apply the declaration to repair that"
    return "it still differs"


class _KnownSecrets:
    """Knows the new secrets, which no source gives yet, and asks the declared sources for the others."""

    def __init__(self, resolver: SecretResolver, secrets: Mapping[str, Secret]) -> None:
        self._resolver = resolver
        self._secrets = secrets

    def resolve(self, name: str, source: SecretSource) -> Secret:
        """Return a secret; raises :class:`reconciler.errors.SecretUnavailableError`."""
        if source.env is not None and source.env in self._secrets:
            return self._secrets[source.env]
        return self._resolver.resolve(name, source)
