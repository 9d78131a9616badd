"""``reconciler validate``: check the declaration, without a server."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import declaration_argument
from reconciler.errors import ExitCode, InvalidDeclarationError, Problem, Severity
from reconciler.model.resources import Kind
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.errors import Place
    from reconciler.model.desired import Desired
    from reconciler.vaults.parse import DocumentParser


@click.command("validate")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="Form of the result; github makes workflow annotations, sarif is for code scanning.",
)
@declaration_argument
@click.pass_obj
def command(console: Console, file: Path, output_format: str) -> int:
    """Check FILE (workspace.yaml by default) and all that it includes, and report every error at once."""
    from reconciler.declaration.load import load
    from reconciler.declaration.resolve import resolve
    from reconciler.plan.policy.outcome import broken_rules, policy_problems
    from reconciler.vaults.parse import DocumentParser
    from reconciler.views.problems import problems_github, problems_json, render_problems

    excerpts: Mapping[Place, str] = {}
    with DocumentParser() as parser:
        try:
            declaration = load(file, documents=parser)
            desired = resolve(declaration, secrets=None)
            broken = list(policy_problems(broken_rules(desired)))
        except InvalidDeclarationError as error:
            problems, excerpts, code, summary = error.problems, error.excerpts, error.exit_code, error.message
        else:
            problems = (*declaration.warnings, *_client_problems(desired, parser), *broken)
            refused = sum(problem.severity is Severity.ERROR for problem in broken)
            excerpts = {place: line for place in _places(broken) if (line := declaration.excerpt(place)) is not None}
            code = ExitCode.REFUSED if refused else ExitCode.DONE
            summary = _summary(harmless(str(file)), desired, refused)
    if output_format == "json":
        console.result(problems_json(problems))
    elif output_format == "github":
        console.result(problems_github(problems))
    elif output_format == "sarif":
        from reconciler.views.sarif import problems_sarif

        console.result(problems_sarif(problems))
    else:
        in_terminal = console.output.enabled or console.animated
        console.result(render_problems(problems, console.output, excerpts.get if in_terminal else None))
        console.note(console.diagnostics.strong(summary))
    return code


def _client_problems(desired: Desired, parser: DocumentParser) -> Iterator[Problem]:
    """Return warnings about what clients make of each vault (only paths, never values)."""
    from reconciler.vaults.client_view import client_differences

    for address, vault in desired.snapshot.vaults.items():
        for warning in client_differences(vault, parser):
            message = f"vault {vault.title}: {warning.sentence}"
            yield Problem(warning.rule.value, message, desired.places.get(address), severity=Severity.WARNING)


def _places(problems: Iterable[Problem]) -> Iterator[Place]:
    return (problem.place for problem in problems if problem.place is not None)


def _summary(file: str, desired: Desired, refused: int) -> str:
    from reconciler.views.sentences import counted

    if refused:
        return f"{file} is refused: it breaks the rules of the policy in {counted(refused, 'place')}."
    return f"{file} is valid: {_count(desired)}."


def _count(desired: Desired) -> str:
    from reconciler.views.sentences import counted, kind_name

    counts = Counter(address.kind for address in desired.snapshot.resources)
    return ", ".join(counted(counts[kind], kind_name(kind)) for kind in Kind if counts[kind]) or "nothing declared"
