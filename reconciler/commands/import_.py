"""``import``: write a declaration from a live workspace. Its connection cannot write to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.clearml.entities import look_up
from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.commands.connection import Connection, Target
from reconciler.commands.server import find_target, open_reader
from reconciler.declaration.export import export
from reconciler.declaration.export_access import named_entities
from reconciler.declaration.write import TOP_FILE, Split, declaration_files
from reconciler.errors import UsageError
from reconciler.frozen import Frozen
from reconciler.model.text import harmless
from reconciler.vaults.parse import DocumentParser

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reconciler.commands.session import Session
    from reconciler.model.live import Live


class ImportRequest(Frozen):
    """Where to write, and how: ``folder`` may not hold a declaration yet.

    ``name`` is the workspace's name in the declaration, by default the server's.
    """

    folder: Path
    connection: Connection = Connection()
    split: Split = Split.NONE
    name: str | None = None


class ImportResult(Frozen):
    """What was written: the declaration's top file, so many vault documents, and which variables they need."""

    top_file: Path
    documents: int
    variables: tuple[str, ...]
    notes: tuple[str, ...]


async def import_workspace(session: Session, request: ImportRequest) -> ImportResult:
    """Write ``workspace.yaml``, and vault documents as files, from a live workspace; a plan right after is empty.

    Raises :class:`UsageError` if something is there already or cannot be written, and
    :class:`reconciler.errors.ServerError`.
    """
    folder = session.folder / request.folder
    _refuse_existing(folder, [TOP_FILE])
    target = find_target(session, request.connection, None)
    live, workspace = await _read(session, target, request.connection)
    with DocumentParser() as parser:
        exported = export(live, workspace=request.name or harmless(workspace), server=target.name, parser=parser)
    files = declaration_files(exported.content, request.split)
    _refuse_existing(folder, files)
    texts = {folder / path: text for path, text in (*exported.files.items(), *files.items())}
    session.files.write_all(texts, private=True)
    variables = tuple(sorted(exported.secrets))
    return ImportResult(folder / TOP_FILE, len(exported.files), variables, tuple(exported.notes))


async def _read(session: Session, target: Target, connection: Connection) -> tuple[Live, str]:
    """Return the workspace and its name."""
    with session.reporter.step("Reading the workspace"):
        async with open_reader(session, target, connection) as transport:
            reader = Reader(transport)
            live = await read_live(reader)
            live = replace(live, entities=await look_up(reader, named_entities(live)))
            return live, (await reader.claims()).company_name or "workspace"


def _refuse_existing(folder: Path, files: Iterable[str]) -> None:
    for name in files:
        if (folder / name).exists():
            raise UsageError(f"{harmless(str(folder / name))} is there already", hint="give another --out folder")
