"""Why there is no plan, as Markdown for a comment or a summary: it takes the place of an outdated plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.views.failure import failure_rule
from reconciler.views.markdown import code, marker, prose
from reconciler.views.plan_markdown import COMMENT_LIMIT
from reconciler.views.problems import problem_line
from reconciler.views.sections import Section, fit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.views.failure import Failure


def render_failure_markdown(
    failure: Failure, *, limit: int = COMMENT_LIMIT, whole: str = "the output of `reconciler plan`"
) -> str:
    """Return a failure as Markdown of ``limit`` characters at most; ``whole`` says, as Markdown, where all of it is."""
    errors = [problem_line(problem) for problem in failure.problems if problem.severity is Severity.ERROR]
    warnings = [problem_line(problem) for problem in failure.problems if problem.severity is not Severity.ERROR]
    hint = f" ({prose(failure.hint)})" if failure.hint else ""
    stopped = Section(
        0, ("", "> [!CAUTION]"), tuple(f"> {line}" for line in errors or [prose(failure.message) + hint]), ()
    )
    sections = [stopped, Section(1, ("", "**Warnings**", ""), tuple(warnings), ())]
    return fit(list(_head(failure)), sections, limit, whole)


def _head(failure: Failure) -> Iterator[str]:
    yield marker(failure.workspace, failure.declaration)
    yield f"### No plan for {code(failure.workspace or failure.declaration)}: {prose(_title(failure))}"
    yield ""
    reason = f"exit code {failure.exit_code.value}, {failure_rule(failure)}"
    yield f"There is no plan of {code(failure.declaration)} for this commit ({reason}). Nothing has been changed."


def _title(failure: Failure) -> str:
    return failure.message if failure.problems else failure_rule(failure).replace("-", " ")
