"""Who did what to which vault."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.sandbox import paging
from reconciler.sandbox.call import ADMIN, Endpoint, without_none
from reconciler.sandbox.clock import stamp
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.schema import UserKind

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.call import Call, Json

OPERATIONS = ("create", "edit", "delete", "activate", "deactivate")
"""What is logged (documented)."""

_SELECT = "SELECT l.*, u.name AS user_name FROM vault_log l LEFT JOIN users u ON u.id = l.user"
_FILTERS = {"vaults": "l.vault", "users": "l.user", "operations": "l.operation"}
_AMONG = " IN (SELECT value FROM json_each(?))"
_BOUNDS = {"from_timestamp": ">=", "to_timestamp": "<="}
_USUAL_SCOPES = ["organization", "group"]
_ORDERS = ("asc", "desc")


def record(call: Call, operation: str, vault: sqlite3.Row | Json) -> None:
    """Note an operation on a vault (a row, or what becomes one), in the transaction that carries it out."""
    client = call.client
    call.db.execute(
        "INSERT INTO vault_log (vault, operation, created, user, ip, originator, originator_version, scope,"
        " vault_description) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            vault["id"],
            operation,
            call.now,
            call.caller.user,
            client.ip,
            client.name,
            client.version,
            _scope(call, vault),
            vault["description"],
        ),
    )


def _scope(call: Call, vault: sqlite3.Row | Json) -> object:
    owner = call.db.execute("SELECT kind FROM users WHERE id = ?", (vault["user_id"],)).fetchone()
    return "service_account" if owner is not None and owner["kind"] == UserKind.SERVICE else vault["scope"]


def _get(call: Call) -> Json:
    """Answer log records: of organization and groups unless asked for others, neighbors as one unless not wanted."""
    conditions, values = ["l.scope" + _AMONG], [json.dumps(call.fields.texts("scope") or _USUAL_SCOPES)]
    for field, column in _FILTERS.items():
        wanted = call.fields.texts(field)
        if wanted:
            conditions.append(column + _AMONG)
            values.append(json.dumps(wanted))
    for field, comparison in _BOUNDS.items():
        moment = call.fields.text(field)
        if moment is not None:
            conditions.append(f"l.created {comparison} ?")
            values.append(_moment(field, moment))
    order = call.fields.choice("order", _ORDERS) or "desc"
    size, offset = paging.window(call.fields)
    rows = call.db.execute(f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY l.seq {order}", values).fetchall()
    shown = rows if call.fields.is_null("group") else _grouped(call, rows)
    return {"operations": [_entry(row) for row in shown[offset : offset + size]]}


def _grouped(call: Call, rows: list[sqlite3.Row]) -> list[sqlite3.Row]:
    """Return one of each run of records of the same operation on the same vault: the first, unless asked otherwise."""
    group = call.fields.section("group")
    index = (group.integer("index", -(2**31)) if group else None) or 0
    descending = group is not None and group.choice("order", _ORDERS) == "desc"
    found = []
    for _, run in groupby(rows, key=lambda row: (row["vault"], row["operation"])):
        ordered = sorted(run, key=lambda row: int(row["seq"]), reverse=descending)
        found.append(ordered[max(min(index, len(ordered) - 1), -len(ordered))])
    return found


def _entry(row: sqlite3.Row) -> Json:
    fields: Json = {
        "operation": row["operation"],
        "created": row["created"],
        "user": without_none({"id": row["user"], "name": row["user_name"]}),
        "ip": row["ip"],
        "originator": row["originator"],
        "originator_version": row["originator_version"],
        "scope": row["scope"],
        "vault_description": row["vault_description"],
    }
    return without_none(fields)


def _moment(field: str, moment: str) -> str:
    try:
        found = datetime.fromisoformat(moment)
        return stamp(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (OverflowError, ValueError) as error:
        raise ApiError(Fault.VALIDATION, f"Field {field} must be a moment in ISO 8601") from error


def _get_filters(call: Call) -> Json:
    users = call.db.execute("SELECT DISTINCT u.id, u.name FROM vault_log l JOIN users u ON u.id = l.user ORDER BY u.id")
    vaults = call.db.execute(
        "SELECT vault AS id, vault_description AS description FROM vault_log WHERE seq IN"
        " (SELECT max(seq) FROM vault_log GROUP BY vault) ORDER BY vault"
    )
    return {
        "operations": list(OPERATIONS),
        "users": [dict(row) for row in users],
        "vaults": [without_none(dict(row)) for row in vaults],
    }


ENDPOINTS = {
    "users.get_vault_operations_log": Endpoint(_get, ADMIN),
    "users.get_vault_operations_log_filters": Endpoint(_get_filters, ADMIN),
}
"""The endpoints of this module."""
