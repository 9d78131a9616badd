"""Who did what to which vault."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.sandbox import paging
from reconciler.sandbox.call import ADMIN, Endpoint
from reconciler.sandbox.clock import stamp
from reconciler.sandbox.errors import ApiError, Fault

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call, Json

_FIELDS = "operation, created, user, ip, originator, scope, vault_description, reason"
_FILTERS = {"vaults": "vault", "users": "user", "operations": "operation", "scope": "scope"}
_AMONG = " IN (SELECT value FROM json_each(?))"
_BOUNDS = {"from_timestamp": ">=", "to_timestamp": "<="}


def record(call: Call, operation: str, vault: str, scope: str, description: object) -> None:
    """Note an operation on a vault, in the transaction that carries it out."""
    call.db.execute(
        "INSERT INTO vault_log (vault, operation, created, user, ip, originator, scope, vault_description, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')",
        (vault, operation, call.now, call.caller.user, call.ip, call.caller.origin, scope, description),
    )


def _get(call: Call) -> Json:
    conditions, values = ["1"], list[object]()
    for field, column in _FILTERS.items():
        wanted = call.fields.texts(field)
        if wanted:
            conditions.append(column + _AMONG)
            values.append(json.dumps(wanted))
    for field, comparison in _BOUNDS.items():
        seconds = call.fields.number(field)
        if seconds is not None:
            conditions.append(f"created {comparison} ?")
            values.append(_moment(field, seconds))
    order = call.fields.choice("order", ("asc", "desc")) or "desc"
    rows = call.db.execute(
        f"SELECT {_FIELDS} FROM vault_log WHERE {' AND '.join(conditions)}"  # noqa: S608 - constants only
        f" ORDER BY seq {order} LIMIT ? OFFSET ?",
        (*values, *paging.window(call.fields)),
    )
    return {"operations": [dict(row) for row in rows]}


def _moment(field: str, seconds: float) -> str:
    try:
        return stamp(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError) as error:
        raise ApiError(Fault.VALIDATION, f"Field {field} must be seconds since 1970") from error


ENDPOINTS = {"users.get_vault_operations_log": Endpoint(_get, ADMIN)}
"""The endpoints of this module."""
