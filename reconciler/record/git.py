"""What git has committed, asked in a way that runs nothing and trusts no setting of the repository.

A repository's own configuration names programs: filters, hooks, a file-system monitor, ssh, credential helpers and
more. Whoever can put files below a checkout (an artifact, a cache, a submodule) can put one there. So git is asked for
nothing but commits and trees, which no setting touches; the repository is found here, not by git, which would take a
folder of files that look like one; every protocol is forbidden, so that no missing object is fetched; and files are
compared with what is committed here, since ``git status`` runs the filters.

Source: git's manual, ``gitattributes`` (filter), ``git-config`` (core.fsmonitor, core.hooksPath, core.sshCommand,
safe.bareRepository) and ``git`` (GIT_ALLOW_PROTOCOL, GIT_NO_LAZY_FETCH).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from reconciler.child_environment import child_environment
from reconciler.frozen import Frozen
from reconciler.world import ProgramTimeoutError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reconciler.world import RunProgram

_SECONDS = 10
_SAFE: Final = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
    "core.pager=cat",
    "credential.helper=",
    "protocol.allow=never",
)
_NOTHING: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",
}
_REDIRECTING: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_CEILING_DIRECTORIES")
_LINK = "120000"


class Committed(Frozen):
    """What a commit has at a path: its mode and kind (``blob``, ``tree``, ``commit``), and the object's id."""

    mode: str
    kind: str
    id: str


class Repository(Frozen):
    """A repository around a folder: ``top`` is its work tree, ``git_dir`` what its ``.git`` is."""

    top: Path
    git_dir: Path
    environment: Mapping[str, str]
    run_program: RunProgram

    def head(self) -> str | None:
        """Return the id of the commit that is checked out; ``None`` if git does not say."""
        said = self._ask("rev-parse", "--verify", "HEAD")
        return None if said is None else said.decode("ascii", "replace").strip()

    def committed(self, paths: Sequence[Path]) -> dict[Path, Committed] | None:
        """Return what the commit has at these paths, by path; ``None`` if git does not say.

        Links in a path are not followed: in a commit a link is a file, and nothing is below it.
        """
        names = {os.path.relpath(path, self.top): path for path in paths if path.is_relative_to(self.top)}
        said = self._ask("ls-tree", "-z", "HEAD", "--", *names) if names else b""
        if said is None:
            return None
        found = {}
        for line in said.split(b"\0"):
            facts, tab, name = line.partition(b"\t")
            path = names.get(os.fsdecode(name))
            if tab and path is not None:
                found[path] = Committed(*facts.decode("ascii").split()[:3])
        return found

    def differs(self, paths: Sequence[Path]) -> bool | None:
        """Return whether one of these files is not as it was committed; ``None`` if git does not say."""
        placed = [_placed(path) for path in paths]
        committed = self.committed(placed)
        if committed is None:
            return None
        return any(path not in committed or not _is_as(path, committed[path]) for path in placed)

    def as_committed(self, paths: Collection[Path]) -> frozenset[Path]:
        """Return which of these files are what the commit has at their paths; links never are."""
        placed = {path: _placed(path) for path in paths}
        committed = self.committed(sorted(set(placed.values()))) or {}
        return frozenset(
            path
            for path, place in placed.items()
            if (found := committed.get(place)) is not None and found.mode != _LINK and _is_as(place, found)
        )

    def commit(self, revision: str) -> str | None:
        """Return the id of the commit that a revision means; ``None`` if git knows none."""
        said = self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return None if said is None else said.decode("ascii", "replace").strip()

    def files_below(self, commit: str, folder: Path) -> dict[PurePosixPath, Committed] | None:
        """Return every file of a commit below a folder, by its path relative to it; ``None`` if git does not say."""
        below = os.path.relpath(folder, self.top)
        said = self._ask("ls-tree", "-r", "-z", commit, *(() if below == os.curdir else ("--", f"{below}/")))
        if said is None:
            return None
        found = {}
        for line in said.split(b"\0"):
            facts, tab, name = line.partition(b"\t")
            if tab:
                path = PurePosixPath(os.fsdecode(name))
                relative = path if below == os.curdir else path.relative_to(PurePosixPath(Path(below).as_posix()))
                found[relative] = Committed(*facts.decode("ascii").split()[:3])
        return found

    def content(self, committed: Committed) -> bytes | None:
        """Return what a file of a commit holds, as it is stored; ``None`` if git does not say, or it is a link."""
        if committed.kind != "blob" or committed.mode == _LINK:
            return None
        return self._ask("cat-file", "blob", committed.id)

    def ignores(self, path: Path) -> bool:
        """Return whether git leaves a file that is not there yet out of commits; it may not say, and then it is not."""
        if not path.is_relative_to(self.top):
            return False
        # This command refuses literal path specifications; with `./` before it a path has no magic.
        place = f"./{os.path.relpath(path, self.top)}"
        return self._ask("check-ignore", "--quiet", "--", place, GIT_LITERAL_PATHSPECS="0") is not None

    def _ask(self, *arguments: str, **variables: str) -> bytes | None:
        settings = [word for setting in _SAFE for word in ("-c", setting)]
        where = [f"--git-dir={self.git_dir}", f"--work-tree={self.top}"]
        inherited = {name: value for name, value in self.environment.items() if name not in _REDIRECTING}
        try:
            done = self.run_program(
                ["git", "--no-pager", *where, *settings, *arguments],
                folder=self.top,
                environment=child_environment(inherited) | _NOTHING | variables,
                seconds=_SECONDS,
            )
        except (OSError, ValueError, ProgramTimeoutError):
            return None
        return done.output if done.code == 0 else None


