"""The files that a declaration consists of, found without checking what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.declaration.files import ConfinementError, Folder
from reconciler.declaration.source import read_source, read_yaml
from reconciler.errors import InvalidDeclarationError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.errors import Problem


def declaration_texts(path: Path) -> dict[Path, str]:
    """Return the texts of a declaration and of all that it includes, the top file first.

    Patterns that match nothing are none of this function's business. Raises :class:`InvalidDeclarationError` for files
    that are no YAML of the kind that a declaration is written in.
    """
    texts: dict[Path, str] = {}
    problems: list[Problem] = []
    folder = Folder(path.parent)
    for one in (path, *_included(path, folder, problems)):
        try:
            text = read_source(one, folder.shown(one))
            read_yaml(text, folder.shown(one))
        except SourceError as error:
            problems.append(error.problem)
        else:
            texts[one] = text
    if problems:
        raise InvalidDeclarationError(list(dict.fromkeys(problems)))
    return texts


def _included(path: Path, folder: Folder, problems: list[Problem]) -> Iterator[Path]:
    try:
        patterns = read_yaml(read_source(path, folder.shown(path)), folder.shown(path)).root.get("include")
    except SourceError as error:
        problems.append(error.problem)
        return
    seen = {path.resolve()}
    for pattern in patterns if isinstance(patterns, list) else ():
        try:
            matching = folder.matching(pattern) if isinstance(pattern, str) else []
        except ConfinementError:
            continue
        for one in matching:
            if one.resolve() not in seen:
                seen.add(one.resolve())
                yield one
