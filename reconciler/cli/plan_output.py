"""Where a plan goes and in which forms, for every command that has one; and why there is none, in the same forms."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import format_choice, gather, stacked
from reconciler.cli.writing import write_option
from reconciler.commands.result_files import append_summary, summary_file, write_form
from reconciler.declaration.workspace_name import workspace_name
from reconciler.errors import ReconcilerError
from reconciler.frozen import Frozen
from reconciler.views.failure import failure_of
from reconciler.views.failure_forms import render_failure, render_failure_summary
from reconciler.views.palette import Palette
from reconciler.views.plan_forms import PlanFormat, render_form, render_step_summary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.cli.invocation import Invocation
    from reconciler.plan.document import Plan


class PlanOutput(Frozen):
    """The form on stdout, the files with other forms, and the summary of a workflow's step."""

    output_format: str
    write: tuple[tuple[PlanFormat, Path], ...]
    impact: str
    step_summary: bool

    @property
    def goes_elsewhere(self) -> bool:
        """Whether the plan goes anywhere but to the terminal as text."""
        return self.output_format != PlanFormat.TEXT or bool(self.write) or self.step_summary


plan_output_options = stacked(
    click.option(
        "--impact",
        type=click.Choice(["short", "full"]),
        default="short",
        show_default=True,
        help="In text: name what is critical and sensitive and count the rest, or name everything.",
    ),
    click.option("--step-summary", is_flag=True, help="Also append it to the summary of a GitHub workflow's step."),
    write_option(PlanFormat),
    format_choice(
        PlanFormat,
        "Form of the result; markdown fits a pull-request comment, github makes workflow annotations, "
        "gitlab is a code quality report.",
    ),
    gather("output", PlanOutput),
)
"""The options that say where a plan goes; they become one ``output``."""


def show_plan(invocation: Invocation, plan: Plan, output: PlanOutput, *, revealed: bool = False) -> None:
    """Write a plan wherever it is wanted; one with ``revealed`` secrets is not masked, and only in a terminal."""
    console, session = invocation.console, invocation.session
    for form, path in output.write:
        text = render_form(plan, form, Palette(enabled=False), session.environment, full_impact=True)
        write_form(session, path, text)
    if output.step_summary:
        append_summary(session, render_step_summary(plan, session.environment))
    form, full = PlanFormat(output.output_format), output.impact == "full"
    text = render_form(plan, form, console.output, session.environment, full_impact=full)
    (console.revealed if revealed else console.result)(text)


@contextmanager
def failures_shown(invocation: Invocation, output: PlanOutput, declaration: Path) -> Iterator[None]:
    """Write why there is no plan wherever the plan would have gone, and let the error go on.

    Raises :class:`UsageError` before anything else if there is no summary of a step.
    """
    session = invocation.session
    if output.step_summary:
        summary_file(session)
    try:
        yield
    except ReconcilerError as error:
        name = workspace_name(session.folder / declaration)
        failure = failure_of(error, declaration.as_posix(), name)
        for form, path in output.write:
            write_form(session, path, render_failure(failure, form, session.environment))
        if output.step_summary:
            append_summary(session, render_failure_summary(failure, session.environment))
        invocation.console.result(render_failure(failure, PlanFormat(output.output_format), session.environment))
        raise
