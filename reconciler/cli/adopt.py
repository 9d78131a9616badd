"""``reconciler adopt``: write what is live back into the declaration's files. Its connection cannot write to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.interrupt import confirmed
from reconciler.cli.options import connection_options, gather, record_option
from reconciler.commands.adopt import AdoptRequest, AdoptResult, adopt_changes, write_adopted
from reconciler.commands.adopt_keys import keys_and_file
from reconciler.drift.sides import Preference
from reconciler.errors import ExitCode, UsageError
from reconciler.frozen import Frozen
from reconciler.model.key import key_of
from reconciler.model.text import harmless
from reconciler.views.adopted import kept_lines, left_lines, outcome_lines, reverted_lines

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.cli.invocation import Invocation
    from reconciler.commands.connection import Connection


class AdoptChoice(Frozen):
    """What of a difference is taken, and whether it is written."""

    only_diff: bool
    base: str | None
    everything: bool
    yes: bool
    side: str | None
    record: str | None


@click.command("adopt")
@click.option("--diff", "only_diff", is_flag=True, help="Show what would change as a unified diff, and write nothing.")
@click.option("--base", metavar="REV", help="The commit that was applied last, to be used in place of the record.")
@click.option("--all", "everything", is_flag=True, help="Take the live state also where that reverts the files; asks.")
@click.option("--yes", is_flag=True, help="Skip the confirmation of --all.")
@click.option("--ours", "side", flag_value="ours", help="Of conflicts, keep what the files say.")
@click.option("--theirs", "side", flag_value="theirs", help="Of conflicts, take what the workspace has.")
@record_option
@connection_options
@click.argument("arguments", metavar="[KEY]... [FILE]", nargs=-1)
@gather("choice", AdoptChoice)
@click.pass_obj
def command(invocation: Invocation, arguments: tuple[str, ...], *, connection: Connection, choice: AdoptChoice) -> int:
    """Write what changed outside back into FILE (workspace.yaml by default) and the files that it includes.

    A KEY is a kind and a name: member:bob@acme.io, group:researchers, vault:researchers/s3-defaults,
    service_account:agent, credential:agent/ci, access_rule:vision-rw; * and ? stand for any characters. Without one,
    everything that changed outside is adopted. What is not yet applied stays as the files say; of a resource that both
    sides changed, only what changed outside is taken.

    Exit code 0 if all of that was adopted, 2 if some of it was left, with the reason.
    """
    keys, file = keys_and_file(arguments)
    asks = choice.everything and not choice.yes and not choice.only_diff
    if asks and not invocation.console.interactive:
        raise UsageError("no terminal to confirm in", hint="pass --yes to skip the confirmation, or --diff to look")
    request = AdoptRequest(
        keys,
        file,
        connection,
        write=not (choice.only_diff or asks),
        everything=choice.everything,
        prefer=Preference(choice.side or "neither"),
        base=choice.base,
        record=choice.record,
    )
    result = invocation.wait_for(adopt_changes(invocation.session, request))
    if choice.only_diff:
        invocation.console.result(result.diff)
    for line in reverted_lines(result.reverted, result.live, result.declared, done=request.write):
        invocation.console.note(invocation.console.diagnostics.change(line))
    if asks and result.reverted and not confirmed("Revert these edits of the files?"):
        invocation.console.note("Nothing was changed.")
        return ExitCode.INTERRUPTED
    if asks:
        write_adopted(invocation.session, result)
    _report(invocation.console, result, written=not choice.only_diff)
    return ExitCode.DIFFERENCES if result.is_open else ExitCode.DONE


def _report(console: Console, result: AdoptResult, *, written: bool) -> None:
    live, declared = result.live, result.declared
    if written:
        console.result("".join(f"adopted  {harmless(key_of(address, live, declared))}\n" for address in result.done))
    notes = (f"Note: {note}" for note in dict.fromkeys(result.notes))
    left = map(console.diagnostics.change, left_lines(result.left, live, declared))
    for line in (*notes, *kept_lines(result.kept, live, declared), *left):
        console.note(line)
    console.note(outcome_lines(len(result.texts), result.variables, is_open=result.is_open, written=written))
