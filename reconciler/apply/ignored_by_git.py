"""Keeps delivered keys out of commits: a file in a git work tree must be ignored by it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.errors import DeliveryError
from reconciler.model.text import harmless
from reconciler.record.git import repositories

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.record.git import Repository
    from reconciler.world import RunProgram

_SPECIAL = re.compile(r"[\\*?\[\]!# ]")
"""Characters that have a meaning in an ignore file (git's manual, ``gitignore``)."""


def check_ignored(
    path: Path, name: str, environment: Mapping[str, str], run_program: RunProgram, *, gitignore: bool
) -> None:
    """Make sure that no commit takes a file along; ``gitignore``: it will be made so, if it is not committed yet.

    Raises :class:`DeliveryError`.
    """
    place = path.parent.resolve() / path.name
    repository = _around(place, environment, run_program)
    if repository is None or repository.ignores(place):
        return
    shown = harmless(name)
    if not gitignore:
        hint = f"ignore it first (echo {harmless(path.name)} >>{harmless(str(path.parent / '.gitignore'))}), or write "
        raise DeliveryError(
            f"{shown} is in a git work tree and git does not ignore it, so a commit could take the key along",
            hint=f"{hint}{{path: {shown}, gitignore: true}}",
        )
    if repository.committed([place]):
        raise DeliveryError(
            f"{shown} is committed, and an ignore file does not change that",
            hint=f"git rm --cached {shown}",
        )


def add_to_gitignore(path: Path, environment: Mapping[str, str], run_program: RunProgram) -> None:
    """Make git ignore a file, and the unfinished one beside it, if it does not yet. Raises :class:`DeliveryError`."""
    place = path.parent.resolve() / path.name
    repository = _around(place, environment, run_program)
    if repository is None or repository.ignores(place):
        return
    file = place.parent / ".gitignore"
    lines = [f"/{_SPECIAL.sub(_escaped, name)}\n" for name in (place.name, f".{place.name}.new")]
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        newline = "" if before.endswith("\n") or not before else "\n"
        file.write_text(before + newline + "".join(lines), encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise DeliveryError(f"{harmless(str(file))} could not be written") from None
    if not repository.ignores(place):
        raise DeliveryError(f"git does not ignore {harmless(str(path))}, although {harmless(str(file))} says so")


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def _around(place: Path, environment: Mapping[str, str], run_program: RunProgram) -> Repository | None:
    return next(repositories(place.parent, environment, run_program), None)