def repositories(folder: Path, environment: Mapping[str, str], run_program: RunProgram) -> Iterator[Repository]:
    """Yield the repositories that a folder is in, the nearest first."""
    start = folder.resolve()
    for top in (start, *start.parents):
        git_dir = top / ".git"
        if git_dir.exists():
            yield Repository(top, git_dir, environment, run_program)


def is_committed(path: Path, base: Path, environment: Mapping[str, str], run_program: RunProgram) -> bool:
    """Return whether a repository around a file has it in its commit, or has a link or another repository on the way.

    A relative path starts at ``base``.
    """
    start = base.resolve()
    spelled = Path(os.path.abspath(start / path))  # noqa: PTH100 - links are to stay
    ways = {_placed(spelled), *_below(spelled, start)}
    for place in (start, spelled.parent.resolve()):
        for repository in repositories(place, environment, run_program):
            for way, found in (repository.committed(sorted(ways)) or {}).items():
                if found.kind != "tree" or way in (spelled, _placed(spelled)):
                    return True
    return False


def _below(path: Path, base: Path) -> Iterator[Path]:
    """Yield a path and its folders below ``base``."""
    while path != base and path.is_relative_to(base):
        yield path
        path = path.parent


def _placed(path: Path) -> Path:
    """Return a path without links in its folder; the file itself may be one."""
    return path.parent.resolve() / path.name


def _is_as(path: Path, committed: Committed) -> bool:
    try:
        if committed.mode == _LINK:
            return path.is_symlink() and _id(os.fsencode(path.readlink()), committed.id) == committed.id
        if committed.kind != "blob" or path.is_symlink():
            return False
        data = path.read_bytes()
    except OSError:
        return False
    # A checkout may have given the lines the ends of this system.
    return committed.id in {_id(data, committed.id), _id(data.replace(b"\r\n", b"\n"), committed.id)}


def _id(data: bytes, like: str) -> str:
    """Return the id that git gives a file, in the form of ``like``."""
    algorithm = "sha256" if len(like) == 64 else "sha1"
    return hashlib.new(algorithm, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
