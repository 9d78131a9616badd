"""A declaration as it would be with some files changed: checked in a folder of its own before anything is written."""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.declaration.load import load
from reconciler.errors import InvalidDeclarationError, Place, Problem
from reconciler.model.secret import Secret
from reconciler.model.text import harmless
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.redact import secret_paths
from reconciler.vaults.references import template_tree
from reconciler.vaults.tree import leaves, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.declaration.declaration import Declaration
    from reconciler.model.snapshot import Snapshot
    from reconciler.vaults.parse import DocumentParser

_REFERENCE = re.compile(r"@\{[^{}\n]*\}")


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


def written_secrets(declared: Snapshot, parser: DocumentParser) -> Iterator[Secret]:
    """Iterate over the secrets that somebody wrote into documents in the clear: a diff would show their lines."""
    for vault in declared.vaults.values():
        try:
            tree = template_tree(vault.document, parser).tree
        except DocumentError:
            continue
        secret = secret_paths(tree, vault.target)
        for path, node in leaves(tree):
            if path in secret:
                for text in texts(node):
                    parts = _REFERENCE.split(text)
                    lines = dict.fromkeys(line for part in parts for line in (part, *part.split("\n")))
                    yield from (Secret(line) for line in lines if line.strip())


def diff_text(texts: Mapping[Path, str]) -> str:
    """Return what would change in files as a unified diff, harmless in a terminal."""
    lines: list[str] = []
    for path, text in sorted(texts.items()):
        before = path.read_text(encoding="utf-8-sig") if path.exists() else ""
        old = path.as_posix() if path.exists() else "/dev/null"
        lines += unified_diff(_lines(before), _lines(text), old, path.as_posix(), lineterm="")
    return "".join("\t".join(map(harmless, line.split("\t"))) + "\n" for line in lines)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []
