"""Signing in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import tokens
from reconciler.sandbox.call import ANYONE, NO_SIGN_IN, NOBODY, Endpoint

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call, Json
    from reconciler.sandbox.fields import Fields

LOGIN = "auth.login"
"""The call that answers a token."""

LOGOUTS = frozenset({"auth.logout", "login.logout"})
"""The calls that end the cookie."""


def _login(call: Call) -> Json:
    """Answer a token of whom the call acts as, with the role that the store has now.

    A lifetime that is none is taken as not given, as was seen.
    """
    wanted = call.fields.raw("expiration_sec")
    given = isinstance(wanted, int) and not isinstance(wanted, bool) and wanted >= 1
    lifetime = call.fields.integer("expiration_sec", 1) if given else None
    call.fields.flag("set_cookie")
    user = call.db.execute("SELECT * FROM users WHERE id = ?", (call.caller.user,)).fetchone()
    return {"token": tokens.issue(call.store, user, lifetime)}


def wants_cookie(fields: Fields) -> bool:
    """Return whether a sign-in with these fields also sets the cookie: unless ``set_cookie`` is false."""
    return fields.flag("set_cookie") is not False


def _logout(_: Call) -> Json:
    return {}


def _supported_modes(call: Call) -> Json:
    """Answer how people can sign in: not at all, since the sandbox has no web page."""
    return {
        "authenticated": call.caller != NOBODY,
        "basic": {"enabled": False, "guest": {"enabled": False}},
        "free_signup": False,
        "sso": {},
        "sso_providers": [],
        "tenant_login": False,
    }


ENDPOINTS = {
    LOGIN: Endpoint(_login, ANYONE),
    "auth.logout": Endpoint(_logout, ANYONE),
    "login.logout": Endpoint(_logout, NO_SIGN_IN, version="2.13"),
    "login.supported_modes": Endpoint(_supported_modes, NO_SIGN_IN, version="2.9"),
}
"""The endpoints of this module."""
