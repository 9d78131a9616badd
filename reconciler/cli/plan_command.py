"""``reconciler plan``: show what an apply would change. Its connection cannot write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.declared import load_declared
from reconciler.cli.options import (
    allow_option,
    connection_options,
    declaration_argument,
    exact_option,
)
from reconciler.cli.output import write_whole
from reconciler.cli.plan_output import PlanFormat, append_step_summary, rendered, step_summary_file
from reconciler.cli.planning import prepare, terms_for
from reconciler.cli.progress import working
from reconciler.cli.record_places import record_option
from reconciler.cli.recorded import trusted_record
from reconciler.cli.session import find_target, open_reader
from reconciler.cli.waiting import wait_for
from reconciler.errors import ExitCode, UsageError
from reconciler.vaults.parse import DocumentParser

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.cli.options import Connection
    from reconciler.model.desired import Desired
    from reconciler.plan.make import Prepared, Terms


@click.command("plan")
@click.option("--out", type=click.Path(path_type=Path), metavar="PLAN", help="Save the plan, for apply, in this file.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there is something to change.")
@click.option("--without-secrets", is_flag=True, help="Compare without secret values; such a plan cannot be applied.")
@click.option("--rehearse", is_flag=True, help="Carry the plan out on an in-memory copy first; apply always does.")
@click.option(
    "--impact",
    type=click.Choice(["short", "full"]),
    default="short",
    show_default=True,
    help="In text: name what is critical and sensitive and count the rest, or name everything.",
)
@click.option("--step-summary", is_flag=True, help="Also append the plan to the summary of a GitHub workflow's step.")
@allow_option
@exact_option
@record_option
@click.option(
    "--format",
    "output_format",
    type=click.Choice([form.value for form in PlanFormat]),
    default="text",
    show_default=True,
    help="Form of the result; markdown fits a pull-request comment, github makes workflow annotations.",
)
@connection_options
@declaration_argument
@click.pass_obj
def command(
    console: Console,
    file: Path,
    *,
    connection: Connection,
    out: Path | None,
    detailed_exitcode: bool,
    without_secrets: bool,
    rehearse: bool,
    impact: str,
    step_summary: bool,
    allowed: tuple[str, ...],
    exact_documents: bool,
    output_format: str,
    record: str | None,
) -> int:
    """Compare FILE (workspace.yaml by default) with the live workspace and show the differences."""
    summary = step_summary_file() if step_summary else None
    with DocumentParser() as parser:
        declared = load_declared(file, parser, console, without_secrets=without_secrets)
        target = find_target(connection, declared.server)

        known = wait_for(trusted_record(record, console, declared, target)).record
        terms = terms_for(
            console, declared, target, parser, allowed=allowed, exact_documents=exact_documents, record=known
        )

        async def make() -> Prepared:
            async with open_reader(target, connection, console) as transport:
                return await prepare(transport, declared, terms)

        with working(console, "Reading the workspace"):
            prepared = wait_for(make())
        plan = prepared.plan
        if rehearse and not plan.refused:
            _rehearse(console, prepared, declared.desired, terms)
    if out is not None:
        write_whole(out, plan.to_json())
    if summary is not None:
        append_step_summary(plan, summary, console)
    console.result(rendered(plan, PlanFormat(output_format), console, full_impact=impact == "full"))
    if plan.refused:
        return ExitCode.REFUSED
    return ExitCode.DIFFERENCES if detailed_exitcode and not plan.is_empty else ExitCode.DONE


def _rehearse(console: Console, prepared: Prepared, desired: Desired, terms: Terms) -> None:
    from reconciler.rehearsal.rehearse import rehearse
    from reconciler.views.sentences import counted

    if prepared.plan.without_secrets:
        raise UsageError("a plan without secret values cannot be rehearsed")
    changes = prepared.plan.changes
    with working(console, "Rehearsing on a copy"):
        done = wait_for(rehearse(prepared, changes, desired, terms))
    console.note(f"Rehearsed on a copy: {counted(done.writes, 'write')}, all succeed, and nothing is left to do.")
