"""A file of plain values, read into a model as the declaration's files are."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from reconciler.declaration.source import read_source
from reconciler.declaration.validation import value_problem
from reconciler.errors import SourceError, UsageError
from reconciler.model.text import harmless
from reconciler.yaml.reader import read

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reconciler.errors import Problem

Values = TypeVar("Values", bound=BaseModel)


def read_values(model: type[Values], path: Path) -> Values:
    """Return the values of a YAML file; an empty one has none.

    Raises :class:`UsageError`, which names everything that is wrong, and where.
    """
    shown = harmless(str(path))
    try:
        tree = read(read_source(path, shown), shown)
    except SourceError as error:
        raise _unusable([error.problem]) from error
    try:
        return model.model_validate({} if tree.root is None else tree.root)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise _unusable(value_problem(model, tree, detail["loc"], detail) for detail in details) from error


def _unusable(problems: Iterable[Problem]) -> UsageError:
    return UsageError("\n".join(f"{problem.place}: {problem.message}" for problem in problems))
