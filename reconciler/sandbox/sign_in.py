"""Signing in: ``auth.login``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import tokens
from reconciler.sandbox.call import ANYONE, Endpoint

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call, Json
    from reconciler.sandbox.fields import Fields

LOGIN = "auth.login"
"""The call that answers a token."""


def _login(call: Call) -> Json:
    """Answer a token of whom the call acts as, with the role that the store has now."""
    lifetime = call.fields.integer("expiration_sec", 1)
    call.fields.flag("set_cookie")
    user = call.db.execute("SELECT * FROM users WHERE id = ?", (call.caller.user,)).fetchone()
    return {"token": tokens.issue(call.store, user, lifetime)}


def wants_cookie(fields: Fields) -> bool:
    """Tell whether a sign-in with these fields also sets the cookie: unless ``set_cookie`` is false."""
    return fields.flag("set_cookie") is not False


ENDPOINTS = {LOGIN: Endpoint(_login, ANYONE)}
"""The endpoints of this module."""
