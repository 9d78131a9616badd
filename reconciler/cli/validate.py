"""``reconciler validate``: check the declaration, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import declaration_argument, format_choice
from reconciler.commands.validate import Validation, validate_declaration
from reconciler.errors import ExitCode
from reconciler.model.text import harmless
from reconciler.views.problems import problems_github, problems_json, render_problems, summary_of_valid

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.cli.invocation import Invocation


@click.command("validate")
@format_choice(
    ("text", "json", "github", "sarif"),
    "Form of the result; github makes workflow annotations, sarif is for code scanning.",
)
@declaration_argument
@click.pass_obj
def command(invocation: Invocation, file: Path, output_format: str) -> int:
    """Check FILE (workspace.yaml by default) and all that it includes, and report every error at once."""
    console = invocation.console
    validation = validate_declaration(invocation.session, file)
    match output_format:
        case "json":
            console.result(problems_json(validation.problems))
        case "github":
            console.result(problems_github(validation.problems))
        case "sarif":
            from reconciler.views.sarif import problems_sarif

            console.result(problems_sarif(validation.problems))
        case _:
            _show(console, validation, harmless(str(file)))
    return _exit_code(validation)


def _show(console: Console, validation: Validation, file: str) -> None:
    excerpts = validation.excerpts if console.output.enabled or console.animated else None
    console.result(render_problems(validation.problems, console.output, excerpts.get if excerpts is not None else None))
    invalid = validation.invalid
    summary = invalid.message if invalid else summary_of_valid(file, validation.counts, validation.refused)
    console.note(console.diagnostics.strong(summary))


def _exit_code(validation: Validation) -> ExitCode:
    if validation.invalid is not None:
        return validation.invalid.exit_code
    return ExitCode.REFUSED if validation.refused else ExitCode.DONE
