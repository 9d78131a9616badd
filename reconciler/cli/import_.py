"""``reconciler import``: write a declaration from a live workspace. Its connection cannot write to it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import connection_options, gather
from reconciler.commands.import_ import ImportRequest, import_workspace
from reconciler.declaration.write import Split
from reconciler.errors import ExitCode
from reconciler.model.text import harmless
from reconciler.views.sentences import counted

if TYPE_CHECKING:
    from reconciler.cli.invocation import Invocation


_SHOWN = 5


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
    callback=lambda _, __, value: Split(value),
    default=Split.NONE.value,
    show_default=True,
    help="One file; one for each kind; or one for each group, with its vaults and the rules that are for it alone.",
)
@click.option("--name", metavar="NAME", help="The workspace's name in the declaration; by default the server's.")
@click.option(
    "--secrets-to",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the secret values, as variables for a shell; refused where a commit could take the file along.",
)
@click.option(
    "--hide-unknown", is_flag=True, help="Take every string of a vault that is not known to be harmless for a secret."
)
@connection_options
@gather("request", ImportRequest)
@click.pass_obj
def command(invocation: Invocation, *, request: ImportRequest) -> int:
    """Write workspace.yaml, and vault documents as files, from a live workspace; a plan right after is empty.

    Values of vaults that look like secrets become references to environment variables, which are listed, as are the
    documents with strings that no rule knows.
    """
    console = invocation.console
    result = invocation.wait_for(import_workspace(invocation.session, request))
    for note in result.notes:
        console.note(f"Note: {note}")
    documents = counted(result.documents, "vault document")
    console.note(
        "".join(f"Wrote {harmless(name)}.\n" for name in result.files)
        + (f"Wrote {harmless(str(result.top_file))} and {documents}.")
    )
    for file, paths in sorted(result.unknown.items()):
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        console.note(f"Look for secrets in {harmless(file)} before you commit it: {', '.join(paths[:_SHOWN])}{more}")
    if result.variables and request.secrets_to is not None:
        path = harmless(str(request.secrets_to))
        command = shlex.join([".", path if "/" in path else f"./{path}"])
        console.note(f"Wrote {counted(len(result.variables), 'secret value')} to {path}. For plan and apply: {command}")
    elif result.variables:
        console.note("Secret values were not written. Set these environment variables for plan and apply:")
        console.result("".join(f"{variable}\n" for variable in result.variables))
    return ExitCode.DONE
