"""Changing people: roles, details, adding and removing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.call import ADMIN, ANYONE, SYSTEM, Endpoint
from reconciler.sandbox.choices import ADDED_USER_ROLE, ASSIGNABLE_ROLES, ROLES
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.limits import require_room_for_members, valid_email
from reconciler.sandbox.schema import UserKind

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.call import Call, Json

_DETAILS = ("name", "given_name", "family_name", "avatar")
_HANGING = (
    ("credentials", "user"),
    ("invitations", "user"),
    ("memberships", "user_id"),
    ("rule_users", "user"),
    ("vaults", "user_id"),
)
"""What goes with a sign-in, and the column that holds the user's id."""


def find_user(call: Call, identifier: str) -> sqlite3.Row:
    """Return a user or service account; refuse an unknown id, or that of someone removed (400/301)."""
    row: sqlite3.Row | None = call.db.execute(
        "SELECT * FROM users WHERE id = ? AND kind <> ?", (identifier, UserKind.REMOVED)
    ).fetchone()
    if row is None:
        raise ApiError(Fault.INVALID_USER, identifier)
    return row


def _require_unprotected(user: sqlite3.Row) -> None:
    if user["read_only"] or user["support"] or user["kind"] == UserKind.SYSTEM:
        raise ApiError(Fault.PROTECTED_IDENTITY)


def _set_role(call: Call) -> Json:
    user = find_user(call, call.fields.required_text("user"))
    role = call.fields.required_choice("role", ASSIGNABLE_ROLES)
    return {"updated": _give_role(call, user, role)}


def _edit_user(call: Call) -> Json:
    """Give a user any role, not only an assignable one."""
    user = find_user(call, call.fields.required_text("user"))
    role = call.fields.choice("role", ROLES)
    if role is None:
        return {"updated": 0, "fields": {}}
    updated = _give_role(call, user, role)
    return {"updated": updated, "fields": {"role": role} if updated else {}}


def _give_role(call: Call, user: sqlite3.Row, role: str) -> int:
    _require_unprotected(user)
    if user["kind"] == UserKind.SERVICE:
        if role not in {"admin", "user"}:
            raise ApiError(Fault.VALIDATION, "a service account is either admin or user")
        if not call.settings.allow_admins:
            raise ApiError(Fault.NOT_SUPPORTED, "this workspace does not allow service accounts to be admins")
    if user["role"] == role:
        return 0
    call.db.execute("UPDATE users SET role = ? WHERE id = ?", (role, user["id"]))
    return 1


def _update(call: Call) -> Json:
    """Set details. As was seen, ``updated`` counts the users who were found, whether or not anything changed."""
    user = call.fields.required_text("user")
    if user != call.caller.user and not call.caller.is_admin:
        raise ApiError(Fault.ROLE)
    given: Json = {name: call.fields.text(name) for name in _DETAILS if call.fields.has(name)}
    found = call.db.execute("SELECT count(*) FROM users WHERE id = ?", (user,)).fetchone()[0]
    for name, value in given.items():
        call.db.execute(f"UPDATE users SET {name} = ? WHERE id = ?", (value, user))  # noqa: S608 - from _DETAILS
    return {"updated": found if given else 0, "fields": given}


def _add_user(call: Call) -> Json:
    email, name = call.fields.required_text("email"), call.fields.required_text("name")
    if not valid_email(email):
        raise ApiError(Fault.BAD_USER_EMAIL, email)
    if call.db.execute("SELECT 1 FROM users WHERE email = ?", (email,)).fetchone():
        raise ApiError(Fault.NOT_UNIQUE, f"email={email}")
    invited = call.db.execute("SELECT 1 FROM invitations WHERE email = ? AND user IS NULL", (email,)).fetchone()
    if not invited:
        require_room_for_members(call, 1)
    identifier = call.store.token(32)
    call.db.execute(
        "INSERT INTO users (id, name, given_name, family_name, email, role, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            identifier,
            name,
            call.fields.text("given_name"),
            call.fields.text("family_name"),
            email,
            ADDED_USER_ROLE,
            call.now,
        ),
    )
    call.db.execute(
        "UPDATE invitations SET accepted = ?, user = ? WHERE email = ? AND user IS NULL", (call.now, identifier, email)
    )
    return {"id": identifier, "secret": call.fields.text("secret_key") or call.store.token(24)}


def _delete_user(call: Call) -> Json:
    """Remove the sign-in of a person or service account, and all that hangs on it; their entry stays."""
    user = find_user(call, call.fields.required_text("user"))
    _require_unprotected(user)
    if user["kind"] == UserKind.PERSON and not call.settings.on_premises:
        raise ApiError(Fault.NOT_SUPPORTED, "people can be removed on on-premises servers only")
    call.db.execute("UPDATE users SET kind = ?, email = NULL WHERE id = ?", (UserKind.REMOVED, user["id"]))
    for table, column in _HANGING:
        call.db.execute(f"DELETE FROM {table} WHERE {column} = ?", (user["id"],))  # noqa: S608 - from _HANGING
    return {"deleted": True}


def _delete(_: Call) -> Json:
    """Never reached: the endpoint is for the server itself, and every role of a workspace is refused before."""
    raise ApiError(Fault.ROLE)


ENDPOINTS = {
    "users.set_role": Endpoint(_set_role, ADMIN, writes=True),
    "users.update": Endpoint(_update, ANYONE, writes=True),
    "users.delete": Endpoint(_delete, SYSTEM, writes=True),
    "auth.edit_user": Endpoint(_edit_user, ADMIN, writes=True, version="2.8"),
    "auth.add_user": Endpoint(_add_user, ADMIN, writes=True),
    "auth.delete_user": Endpoint(_delete_user, ADMIN, writes=True),
}
"""The endpoints of this module."""
