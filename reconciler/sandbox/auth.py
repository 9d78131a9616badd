"""Who is calling: Basic, Bearer or cookie, and acting for another user by a header."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from reconciler.sandbox import tokens
from reconciler.sandbox.call import ADMIN, NOBODY, Identity
from reconciler.sandbox.choices import AUTH_COOKIE, PROTECTED_IDENTITIES
from reconciler.sandbox.clock import stamp
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.schema import UserKind

if TYPE_CHECKING:
    import sqlite3

    from starlette.requests import Request

    from reconciler.sandbox.store import Store

IMPERSONATE_AS = "x-clearml-impersonate-as"
"""The header that takes another user's identity and role."""

ACT_AS = "x-clearml-act-as"
"""The header that takes another user's identity and keeps the caller's role."""


def writes_on_sign_in(request: Request) -> bool:
    """Return whether signing in by this request changes the store: Basic leaves its mark on the credential."""
    return request.headers.get("authorization", "").startswith("Basic ")


def authenticate(store: Store, db: sqlite3.Connection, request: Request, ip: str) -> Identity:
    """Return who signed in; refuse with 401 and the subcode that says why."""
    header = request.headers.get("authorization")
    if not header:
        cookie = request.cookies.get(AUTH_COOKIE)
        if cookie is None:
            raise ApiError(Fault.NO_CREDENTIALS)
        return _by_token(store, db, cookie)
    scheme, _, value = header.partition(" ")
    if scheme == "Bearer":
        return _by_token(store, db, value.strip())
    if scheme == "Basic":
        return _by_credentials(store, db, value.strip(), ip)
    raise ApiError(Fault.BAD_SCHEME)


def authenticate_if_possible(store: Store, db: sqlite3.Connection, request: Request, ip: str) -> Identity:
    """Return who signed in, or nobody: for the few calls that need no sign-in."""
    try:
        return authenticate(store, db, request, ip)
    except ApiError:
        return NOBODY


def act_for_another(db: sqlite3.Connection, request: Request, caller: Identity) -> Identity:
    """Return whom the call acts as: the caller, or the user that a header names (400/5, 400/6, 400/301)."""
    impersonate, act = request.headers.get(IMPERSONATE_AS), request.headers.get(ACT_AS)
    if impersonate and act:
        raise ApiError(Fault.INVALID_HEADERS, "only one of Impersonate-As and Act-As may be given")
    target = impersonate or act
    if not target:
        return caller
    if caller.role not in ADMIN:
        raise ApiError(Fault.IMPERSONATION, "not allowed for role")
    if target in PROTECTED_IDENTITIES:
        raise ApiError(Fault.PROTECTED_IDENTITY)
    row = db.execute("SELECT role, kind FROM users WHERE id = ? AND kind <> ?", (target, UserKind.REMOVED)).fetchone()
    if row is None:
        raise ApiError(Fault.IMPERSONATION, f"unknown user {target}")
    # Nobody rises above their own role by acting as one of the server's own users.
    takes_role = impersonate and row["kind"] != UserKind.SYSTEM
    return Identity(target, row["role"] if takes_role else caller.role, caller.origin)


def _by_token(store: Store, db: sqlite3.Connection, token: str) -> Identity:
    user, role = tokens.read(store, token)
    if db.execute("SELECT 1 FROM users WHERE id = ? AND kind <> ?", (user, UserKind.REMOVED)).fetchone() is None:
        raise ApiError(Fault.BAD_TOKEN, "its user was removed")
    return Identity(user, role, user)


def _by_credentials(store: Store, db: sqlite3.Connection, encoded: str, ip: str) -> Identity:
    try:
        key, separator, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ApiError(Fault.BAD_CREDENTIALS) from error
    if not separator:
        raise ApiError(Fault.BAD_CREDENTIALS)
    row = db.execute(
        "SELECT c.secret_hash, c.expire, u.id, u.role FROM credentials c JOIN users u ON u.id = c.user"
        " WHERE c.access_key = ?",
        (key,),
    ).fetchone()
    now = stamp(store.now())
    known = store.secret_matches(secret, row["secret_hash"] if row else None)
    if row is None or not known or (row["expire"] is not None and row["expire"] <= now):
        raise ApiError(Fault.BAD_CREDENTIALS)
    db.execute("UPDATE credentials SET last_used = ?, last_used_from = ? WHERE access_key = ?", (now, ip, key))
    db.execute("UPDATE users SET last_credentials_login = ? WHERE id = ?", (now, row["id"]))
    return Identity(row["id"], row["role"], row["id"])
