"""Where the record of a workspace is: at a place that the caller names, or beside the declaration."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.declaration.workspace_name import workspace_name
from reconciler.errors import RecordError, UsageError
from reconciler.frozen import Frozen
from reconciler.model.text import fold, harmless
from reconciler.record.document import Workspace
from reconciler.record.git import is_committed
from reconciler.record.lock import SUFFIX
from reconciler.record.opening import open_place

if TYPE_CHECKING:
    from reconciler.commands.connection import Target
    from reconciler.commands.declaration_loading import LoadedDeclaration
    from reconciler.commands.session import Session
    from reconciler.record.places import Place

FOLDER = ".reconciler"
NONE = "none"
_ENDING = ".json"
_SLUG_LENGTH = 40


class Places(Frozen):
    """The record, and the lock beside it."""

    record: Place
    lock: Place


def workspace_of(declared: LoadedDeclaration, target: Target) -> Workspace:
    """Return what identifies the record of this workspace."""
    server = target.name if target.database is None else f"sandbox:{target.database.resolve()}"
    return Workspace(name=declared.desired.workspace, server=server)


def places_for(session: Session, where: str | None, folder: Path, workspace: Workspace) -> Places | None:
    """Return where a run keeps its record; ``None`` if it is to keep none."""
    if where == NONE:
        return None
    if where:
        return _places_at(session, where, session.folder)
    return _places_at(session, f"{FOLDER}/{_slug(workspace)}{_ENDING}", folder)


def find_places(session: Session, where: str | None, file: Path) -> Places:
    """Return the places that are to be looked at, without a server: the ones named, or the only ones there are.

    Of several in a folder, those of the workspace that the declaration names, unless it has them for several servers.
    Raises :class:`UsageError` if there are none, or several to choose from.
    """
    if where == NONE:
        raise UsageError("there is no record to look at: --record (or RECONCILER_RECORD) is none")
    if where:
        return _places_at(session, where, session.folder)
    file = session.folder / file
    folder = (file if file.is_dir() else file.parent) / FOLDER
    names = {path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{_ENDING}*")}
    found = sorted(name for name in names if name.endswith(_ENDING) and not name.startswith("."))
    if not found:
        raise UsageError(
            f"there is no record in {harmless(str(folder))}",
            hint="apply makes one; --record (or RECONCILER_RECORD) names another place",
        )
    if len(found) > 1:
        name = workspace_name(file)
        found = [one for one in found if name is not None and _is_about(name, one)] or found
    if len(found) > 1:
        shown = "".join(f"\n  --record {harmless(str(folder / name))}" for name in found)
        raise UsageError(f"there are several records in {harmless(str(folder))}; choose one:{shown}")
    return _places_at(session, found[0], folder)


def _places_at(session: Session, where: str, base: Path) -> Places:
    """Open both. Raises :class:`UsageError` for an address that cannot be one."""
    if where.startswith("~/"):
        where = str(session.home / where.removeprefix("~/"))
    _refuse_committed(session, where, base)
    record, lock = (
        open_place(where, base=base, suffix=suffix, world=session.world, open_object=session.open_object)
        for suffix in ("", SUFFIX)
    )
    return Places(record, lock)


def _refuse_committed(session: Session, where: str, base: Path) -> None:
    """Make sure that no record and no lock comes with a commit: whoever made the commit made it up.

    Raises :class:`RecordError`.
    """
    if "://" in where:
        return
    for name in (where, where + SUFFIX):
        path = Path(name).expanduser()
        if os.path.lexists(base / path) and is_committed(path, base, session.environment, session.world.run_program):
            raise RecordError(
                f"{harmless(str(base / path))} is committed to git: a commit could claim anything about past runs",
                hint="remove it from git (git rm --cached), or name another place with --record",
            )


def _is_about(workspace: str, file: str) -> bool:
    """Return whether a file may be the record of a workspace with this name, on whichever server."""
    return re.sub(r"(?:^|-)[0-9a-f]{8}$", "", file.removesuffix(_ENDING)) == _readable(workspace)


def _readable(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", fold(name))[:_SLUG_LENGTH].strip("-")


def _slug(workspace: Workspace) -> str:
    """Return a file name for a workspace: readable, and another one for every server."""
    name = _readable(workspace.name)
    digest = hashlib.sha256(f"{workspace.server}\n{workspace.name}".encode()).hexdigest()[:8]
    return f"{name}-{digest}" if name else digest
