"""What a sandbox is filled with from a small YAML file: people, and the projects, queues and so on for access rules.

    members:
      - {email: ada@acme.io, name: Ada, role: admin}
    projects: [Vision, Vision/Cats]
    queues: [gpu-large]

Everything may be left out. What is there already, by its e-mail or name, is left as it is, so that a file can be given
again and again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from reconciler.sandbox.clock import stamp
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.hidden import is_hidden

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from reconciler.sandbox.store import Store

_Name = Annotated[str, StringConstraints(min_length=1)]
_Names = tuple[_Name, ...]
_Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
_TYPES = {
    "projects": "project",
    "queues": "queue",
    "tasks": "task",
    "models": "model",
    "datasets": "dataset",
    "dataviews": "dataview",
    "routes": "route",
    "apps": "app",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SeedMember(_Strict):
    """Someone who has signed in already; the name defaults to the part of the address before the ``@``."""

    email: _Email
    name: _Name | None = None
    role: Literal["admin", "superuser", "user", "annotator", "consumer"] = "user"


class Seed(_Strict):
    """What a file asks for. Entities are given by name, applications (``apps``) by id."""

    members: tuple[SeedMember, ...] = ()
    projects: _Names = ()
    queues: _Names = ()
    tasks: _Names = ()
    models: _Names = ()
    datasets: _Names = ()
    dataviews: _Names = ()
    routes: _Names = ()
    apps: _Names = ()

    def entities(self) -> Iterator[tuple[str, str]]:
        """Yield the type and the name of each entity, and of the projects that a project's name is within."""
        for field, entity_type in _TYPES.items():
            for name in getattr(self, field):
                parts = name.split("/") if entity_type == "project" else [name]
                yield from ((entity_type, "/".join(parts[:depth])) for depth in range(1, len(parts) + 1))


def read_seed(path: Path) -> Seed:
    """Read a file. Raises :class:`SandboxError`, which says what is wrong with it, and where."""
    try:
        data = YAML().load(path.read_text(encoding="utf-8"))
        return Seed.model_validate({} if data is None else data)
    except (OSError, UnicodeDecodeError) as error:
        raise SandboxError(f"cannot read {path}: {error}") from error
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SandboxError(f"{path}{line}: {error.problem}") from error
    except YAMLError as error:
        raise SandboxError(f"{path}: {error}") from error
    except ValidationError as error:
        problems = (
            f"{path}:{_line(data, problem['loc'])}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors()
        )
        raise SandboxError("\n".join(problems)) from error


def _line(data: object, location: Sequence[int | str]) -> int:
    """Return the line of the innermost thing on the way to a location that has one; the first line has number 1."""
    line = 0
    for step in location:
        place = getattr(data, "lc", None)
        if place is None or not isinstance(data, dict | list):
            break
        try:
            line = (place.key(step) if isinstance(data, dict) else place.item(step))[0]
            data = data[step]  # type: ignore[index]
        except (KeyError, IndexError):
            break
    return line + 1


def plant(store: Store, seed: Seed) -> int:
    """Create what the store lacks of a seed, all of it or nothing, and return how many things that was."""
    with store.transaction(write=True) as db:
        now = stamp(store.now())
        known = {row["email"] for row in db.execute("SELECT email FROM users")}
        members = [member for member in seed.members if member.email not in known]
        db.executemany(
            "INSERT INTO users (id, name, email, role, created, last_provider_login) VALUES (?, ?, ?, ?, ?, ?)",
            ((store.token(32), m.name or m.email.partition("@")[0], m.email, m.role, now, now) for m in members),
        )
        missing = list(_missing(db, seed.entities()))
        db.executemany(
            "INSERT INTO entities (type, id, name, created, hidden) VALUES (?, ?, ?, ?, ?)",
            ((kind, name if kind == "app" else store.token(32), name, now, is_hidden(name)) for kind, name in missing),
        )
    return len(members) + len(missing)


def _missing(db: sqlite3.Connection, wanted: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    known = {(row["type"], row["name"]) for row in db.execute("SELECT type, name FROM entities")}
    yield from (entity for entity in dict.fromkeys(wanted) if entity not in known)
