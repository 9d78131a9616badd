"""``reconciler import``: write a declaration from a live workspace. Its connection cannot write to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from reconciler.clearml.entities import look_up
from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.cli.options import connection_options
from reconciler.cli.progress import working
from reconciler.cli.session import find_target, open_reader
from reconciler.cli.waiting import wait_for
from reconciler.cli.write_all import write_all
from reconciler.declaration.export import Exported, export
from reconciler.declaration.export_access import named_entities
from reconciler.declaration.write import TOP_FILE, Split, declaration_files
from reconciler.errors import ExitCode, UsageError
from reconciler.model.text import harmless
from reconciler.vaults.parse import DocumentParser
from reconciler.views.sentences import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.cli.console import Console
    from reconciler.cli.options import Connection
    from reconciler.model.live import Live


@click.command("import")
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="FOLDER",
    help="Where to write; it may not hold a workspace.yaml yet.",
)
@click.option(
    "--split",
    type=click.Choice([split.value for split in Split]),
    default=Split.NONE.value,
    show_default=True,
    help="One file; one for each kind; or one for each group, with its vaults and the rules that are for it alone.",
)
@click.option("--name", metavar="NAME", help="The workspace's name in the declaration; by default the server's.")
@connection_options
@click.pass_obj
def command(console: Console, folder: Path, *, connection: Connection, name: str | None, split: str) -> int:
    """Write workspace.yaml, and vault documents as files, from a live workspace; a plan right after is empty.

    Values of vaults under secret-looking keys become references to environment variables, which are listed.
    """
    _refuse_existing(folder, [TOP_FILE])
    target = find_target(connection, None)

    async def read() -> tuple[Live, str]:
        async with open_reader(target, connection, console) as transport:
            reader = Reader(transport)
            live = await read_live(reader)
            live = replace(live, entities=await look_up(reader, named_entities(live)))
            return live, (await reader.claims()).company_name or "workspace"

    with working(console, "Reading the workspace"):
        live, workspace = wait_for(read())
    with DocumentParser() as parser:
        exported = export(live, workspace=name or harmless(workspace), server=target.name, parser=parser)
    files = declaration_files(exported.content, Split(split))
    _refuse_existing(folder, files)
    write_all({folder / path: text for path, text in (*exported.files.items(), *files.items())})
    _report(console, folder, exported)
    return ExitCode.DONE


def _refuse_existing(folder: Path, files: Iterable[str]) -> None:
    for name in files:
        if (folder / name).exists():
            raise UsageError(f"{harmless(str(folder / name))} is there already", hint="give another --out folder")


def _report(console: Console, folder: Path, exported: Exported) -> None:
    for note in exported.notes:
        console.note(f"Note: {note}")
    files = counted(len(exported.files), "vault document")
    console.note(f"Wrote {harmless(str(folder / TOP_FILE))} and {files}.")
    if exported.secrets:
        console.note("Secret values were not written. Set these environment variables for plan and apply:")
        console.result("".join(f"{variable}\n" for variable in sorted(exported.secrets)))
