"""Projects, queues and the like: only what access rules need, a name for each id."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from reconciler.sandbox import paging
from reconciler.sandbox.call import ANYONE, Endpoint

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call, Json

_SERVICES = {
    "projects": "project",
    "queues": "queue",
    "tasks": "task",
    "models": "model",
    "datasets": "dataset",
    "dataviews": "dataview",
    "routes": "route",
}
"""The list in the answer, which is the service's name too (of routes it is ``routers``), and the type of entity."""


def _get_all(service: str, call: Call) -> Json:
    wanted, name = call.fields.texts("id"), paging.pattern(call.fields, "name")
    order = paging.ordering(call.fields, ("id", "name"), tie="id")
    rows = call.db.execute(
        "SELECT id, name FROM entities WHERE type = ?1 AND (?2 IS NULL OR id IN (SELECT value FROM json_each(?2)))"  # noqa: S608
        f" AND (?3 IS NULL OR name REGEXP ?3) ORDER BY {order} LIMIT ?4 OFFSET ?5",
        (_SERVICES[service], None if wanted is None else json.dumps(wanted), name, *paging.window(call.fields)),
    )
    return {service: paging.project([dict(row) for row in rows], call.fields)}


ENDPOINTS = {
    "routers.get_routes" if service == "routes" else f"{service}.get_all_ex": Endpoint(
        partial(_get_all, service), ANYONE
    )
    for service in _SERVICES
}
"""The endpoints of this module."""
