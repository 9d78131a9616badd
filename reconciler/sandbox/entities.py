"""Projects, queues and the like: what access rules are about, and those of them that the sandbox can create.

Each is a name for an id, with what an access rule needs to know beside that: the project that it is in, and whether it
is hidden, or shown to everybody.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from reconciler.sandbox import paging
from reconciler.sandbox.call import ANYONE, Endpoint, without_none
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.hidden import is_hidden
from reconciler.sandbox.permissions import permission

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.call import Call, Json


@dataclass(frozen=True, slots=True)
class Listing:
    """How the things of a type are listed: the name of the list, its fields, and what the calls can be asked for."""

    type: str
    answer: str
    fields: frozenset[str]
    calls: tuple[str, ...]
    finds_hidden: bool = False


_COMMON = frozenset({"id", "name", "user", "company", "created", "tags", "system_tags"})
_IN_PROJECT = _COMMON | {"project"}
_ROUTE = frozenset({"id", "name", "created"})

LISTINGS: Final = (
    Listing(
        "project",
        "projects",
        _COMMON | {"basename", "description", "hidden"},
        ("projects.get_all", "projects.get_all_ex"),
        finds_hidden=True,
    ),
    Listing("queue", "queues", _COMMON, ("queues.get_all",), finds_hidden=True),
    Listing("task", "tasks", _IN_PROJECT, ("tasks.get_all", "tasks.get_all_ex"), finds_hidden=True),
    Listing("model", "models", _IN_PROJECT, ("models.get_all", "models.get_all_ex")),
    Listing("dataset", "datasets", _IN_PROJECT, ("datasets.get_all", "datasets.get_all_ex")),
    Listing("dataview", "dataviews", _IN_PROJECT, ("dataviews.get_all",)),
    Listing("route", "routes", _ROUTE, ("routers.get_routes",)),
)
"""Every type that can be listed. Applications and their categories cannot: people write their ids."""

_BY_TYPE = {listing.type: listing for listing in LISTINGS}


def _get_all(listing: Listing, call: Call) -> Json:
    wanted, name = call.fields.filter_texts("id"), paging.pattern(call.fields, "name")
    order = paging.ordering(call.fields, ("id", "name", "created"), tie="id")
    hidden = not listing.finds_hidden or bool(call.fields.flag("search_hidden"))
    public = call.fields.flag("allow_public") is not False and not call.fields.flag("non_public")
    rows = call.db.execute(
        "SELECT * FROM entities WHERE type = :type"  # noqa: S608 - the order is made of constants
        " AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids))) AND (:name IS NULL OR name REGEXP :name)"
        f" AND (:hidden OR NOT hidden) AND (:public OR NOT public) ORDER BY {order}",
        {
            "type": listing.type,
            "ids": json.dumps(wanted) if wanted else None,
            "name": name,
            "hidden": hidden,
            "public": public,
        },
    )
    size, offset = paging.window(call.fields)
    seen = [row for row in rows if _visible(call, row)][offset : offset + size]
    return {listing.answer: paging.project([_shown(call, row) for row in seen], call.fields, listing.fields)}


def _visible(call: Call, row: sqlite3.Row) -> bool:
    return (
        bool(row["public"])
        or call.caller.is_admin
        or permission(call.db, call.caller.user, row["type"], row["id"]) is not None
    )


def _shown(call: Call, row: sqlite3.Row) -> Json:
    every: Json = {
        "id": row["id"],
        "name": row["name"],
        "basename": row["name"].rpartition("/")[2],
        "description": row["description"],
        "user": row["user"],
        "company": "" if row["public"] else call.store.company,
        "created": row["created"],
        "project": row["project"],
        "hidden": bool(row["hidden"]),
        "tags": json.loads(row["tags"]),
        "system_tags": json.loads(row["system_tags"]),
    }
    known = _BY_TYPE[row["type"]].fields
    return without_none({name: value for name, value in every.items() if name in known})


def _get_by_id(entity_type: str, call: Call) -> Json:
    identifier = call.fields.required_text(entity_type)
    row = call.db.execute("SELECT * FROM entities WHERE type = ? AND id = ?", (entity_type, identifier)).fetchone()
    if row is None or not _visible(call, row):
        raise ApiError(Fault.INVALID_ID, f"{entity_type} {identifier}")
    return {entity_type: _shown(call, row)}


def _create(entity_type: str, call: Call) -> Json:
    """Create a project or queue, and the projects that a project's name is within; names are unique (400/801)."""
    name = call.fields.required_text("name")
    if _find(call, entity_type, name) is not None:
        raise ApiError(Fault.NOT_UNIQUE, f"{entity_type} name={name}")
    if entity_type == "project":
        parts = name.split("/")
        for depth in range(1, len(parts)):
            above = "/".join(parts[:depth])
            if _find(call, entity_type, above) is None:
                _insert(call, entity_type, above)
    return {"id": _insert(call, entity_type, name, given=True)}


def _find(call: Call, entity_type: str, name: str) -> str | None:
    row = call.db.execute("SELECT id FROM entities WHERE type = ? AND name = ?", (entity_type, name)).fetchone()
    return None if row is None else str(row["id"])


def _insert(call: Call, entity_type: str, name: str, *, given: bool = False) -> str:
    tags = (call.fields.texts("tags") if given else None) or []
    system_tags = (call.fields.texts("system_tags") if given else None) or []
    identifier = call.store.token(32)
    call.db.execute(
        "INSERT INTO entities (type, id, name, description, user, created, hidden, tags, system_tags)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entity_type,
            identifier,
            name,
            call.fields.text("description") if given and entity_type == "project" else None,
            call.caller.user,
            call.now,
            is_hidden(name, system_tags),
            json.dumps(tags),
            json.dumps(system_tags),
        ),
    )
    return identifier


ENDPOINTS = {name: Endpoint(partial(_get_all, listing), ANYONE) for listing in LISTINGS for name in listing.calls} | {
    "projects.create": Endpoint(partial(_create, "project"), ANYONE, writes=True),
    "projects.get_by_id": Endpoint(partial(_get_by_id, "project"), ANYONE),
    "queues.create": Endpoint(partial(_create, "queue"), ANYONE, writes=True, version="2.4"),
    "queues.get_by_id": Endpoint(partial(_get_by_id, "queue"), ANYONE, version="2.4"),
}
"""The endpoints of this module."""
