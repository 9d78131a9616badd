"""``reconciler drift``: tell whether the workspace is what the declaration says. Its connection cannot write."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from reconciler.clearml.reader import Reader
from reconciler.cli.declared import load_declared
from reconciler.cli.drift_look import look_for_drift
from reconciler.cli.drift_options import watch_options
from reconciler.cli.drift_telling import read_targets, tell
from reconciler.cli.options import connection_options, declaration_argument, exact_option, format_option
from reconciler.cli.output import write_whole
from reconciler.cli.planning import prepare, terms_for
from reconciler.cli.progress import working
from reconciler.cli.record_places import record_option
from reconciler.cli.recorded import trusted_record
from reconciler.cli.session import find_target, open_reader
from reconciler.cli.waiting import wait_for
from reconciler.errors import ExitCode
from reconciler.vaults.parse import DocumentParser
from reconciler.views.drift import drift_json, render_drift

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.cli.drift_options import Watch
    from reconciler.cli.options import Connection
    from reconciler.drift.report import Drift
    from reconciler.plan.document import Plan


@click.command("drift")
@click.option("--without-secrets", is_flag=True, help="Compare without secret values.")
@exact_option
@watch_options
@record_option
@format_option
@connection_options
@declaration_argument
@click.pass_obj
def command(
    console: Console,
    file: Path,
    *,
    connection: Connection,
    watch: Watch,
    record: str | None,
    without_secrets: bool,
    exact_documents: bool,
    output_format: str,
) -> int:
    """Compare the live workspace with FILE (workspace.yaml by default), and tell which side moved.

    Exit code 0 if it is in sync (invitations that wait and credentials that are due are no drift), 2 if it differs,
    another one if nobody can tell.
    """
    started = time.monotonic()
    targets, secret = read_targets(watch, console)
    with DocumentParser() as parser:
        declared = load_declared(file, parser, console, without_secrets=without_secrets)
        target = find_target(connection, declared.server)
        recorded = wait_for(trusted_record(record, console, declared, target))
        terms = terms_for(console, declared, target, parser, exact_documents=exact_documents, record=recorded.record)

        async def compare() -> tuple[Plan, Drift]:
            async with open_reader(target, connection, console) as transport:
                prepared = await prepare(transport, declared, terms)
                reader = Reader(transport)
                return prepared.plan, await look_for_drift(
                    reader, prepared, declared.desired, terms, recorded, watch.limits, console
                )

        with working(console, "Reading the workspace"):
            plan, drift = wait_for(compare())
    _write_files(watch, plan, drift, time.monotonic() - started, console)
    console.result(drift_json(plan, drift) if output_format == "json" else render_drift(plan, console.output, drift))
    told = wait_for(tell(targets, secret, plan, drift, recorded, console))
    if watch.fails(drift):
        return ExitCode.DIFFERENCES
    return ExitCode.DONE if told else ExitCode.SERVER


def _write_files(watch: Watch, plan: Plan, drift: Drift, seconds: float, console: Console) -> None:
    if watch.metrics is not None:
        from reconciler.views.drift_metrics import render_metrics

        write_whole(watch.metrics, render_metrics(drift, console.edges.now(), seconds))
    if watch.issue_body is not None:
        from reconciler.views.drift_issue import render_issue

        write_whole(watch.issue_body, console.secrets.mask(render_issue(plan, drift)))
