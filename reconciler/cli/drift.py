"""``reconciler drift``: report whether the workspace is what the declaration says. Its connection cannot write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.drift_options import (
    DriftOutput,
    Notification,
    fail_on_option,
    issue_body_option,
    limit_options,
    metrics_option,
    notification_options,
)
from reconciler.cli.options import (
    connection_options,
    declaration_argument,
    exact_option,
    format_option,
    gather,
    record_option,
)
from reconciler.commands.announce import announce_drift, read_receivers
from reconciler.commands.drift import DriftRequest, DriftResult, check_drift
from reconciler.errors import ExitCode
from reconciler.views.drift import drift_json, render_drift

if TYPE_CHECKING:
    from reconciler.cli.invocation import Invocation


@click.command("drift")
@click.option("--without-secrets", is_flag=True, help="Compare without secret values.")
@exact_option
@limit_options
@fail_on_option
@notification_options
@metrics_option
@issue_body_option
@record_option
@format_option
@connection_options
@declaration_argument
@gather("request", DriftRequest)
@gather("output", DriftOutput)
@click.pass_obj
def command(invocation: Invocation, *, request: DriftRequest, output: DriftOutput, notification: Notification) -> int:
    """Compare the live workspace with FILE (workspace.yaml by default), and report which side moved.

    Exit code 0 if it is in sync (invitations that wait and credentials that are due are no drift), 2 if it differs,
    another one if that is not known.
    """
    console, session = invocation.console, invocation.session
    receivers = read_receivers(session, notification.notify, notification.notify_secret_file)
    result = invocation.wait_for(check_drift(session, request))
    _write_files(invocation, output, result)
    if output.output_format == "json":
        console.result(drift_json(result.plan, result.drift))
    else:
        console.result(render_drift(result.plan, console.output, result.drift))
    troubles = invocation.wait_for(announce_drift(session, receivers, result))
    for trouble in troubles:
        console.error(trouble)
    return _exit_code(result, output, announced=not troubles)


def _write_files(invocation: Invocation, output: DriftOutput, result: DriftResult) -> None:
    session = invocation.session
    if output.metrics is not None:
        from reconciler.views.drift_metrics import render_metrics

        metrics = render_metrics(result.drift, session.world.clock.now(), result.seconds)
        session.files.write(session.folder / output.metrics, metrics)
    if output.issue_body is not None:
        from reconciler.views.drift_issue import render_issue

        body = session.secrets.mask(render_issue(result.plan, result.drift))
        session.files.write(session.folder / output.issue_body, body)


def _exit_code(result: DriftResult, output: DriftOutput, *, announced: bool) -> ExitCode:
    if output.fails(result.drift):
        return ExitCode.DIFFERENCES
    return ExitCode.DONE if announced else ExitCode.SERVER
