"""``import``: write a declaration from a live workspace. Its connection cannot write to it."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.clearml.entities import look_up
from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.commands.connection import Connection, Target
from reconciler.commands.server import find_target, open_reader
from reconciler.declaration.export import LISTED, export
from reconciler.declaration.export_access import named_entities
from reconciler.declaration.export_documents import DocumentFiles
from reconciler.declaration.write import TOP_FILE, Split, declaration_files
from reconciler.errors import UsageError
from reconciler.frozen import Frozen
from reconciler.model.text import harmless
from reconciler.plan.unreadable import check_read
from reconciler.record.git import repositories
from reconciler.vaults.parse import DocumentParser

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from reconciler.commands.session import Session
    from reconciler.model.live import Live
    from reconciler.model.secret import Secret


class ImportRequest(Frozen):
    """Where to write, and how: ``folder`` may not hold a declaration yet.

    ``name`` is the workspace's name in the declaration, by default the server's. ``secrets_to`` is a file for the
    values of secrets, which a shell can read. With ``hide_unknown`` every string of a vault that nobody knows to be
    harmless counts as a secret.
    """

    folder: Path
    connection: Connection = Connection()
    split: Split = Split.NONE
    name: str | None = None
    secrets_to: Path | None = None
    hide_unknown: bool = False


class ImportResult(Frozen):
    """What was written: the top file of the declaration, its other ``files``, documents, and which variables they need.

    ``unknown`` has, by file, the places of strings that nobody knows to be harmless.
    """

    top_file: Path
    files: tuple[str, ...]
    documents: int
    variables: tuple[str, ...]
    notes: tuple[str, ...]
    unknown: Mapping[str, tuple[str, ...]]


async def import_workspace(session: Session, request: ImportRequest) -> ImportResult:
    """Write ``workspace.yaml``, and vault documents as files, from a live workspace; a plan right after is empty.

    Raises :class:`UsageError` if something is there already or cannot be written, and
    :class:`reconciler.errors.ServerError`.
    """
    folder = session.folder / request.folder
    _refuse_existing(folder, [TOP_FILE])
    secrets_to = None if request.secrets_to is None else session.folder / request.secrets_to
    if secrets_to is not None:
        await session.world.in_thread(_refuse_unsafe, session, secrets_to)
    target = find_target(session, request.connection, None)
    live, workspace = await _read(session, target, request.connection)
    with DocumentParser() as parser:
        documents = DocumentFiles(parser, hide_unknown=request.hide_unknown)
        exported = export(live, documents, workspace=request.name or harmless(workspace), server=target.name)
    files = declaration_files(exported.content, request.split)
    _refuse_existing(folder, files)
    texts = {folder / path: text for path, text in (*exported.files.items(), *files.items())}
    if secrets_to is not None:
        texts[secrets_to] = _assignments(exported.secrets)
    session.files.write_all(texts, private=True)
    variables = tuple(sorted(exported.secrets))
    others = tuple(sorted(name for name in files if name != TOP_FILE))
    notes = tuple(exported.notes)
    return ImportResult(folder / TOP_FILE, others, len(exported.files), variables, notes, exported.unknown)


async def _read(session: Session, target: Target, connection: Connection) -> tuple[Live, str]:
    """Return the workspace and its name."""
    with session.reporter.step("Reading the workspace"):
        async with open_reader(session, target, connection) as transport:
            reader = Reader(transport)
            live = await read_live(reader)
            if {item.kind for item in live.lost} >= LISTED:
                check_read(live, LISTED)
            live = replace(live, entities=await look_up(reader, named_entities(live)))
            return live, (await reader.claims()).company_name or "workspace"


def _assignments(secrets: Mapping[str, Secret]) -> str:
    """Return variables as a shell reads them."""
    return "".join(f"export {name}={shlex.quote(secret.reveal())}\n" for name, secret in sorted(secrets.items()))


def _refuse_unsafe(session: Session, path: Path) -> None:
    """Raise :class:`UsageError` if secrets in this file could end up in a commit, or if something is there."""
    shown = harmless(str(path))
    if os.path.lexists(path):
        raise UsageError(f"{shown} is there already", hint="give another file to --secrets-to")
    place = path.parent.resolve() / path.name
    repository = next(repositories(place.parent, session.environment, session.world.run_program), None)
    if repository is not None and not repository.ignores(place):
        raise UsageError(
            f"{shown} is in a git work tree and is not ignored, so a commit could take the secrets along",
            hint="give --secrets-to a file outside of it, or ignore the file first",
        )


def _refuse_existing(folder: Path, files: Iterable[str]) -> None:
    for name in files:
        if (folder / name).exists():
            raise UsageError(f"{harmless(str(folder / name))} is there already", hint="give another --out folder")
