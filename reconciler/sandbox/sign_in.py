"""Signing in: ``auth.login``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import tokens
from reconciler.sandbox.call import ANYONE, Endpoint
from reconciler.sandbox.choices import AUTH_COOKIE

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call, Json
    from reconciler.sandbox.fields import Fields

_LOGIN = "auth.login"


def _login(call: Call) -> Json:
    """Answer a token of whom the call acts as, with the role that the store has now."""
    lifetime = call.fields.integer("expiration_sec", 1)
    call.fields.flag("set_cookie")
    user = call.db.execute("SELECT * FROM users WHERE id = ?", (call.caller.user,)).fetchone()
    return {"token": tokens.issue(call.store, user, lifetime)}


def cookie_for(name: str, data: Json, fields: Fields) -> tuple[str, str] | None:
    """Return name and value of the cookie to set after a call: after a sign-in, unless ``set_cookie`` is false."""
    if name != _LOGIN or fields.flag("set_cookie") is False:
        return None
    return AUTH_COOKIE, str(data["token"])


ENDPOINTS = {_LOGIN: Endpoint(_login, ANYONE)}
"""The endpoints of this module."""
