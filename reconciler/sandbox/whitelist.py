"""Invitations and auto-login domains: ``login.*``, and an invited person's first sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.call import ADMIN, Endpoint
from reconciler.sandbox.choices import ASSIGNABLE_ROLES
from reconciler.sandbox.clock import stamp
from reconciler.sandbox.errors import ApiError, Fault, NotInvitedError
from reconciler.sandbox.limits import require_room_for_members, valid_email

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.call import Call, Json
    from reconciler.sandbox.store import Store


_ROLE_SINCE = "2.37"
"""The API version that an entry's ``role`` came with (documented): before it, the field is unknown and ignored."""


def accept_invitation(store: Store, email: str, name: str | None = None) -> str:
    """Play an invited person's first sign-in and return their new user id.

    The address is that of the identity provider, whose spelling may differ from the invitation's in case. They become
    an active user with the invitation's role; ``name`` defaults to the part before the ``@``. Raises
    :class:`NotInvitedError` if the address has no pending invitation.
    """
    now = stamp(store.now())
    with store.transaction(write=True) as db:
        pending = db.execute("SELECT email, role FROM invitations WHERE user IS NULL ORDER BY email <> ?", (email,))
        entry = next((row for row in pending if row["email"].casefold() == email.casefold()), None)
        if entry is None:
            raise NotInvitedError(f"{email} has no pending invitation")
        user = store.token(32)
        db.execute(
            "INSERT INTO users (id, name, email, role, created, last_provider_login) VALUES (?, ?, ?, ?, ?, ?)",
            (user, name or email.partition("@")[0], email, entry["role"], now, now),
        )
        db.execute("UPDATE invitations SET accepted = ?, user = ? WHERE email = ?", (now, user, entry["email"]))
    return user


def _get_settings(call: Call) -> Json:
    domains = [row[0] for row in call.db.execute("SELECT domain FROM domains ORDER BY rowid")]
    entries = call.db.execute(
        "SELECT i.email, i.added, i.accepted, u.id, u.name, u.role FROM invitations i"
        " LEFT JOIN users u ON u.id = i.user ORDER BY i.added, i.email"
    )
    return {"domains": domains, "whitelist_entries": [_entry(row) for row in entries]}


def _entry(row: sqlite3.Row) -> Json:
    if row["id"] is None:
        return {"email": row["email"], "status": "pending", "added": row["added"]}
    return {
        "email": row["email"],
        "status": "accepted",
        "added": row["added"],
        "accepted": row["accepted"],
        "user": {"id": row["id"], "name": row["name"], "role": row["role"]},
    }


def _add_entries(call: Call) -> Json:
    emails = call.fields.required_texts("emails")
    legacy = "admin" if call.fields.flag("is_admin") else "user"
    role = (call.fields.choice("role", ASSIGNABLE_ROLES) if call.settings.speaks(_ROLE_SINCE) else None) or legacy
    for email in emails:
        if not valid_email(email):
            raise ApiError(Fault.BAD_EMAIL, email)
    known = "SELECT 1 FROM users WHERE email = ?1 UNION SELECT 1 FROM invitations WHERE email = ?1"
    added = [email for email in emails if call.db.execute(known, (email,)).fetchone() is None]
    require_room_for_members(call, len(added))
    now = call.now
    call.db.executemany(
        "INSERT INTO invitations (email, role, added) VALUES (?, ?, ?)",
        [(email, role, now) for email in added],
    )
    return {"added": added}


def _remove_entries(call: Call) -> Json:
    removed = [
        email
        for email in call.fields.required_texts("emails")
        if call.db.execute("DELETE FROM invitations WHERE email = ? AND user IS NULL", (email,)).rowcount
    ]
    return {"removed": removed}


def _set_domains(call: Call) -> Json:
    domains = call.fields.required_texts("domains")
    call.db.execute("DELETE FROM domains")
    call.db.executemany("INSERT INTO domains VALUES (?)", [(domain,) for domain in domains])
    return {}


ENDPOINTS = {
    "login.get_settings": Endpoint(_get_settings, ADMIN),
    "login.add_whitelist_entries": Endpoint(_add_entries, ADMIN, writes=True),
    "login.remove_whitelist_entries": Endpoint(_remove_entries, ADMIN, writes=True),
    "login.set_domains": Endpoint(_set_domains, ADMIN, writes=True),
}
"""The endpoints of this module."""
