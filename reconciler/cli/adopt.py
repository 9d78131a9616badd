"""``reconciler adopt``: write what is live back into the declaration's files. Its connection cannot write to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import connection_options
from reconciler.commands.adopt import AdoptRequest, AdoptResult, adopt_changes
from reconciler.commands.adopt_keys import key_of
from reconciler.errors import ExitCode, UsageError
from reconciler.model.key import KINDS, Key
from reconciler.model.text import harmless
from reconciler.views.sentences import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.console import Console
    from reconciler.cli.invocation import Invocation
    from reconciler.commands.connection import Connection


@click.command("adopt")
@click.option("--diff", "only_diff", is_flag=True, help="Show what would change as a unified diff, and write nothing.")
@connection_options
@click.argument("arguments", metavar="[KEY]... [FILE]", nargs=-1)
@click.pass_obj
def command(invocation: Invocation, arguments: tuple[str, ...], *, connection: Connection, only_diff: bool) -> int:
    """Write what is live back into FILE (workspace.yaml by default) and the files that it includes.

    A KEY is a kind and a name: member:bob@acme.io, group:researchers, vault:researchers/s3-defaults,
    service_account:agent, credential:agent/ci, access_rule:vision-rw. Without one, everything that drifts is adopted.

    Exit code 0 if all of that was adopted, 2 if some of it was left, with the reason.
    """
    keys, file = _keys_and_file(arguments)
    request = AdoptRequest(keys=keys, file=file, connection=connection, write=not only_diff)
    result = invocation.wait_for(adopt_changes(invocation.session, request))
    if only_diff:
        invocation.console.result(result.diff)
    _report(invocation.console, result, only_diff=only_diff)
    return ExitCode.DIFFERENCES if result.left else ExitCode.DONE


def _keys_and_file(arguments: Sequence[str]) -> tuple[tuple[Key, ...], Path]:
    """Sort keys and the file, which comes last if it is given. Raises :class:`UsageError`."""
    keys: list[Key] = []
    for position, argument in enumerate(arguments):
        if (key := Key.read(argument)) is not None:
            keys.append(key)
        elif position == len(arguments) - 1:
            return tuple(keys), Path(argument)
        else:
            hint = f"a key is a kind and a name, like group:researchers; the kinds are {', '.join(KINDS)}"
            raise UsageError(f"{harmless(argument)} is neither a key nor the last argument", hint=hint)
    return tuple(keys), AdoptRequest().file


def _report(console: Console, result: AdoptResult, *, only_diff: bool) -> None:
    live, declared = result.live, result.declared
    if not only_diff:
        console.result("".join(f"adopted  {harmless(key_of(address, live, declared))}\n" for address in result.done))
    for note in dict.fromkeys(result.notes):
        console.note(f"Note: {note}")
    for address, reason in result.left.items():
        console.note(console.diagnostics.change(f"Left: {harmless(key_of(address, live, declared))}: {reason}"))
    if result.variables:
        names = ", ".join(result.variables)
        console.note(f"Secret values are not written. Set these environment variables for plan and apply: {names}")
    files = counted(len(result.texts), "file")
    if not result.texts:
        console.note("Nothing to adopt." if not result.left else "Nothing was changed.")
    else:
        console.note(f"{files} would change; nothing was written." if only_diff else f"{files} changed.")
