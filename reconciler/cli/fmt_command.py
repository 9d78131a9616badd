"""``reconciler fmt``: bring the declaration's files into the canonical style, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import declaration_argument
from reconciler.cli.staging import diff_text
from reconciler.cli.write_all import write_all
from reconciler.errors import ExitCode, InvalidDeclarationError, Problem
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.console import Console


@click.command("fmt")
@click.option("--check", is_flag=True, help="Write nothing; exit with 2 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change as a unified diff.")
@declaration_argument
@click.pass_obj
def command(console: Console, file: Path, *, check: bool, diff: bool) -> int:
    """Bring FILE (workspace.yaml by default) and all that it includes into the canonical style.

    Keys come in one order, indentation, blanks and quotes are made even; entries stay in their order and every comment
    at its line. What the files mean does not change, which is checked before anything is written.
    """
    changed = _changed(file)
    if diff:
        console.result(diff_text(changed))
    if not check and not diff:
        write_all(changed)
    for path in changed:
        console.note(f"{'would change' if check or diff else 'formatted'}  {harmless(str(path))}")
    if not changed:
        console.note("Every file is in the canonical style.")
    return ExitCode.DIFFERENCES if check and changed else ExitCode.DONE


def _changed(file: Path) -> dict[Path, str]:
    from reconciler.declaration.fmt.canonical import CannotFormatError, canonical
    from reconciler.declaration.fmt.files import declaration_texts
    from reconciler.errors import Place

    changed: dict[Path, str] = {}
    problems: list[Problem] = []
    for path, text in declaration_texts(file).items():
        try:
            formatted = canonical(text, str(path))
        except CannotFormatError as error:
            problems.append(Problem("format", f"this file cannot be formatted: {error}", Place(str(path))))
        else:
            if formatted != text:
                changed[path] = formatted
    if problems:
        raise InvalidDeclarationError(problems)
    return changed
