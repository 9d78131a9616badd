"""``reconciler validate``: check the declaration, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import declaration_argument, format_choice
from reconciler.cli.writing import write_option
from reconciler.commands.result_files import append_summary, summary_file, write_form
from reconciler.commands.validate import Validation, validate_declaration
from reconciler.errors import ExitCode
from reconciler.model.text import harmless
from reconciler.views.problems import (
    ProblemFormat,
    problems_markdown,
    render_form_of_problems,
    render_problems,
    summary_of_valid,
)

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.cli.invocation import Invocation


@click.command("validate")
@click.option("--step-summary", is_flag=True, help="Also append it to the summary of a GitHub workflow's step.")
@write_option(ProblemFormat)
@format_choice(
    ProblemFormat,
    "Form of the result; github makes workflow annotations, sarif is for code scanning, gitlab for code quality.",
)
@declaration_argument
@click.pass_obj
def command(
    invocation: Invocation,
    file: Path,
    output_format: str,
    write: tuple[tuple[ProblemFormat, Path], ...],
    *,
    step_summary: bool,
) -> int:
    """Check FILE (workspace.yaml by default) and all that it includes, and report every error at once."""
    console, session = invocation.console, invocation.session
    if step_summary:
        summary_file(session)
    validation = validate_declaration(session, file)
    shown = harmless(str(file))
    summary = _summary(validation, shown)
    for form, path in write:
        write_form(session, path, render_form_of_problems(form, validation.problems, shown, summary))
    if step_summary:
        append_summary(session, problems_markdown(validation.problems, shown, summary))
    form = ProblemFormat(output_format)
    if form is ProblemFormat.TEXT:
        _show(console, validation, summary)
    else:
        console.result(render_form_of_problems(form, validation.problems, shown, summary))
    return _exit_code(validation)


def _summary(validation: Validation, file: str) -> str:
    invalid = validation.invalid
    return invalid.message if invalid else summary_of_valid(file, validation.counts, validation.refused)


def _show(console: Console, validation: Validation, summary: str) -> None:
    excerpts = validation.excerpts if console.output.enabled or console.animated else None
    console.result(render_problems(validation.problems, console.output, excerpts.get if excerpts is not None else None))
    console.note(console.diagnostics.strong(summary))


def _exit_code(validation: Validation) -> ExitCode:
    if validation.invalid is not None:
        return validation.invalid.exit_code
    return ExitCode.REFUSED if validation.refused else ExitCode.DONE
