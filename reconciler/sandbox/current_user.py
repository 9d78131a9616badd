"""The one who calls: who they are, and what they prefer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.sandbox.call import ANYONE, Endpoint, without_none
from reconciler.sandbox.choices import LARGEST_DOWNLOAD
from reconciler.sandbox.users import groups_of

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.call import Call, Json


def _get_current_user(call: Call) -> Json:
    me = _row(call)
    company = {"id": call.store.company, "name": call.store.company_name, "tier": "paid"}
    user = {name: me[name] for name in ("id", "name", "given_name", "family_name", "avatar", "email", "created")}
    user |= {
        "role": me["role"],
        "company": company,
        "companies": [company | {"active": True}],
        "preferences": json.loads(me["preferences"]),
    }
    answer: Json = {
        "user": without_none(user),
        "sec_groups": _groups(call),
        "settings": {"max_download_items": LARGEST_DOWNLOAD},
        "terms_of_use": {"accept_required": False},
    }
    if call.fields.flag("get_supported_features"):
        answer["supported_features"] = list(call.settings.features)
    return answer


def _groups(call: Call) -> list[Json]:
    wanted = json.dumps(groups_of(call, [call.caller.user])[call.caller.user])
    rows = call.db.execute(
        "SELECT id, name FROM groups WHERE id IN (SELECT value FROM json_each(?)) ORDER BY rowid", (wanted,)
    )
    return [dict(row) for row in rows]


def _get_preferences(call: Call) -> Json:
    return {"preferences": json.loads(_row(call)["preferences"])}


def _set_preferences(call: Call) -> Json:
    """Change some preferences; a dot in a key leads into an object. ``null`` counts as a value."""
    changes = call.fields.required_section("preferences").values()
    preferences = json.loads(_row(call)["preferences"])
    for path, value in changes.items():
        *outer, last = path.split(".")
        inside = preferences
        for name in outer:
            if not isinstance(inside.get(name), dict):
                inside[name] = {}
            inside = inside[name]
        inside[last] = value
    call.db.execute("UPDATE users SET preferences = ? WHERE id = ?", (json.dumps(preferences), call.caller.user))
    shown = call.fields.flag("return_updated") is not False
    return {"updated": 1} | ({"fields": {"preferences": preferences}} if shown else {})


def _row(call: Call) -> sqlite3.Row:
    row: sqlite3.Row = call.db.execute("SELECT * FROM users WHERE id = ?", (call.caller.user,)).fetchone()
    return row


ENDPOINTS = {
    "users.get_current_user": Endpoint(_get_current_user, ANYONE),
    "users.get_preferences": Endpoint(_get_preferences, ANYONE),
    "users.set_preferences": Endpoint(_set_preferences, ANYONE, writes=True),
}
"""The endpoints of this module."""
