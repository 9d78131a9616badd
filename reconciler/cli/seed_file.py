"""The file of ``reconciler sandbox serve --seed``, read as the declaration's files are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from reconciler.declaration.source import read_source
from reconciler.declaration.validation import value_problem
from reconciler.errors import Problem, SourceError, UsageError
from reconciler.model.text import harmless
from reconciler.sandbox.seed import Seed
from reconciler.yaml.reader import read

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def read_seed(path: Path) -> Seed:
    """Return what a file asks for. Raises :class:`UsageError`, which names everything that is wrong, and where."""
    shown = harmless(str(path))
    try:
        tree = read(read_source(path, shown), shown)
    except SourceError as error:
        raise _unusable([error.problem]) from error
    try:
        return Seed.model_validate({} if tree.root is None else tree.root)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise _unusable(value_problem(Seed, tree, detail["loc"], detail) for detail in details) from error


def _unusable(problems: Iterable[Problem]) -> UsageError:
    return UsageError("\n".join(f"{problem.place}: {problem.message}" for problem in problems))
