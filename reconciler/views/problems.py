"""Problems of a declaration: for terminals with the line and a caret, for machines, and as workflow annotations."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.errors import Problem, Severity
from reconciler.model.resources import Kind
from reconciler.model.text import harmless, json_document
from reconciler.views.findings import problem_findings
from reconciler.views.markdown import code, prose
from reconciler.views.palette import Palette
from reconciler.views.sentences import counted, kind_name
from reconciler.views.workflow import workflow_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.errors import Place


def render_problems(
    problems: Sequence[Problem], palette: Palette, excerpt: Callable[[Place], str | None] | None = None
) -> str:
    """Return one ``file:line:column: message`` per problem; with ``excerpt``, its line and a caret below it."""
    lines: list[str] = []
    for problem in problems:
        style = palette.error if problem.severity is Severity.ERROR else palette.change
        warning = "" if problem.severity is Severity.ERROR else "warning: "
        where = f"{_place(problem)}: " if problem.place else ""
        hint = f" ({harmless(problem.hint)})" if problem.hint else ""
        lines.append(f"{palette.strong(where)}{style(warning + harmless(problem.message))}{hint}")
        line = excerpt(problem.place) if excerpt and problem.place else None
        if line is not None and problem.place is not None:
            lines += _with_caret(line, problem.place.column, palette)
    return "".join(f"{line}\n" for line in lines)


def summary_of_valid(file: str, counts: Mapping[Kind, int], refused: int) -> str:
    """Say what a declaration without errors declares, or in how many places it breaks the organization's rules."""
    if refused:
        return f"{file} is refused: it breaks the rules of the policy in {counted(refused, 'place')}."
    found = ", ".join(counted(counts[kind], kind_name(kind)) for kind in Kind if counts.get(kind))
    return f"{file} is valid: {found or 'nothing declared'}."


def _place(problem: Problem) -> str:
    return harmless(str(problem.place))


def _with_caret(line: str, column: int, palette: Palette) -> list[str]:
    before = harmless(line[: column - 1].replace("\t", " "))
    shown = before + harmless(line[column - 1 :].rstrip("\r\n").replace("\t", " "))
    start = max(0, len(before) - 60)
    return [f"    {shown[start : start + 100]}", f"    {' ' * (len(before) - start)}{palette.error('^')}"]


def problems_json(problems: Sequence[Problem]) -> str:
    """Return problems as one JSON document."""
    valid = not any(problem.severity is Severity.ERROR for problem in problems)
    return json_document({"valid": valid, "problems": problem_entries(problems)})


def problem_entries(problems: Sequence[Problem]) -> list[dict[str, str | int | None]]:
    """Return problems as plain values for a JSON document."""
    return [
        {
            "rule": problem.rule,
            "severity": problem.severity.value,
            "message": problem.message,
            "hint": problem.hint,
            "file": problem.place.file if problem.place else None,
            "line": problem.place.line if problem.place else None,
            "column": problem.place.column if problem.place else None,
        }
        for problem in problems
    ]


class ProblemFormat(StrEnum):
    """The forms of what ``validate`` finds."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"
    GITLAB = "gitlab"


def render_form_of_problems(form: ProblemFormat, problems: Sequence[Problem], declaration: str, summary: str) -> str:
    """Return problems in one of their forms; ``summary`` says in one sentence how the declaration is."""
    match form:
        case ProblemFormat.TEXT:
            return render_problems(problems, Palette(enabled=False)) + f"{summary}\n"
        case ProblemFormat.JSON:
            return problems_json(problems)
        case ProblemFormat.MARKDOWN:
            return problems_markdown(problems, declaration, summary)
        case ProblemFormat.GITHUB:
            return problems_github(problems)
        case ProblemFormat.SARIF:
            from reconciler.views.sarif import problems_sarif

            return problems_sarif(problems, declaration)
        case ProblemFormat.JUNIT:
            from reconciler.views.junit import problems_junit

            return problems_junit(problems, declaration)
        case ProblemFormat.GITLAB:
            from reconciler.views.code_quality import problems_code_quality

            return problems_code_quality(problems, declaration)


def problems_markdown(problems: Sequence[Problem], declaration: str, summary: str) -> str:
    """Return problems as Markdown for the summary of a step; it is no comment of a plan."""
    lines = ["", *map(problem_line, problems)] if problems else []
    return "".join(f"{line}\n" for line in [f"### {code(declaration)}", "", prose(summary), *lines])


def problem_line(problem: Problem) -> str:
    """Return a problem as an item of a list in Markdown."""
    place = f"{code(str(problem.place))}: " if problem.place else ""
    warning = "warning: " if problem.severity is Severity.WARNING else ""
    hint = f" ({prose(problem.hint)})" if problem.hint else ""
    return f"- {place}{warning}{prose(problem.message)}{hint}"


def problems_github(problems: Sequence[Problem]) -> str:
    """Return problems as GitHub workflow commands, which become annotations in a pull request."""
    return "".join(
        workflow_command(finding.level, finding.message, finding.rule, finding.place, column=True)
        for finding in problem_findings(problems)
    )
