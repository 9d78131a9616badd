"""Adopts a set of differences: as many as can be, and says of the others why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from reconciler.declaration.adopt.adopter import Adopter
from reconciler.declaration.adopt.copy import WorkingCopy
from reconciler.declaration.adopt.documents import AdoptedDocuments
from reconciler.declaration.adopt.failure import LeftError
from reconciler.declaration.export import Exporter
from reconciler.declaration.export_documents import FOLDER, DocumentFiles
from reconciler.frozen import Frozen
from reconciler.model.resources import Address, Kind
from reconciler.plan.changes import Action, Change
from reconciler.yaml.edit import CannotEditError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.declaration.declaration import Declaration
    from reconciler.model.live import Live
    from reconciler.model.secret import Secret
    from reconciler.model.snapshot import Snapshot
    from reconciler.vaults.parse import DocumentParser


class Adopted(Frozen):
    """What was carried over: the new texts by file, new secrets by name, what was left and why, and notes."""

    done: tuple[Address, ...]
    texts: Mapping[Path, str]
    secrets: Mapping[str, Secret]
    left: Mapping[Address, str]
    notes: tuple[str, ...]


class _Step(Frozen):
    """A difference to adopt; without one: a live resource to declare."""

    address: Address
    change: Change | None = None


@dataclass(slots=True)
class Adoption:
    """Everything that is known before the files are changed.

    ``declared`` is the declared snapshot with the secrets that could be had, ``live`` the workspace under declared
    names. Live resources that it leaves alone can be declared too (``undeclared``).
    """

    declaration: Declaration
    declared: Snapshot
    live: Live
    parser: DocumentParser
    _left: dict[Address, str] = field(default_factory=dict)

    def run(self, changes: Sequence[Change], undeclared: Sequence[Address] = ()) -> Adopted:
        """Adopt these differences; where the text of a file refuses one, that one is left."""
        self._left = {}
        steps = [_Step(change.address, change) for change in changes] + [_Step(address) for address in undeclared]
        steps.sort(key=_order)
        try:
            return self._attempt(steps)
        except CannotEditError:
            return self._one_by_one(steps)

    def _one_by_one(self, steps: Sequence[_Step]) -> Adopted:
        """Add one difference after the other, and leave those that the files refuse."""
        refused: dict[Address, str] = {}
        accepted: list[_Step] = []
        for step in steps:
            try:
                self._attempt([*accepted, step])
            except CannotEditError as error:
                refused[step.address] = str(error)
            else:
                accepted.append(step)
        self._left = refused
        return self._attempt(accepted)

    def _attempt(self, steps: Sequence[_Step]) -> Adopted:
        copy = WorkingCopy(self.declaration)
        files = DocumentFiles(self.parser, *_places(self.declaration))
        exporter = Exporter(self.live, files)
        documents = AdoptedDocuments(copy, self.declared.vaults, self.live.snapshot.vaults, files, self.parser)
        adopter = Adopter(copy, self.live, exporter, documents)
        done: list[Address] = []
        left = dict(self._left)
        for step in steps:
            try:
                if step.change is not None:
                    adopter.adopt(step.change)
                else:
                    adopter.add(step.address)
            except LeftError as error:
                left[step.address] = str(error)
            else:
                done.append(step.address)
        copy.documents |= files.files
        notes = (*adopter.notes, *documents.notes)
        return Adopted(tuple(done), copy.texts(), {**files.secrets, **documents.secrets}, left, notes)


def _order(step: _Step) -> tuple[int, int, tuple[str, ...]]:
    """Make room first, then add, then change; what others may still name is removed last."""
    action = step.change.action if step.change is not None else Action.DELETE
    is_removal = action in (Action.CREATE, Action.INVITE)
    first = is_removal and step.address.kind in (Kind.CREDENTIAL, Kind.VAULT, Kind.ACCESS_RULE)
    rank = 0 if first else 1 if action is Action.DELETE else 3 if is_removal else 2
    return rank, list(Kind).index(step.address.kind), step.address.key


def _places(declaration: Declaration) -> tuple[str, frozenset[str]]:
    """Return the folder for new documents and the paths in it that are not free."""
    used = [PurePosixPath(vault.entry.item.file) for vault in declaration.owned_vaults() if vault.entry.item.file]
    folders = [path.parent.as_posix() for path in used]
    folder = max(sorted(set(folders)), key=folders.count, default=FOLDER)
    there = declaration.folder / folder
    found = {f"{folder}/{path.name}" for path in there.iterdir()} if there.is_dir() else set()
    return folder, frozenset(found | {path.as_posix() for path in used})
