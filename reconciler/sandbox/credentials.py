"""Access keys of the one whom a call acts as; a secret key is answered once, by the call that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.call import ADMIN, ANYONE, Endpoint, without_none
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.limits import credential_end

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.call import Call, Json


def make(call: Call, user: str, label: str | None, expire: str | None) -> Json:
    """Make a credential and return it with its secret key; only the secret's hash is kept."""
    limit = call.settings.max_credentials
    if limit is not None:
        count = call.db.execute("SELECT count(*) FROM credentials WHERE user = ?", (user,)).fetchone()[0]
        if count >= limit:
            raise ApiError(Fault.BAD_VALUE, f"the user has {count} of at most {limit} credentials")
    key, secret = call.store.token(30).upper(), call.store.token(67)
    call.db.execute(
        "INSERT INTO credentials (access_key, user, secret_hash, label, created, expire) VALUES (?, ?, ?, ?, ?, ?)",
        (key, user, call.store.hash_secret(secret), label, call.now, expire),
    )
    return without_none({"access_key": key, "secret_key": secret, "label": label, "expire": expire})


def lifetimes(call: Call) -> Json:
    """Return the workspace's default and longest lifetime, as far as set."""
    settings = call.settings
    return without_none(
        {
            "default_expiration_sec": settings.default_expiration_sec,
            "max_expiration_sec": settings.max_expiration_sec,
        }
    )


def _create(call: Call) -> Json:
    label, expire = call.fields.text("label"), credential_end(call, "expiration_sec")
    return {"credentials": make(call, call.caller.user, label, expire)}


def _get(call: Call) -> Json:
    rows = call.db.execute("SELECT * FROM credentials WHERE user = ? ORDER BY rowid", (call.caller.user,))
    credentials = [_shown(row, "access_key", "label", "created", "expire") for row in rows]
    limit = call.settings.max_credentials
    return {"credentials": credentials} | lifetimes(call) | ({} if limit is None else {"max_credentials": limit})


def _edit(call: Call) -> Json:
    key, label = call.fields.required_text("access_key"), call.fields.text("label")
    row = call.db.execute(
        "SELECT label FROM credentials WHERE access_key = ? AND user = ?", (key, call.caller.user)
    ).fetchone()
    if row is None:
        raise ApiError(Fault.UNKNOWN_ACCESS_KEY)
    if label is None or label == row["label"]:
        return {"updated": 0}
    call.db.execute("UPDATE credentials SET label = ? WHERE access_key = ?", (label, key))
    return {"updated": 1}


def _revoke(call: Call) -> Json:
    key = call.fields.required_text("access_key")
    gone = call.db.execute("DELETE FROM credentials WHERE access_key = ? AND user = ?", (key, call.caller.user))
    if not gone.rowcount:
        raise ApiError(Fault.NOT_YOUR_KEY, "unknown access key")
    return {"revoked": 1}


def _locate(call: Call) -> Json:
    row = call.db.execute(
        "SELECT c.*, u.name FROM credentials c JOIN users u ON u.id = c.user WHERE c.access_key = ?",
        (call.fields.required_text("access_key"),),
    ).fetchone()
    if row is None:
        raise ApiError(Fault.UNKNOWN_ACCESS_KEY)
    return _shown(row, "user", "name", "label", "expire")


def _shown(row: sqlite3.Row, *names: str) -> Json:
    fields: Json = {name: row[name] for name in (*names, "last_used_from")}
    if row["last_used"] is not None:
        fields["last_used"] = row["last_used"].removesuffix("+00:00")  # the one date without a zone, as seen
    return without_none(fields)


ENDPOINTS = {
    "auth.create_credentials": Endpoint(_create, ANYONE, writes=True),
    "auth.get_credentials": Endpoint(_get, ANYONE),
    "auth.edit_credentials": Endpoint(_edit, ANYONE, writes=True),
    "auth.revoke_credentials": Endpoint(_revoke, ANYONE, writes=True),
    "auth.locate_credentials": Endpoint(_locate, ADMIN),
}
"""The endpoints of this module."""
