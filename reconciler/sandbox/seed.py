"""What a sandbox is filled with at its start: people, and the projects, queues and so on for access rules.

As YAML, which whoever calls reads (the sandbox shares no reader with the client):

    members:
      - {email: ada@acme.io, name: Ada, role: admin}
    projects: [Vision, Vision/Cats]
    queues: [gpu-large]
    settings: {maximum_members: 50, api_version: "2.36"}

Everything may be left out. What is there already, by its e-mail or name, is left as it is, so that a seed can be
planted again and again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from reconciler.sandbox.clock import stamp
from reconciler.sandbox.hidden import is_hidden
from reconciler.sandbox.limits import valid_email
from reconciler.sandbox.settings import Settings

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from reconciler.sandbox.store import Store


def _email(text: str) -> str:
    if not valid_email(text):
        raise ValueError("must be an e-mail address")
    return text


_Name = Annotated[str, StringConstraints(min_length=1)]
_Names = list[_Name]
_Email = Annotated[str, AfterValidator(_email)]
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

    members: list[SeedMember] = []
    projects: _Names = []
    queues: _Names = []
    tasks: _Names = []
    models: _Names = []
    datasets: _Names = []
    dataviews: _Names = []
    routes: _Names = []
    apps: _Names = []
    settings: Settings | None = None
    """Limits and switches; what is left out has its default. Left out as a whole, they stay as they are."""

    def entities(self) -> Iterator[tuple[str, str]]:
        """Yield the type and the name of each entity, and of the projects that a project's name is within."""
        for field, entity_type in _TYPES.items():
            for name in getattr(self, field):
                parts = name.split("/") if entity_type == "project" else [name]
                yield from ((entity_type, "/".join(parts[:depth])) for depth in range(1, len(parts) + 1))


def plant(store: Store, seed: Seed) -> int:
    """Create what the store lacks of a seed, all of it or nothing, and return how many things that was."""
    with store.transaction(write=True) as db:
        if seed.settings is not None:
            store.settings = seed.settings
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
