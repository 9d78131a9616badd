"""Why there is no plan: what a view shows where a plan would have been."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.errors import ExitCode, InvalidDeclarationError, Place, ReconcilerError, Severity
from reconciler.frozen import Frozen
from reconciler.views.findings import Finding, problem_findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.errors import Problem


class Failure(Frozen):
    """Why a command has no result: its message, what to do, and every problem of the declaration, if it has any.

    ``workspace`` is the name of the workspace, if it can be read from the declaration.
    """

    workspace: str | None
    declaration: str
    message: str
    hint: str | None
    exit_code: ExitCode
    problems: tuple[Problem, ...] = ()


def failure_of(error: ReconcilerError, declaration: str, workspace: str | None) -> Failure:
    """Return an error as what views show of it."""
    problems = error.problems if isinstance(error, InvalidDeclarationError) else ()
    return Failure(workspace, declaration, error.message, error.hint, error.exit_code, problems)


def failure_rule(failure: Failure) -> str:
    """Return the rule by which tools group a failure that is no problem at a place, such as ``server``."""
    return re.sub(r"_", "-", failure.exit_code.name.lower())


def failure_findings(failure: Failure) -> Iterator[Finding]:
    """Return each problem as a finding; if none is an error, the failure itself, at the top of the declaration."""
    yield from problem_findings(failure.problems)
    if not any(problem.severity is Severity.ERROR for problem in failure.problems):
        hint = f" ({failure.hint})" if failure.hint else ""
        yield Finding(failure_rule(failure), "error", failure.message + hint, Place(failure.declaration))
