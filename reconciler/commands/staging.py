"""A declaration as it would be with some files changed: checked in a folder of its own before anything is written."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.declaration.load import load
from reconciler.errors import InvalidDeclarationError, Place, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.declaration.declaration import Declaration
    from reconciler.vaults.parse import DocumentParser


@contextmanager
def staged(declaration: Declaration, texts: Mapping[Path, str], parser: DocumentParser) -> Iterator[Declaration]:
    """Yield the declaration with new texts for some of its files, while its copy is there.

    Raises :class:`InvalidDeclarationError`, with places in the files themselves, if it would not be valid.
    """
    with tempfile.TemporaryDirectory(prefix="reconciler-") as name:
        folder = Path(name)
        for shown in declaration.files:
            _put(folder / _inside(declaration, Path(shown)), Path(shown).read_bytes())
        for path, text in texts.items():
            _put(folder / _inside(declaration, path), text.encode("utf-8"))
        try:
            yield load(folder / Path(declaration.top_file).name, documents=parser)
        except InvalidDeclarationError as error:
            raise InvalidDeclarationError(
                [_moved(problem, folder, declaration) for problem in error.problems]
            ) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(exist_ok=True)


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _inside(declaration: Declaration, path: Path) -> Path:
    return path.relative_to(declaration.folder)


def _moved(problem: Problem, folder: Path, declaration: Declaration) -> Problem:
    """Return a problem with its place in the file that the staged one stands for."""
    place = problem.place
    if place is None or not Path(place.file).is_relative_to(folder):
        return problem
    file = str(declaration.folder / Path(place.file).relative_to(folder))
    message = problem.message.replace(f"{folder}/", "")
    return Problem(problem.rule, message, Place(file, place.line, place.column), problem.hint, problem.severity)
