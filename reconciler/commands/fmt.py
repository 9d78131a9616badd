"""``fmt``: bring a declaration's files into the canonical style, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.declaration.fmt.canonical import CannotFormatError, canonical
from reconciler.declaration.fmt.files import declaration_texts
from reconciler.errors import InvalidDeclarationError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.commands.session import Session


def formatted_files(session: Session, file: Path) -> Mapping[Path, str]:
    """Return the new texts of those files of a declaration that are not in the canonical style; nothing is written.

    Raises :class:`InvalidDeclarationError`, with a problem for each file that cannot be formatted.
    """
    changed: dict[Path, str] = {}
    problems: list[Problem] = []
    for path, text in declaration_texts(session.folder / file).items():
        try:
            formatted = canonical(text, str(path))
        except CannotFormatError as error:
            problems.append(Problem("format", str(error), error.place))
        else:
            if formatted != text:
                changed[path] = formatted
    if problems:
        raise InvalidDeclarationError(problems)
    return changed


def format_files(session: Session, file: Path) -> Mapping[Path, str]:
    """Bring a declaration and all that it includes into the canonical style; return the new texts of what changed.

    Raises :class:`InvalidDeclarationError`, and :class:`reconciler.errors.UsageError` if a file cannot be written; then
    nothing has changed.
    """
    changed = formatted_files(session, file)
    session.files.write_all(changed)
    return changed
