"""JSON web tokens: what a sign-in answers, and what a later call proves itself with."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import jwt

from reconciler.sandbox import choices
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.schema import UserKind

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from reconciler.sandbox.settings import Settings


class Issuer(Protocol):
    """The workspace that tokens are of: its name, key, clock and randomness."""

    @property
    def company(self) -> str:
        """The workspace's id."""

    @property
    def company_name(self) -> str:
        """The workspace's name."""

    @property
    def signing_key(self) -> str:
        """The key that tokens are signed with."""

    @property
    def settings(self) -> Settings:
        """The workspace's limits and switches."""

    def now(self) -> datetime:
        """Return the present."""

    def token(self, length: int, /) -> str:
        """Return new random characters."""


def issue(issuer: Issuer, user: sqlite3.Row, lifetime_seconds: int | None = None) -> str:
    """Return a token for a row of ``users``; it holds the role of this moment. A lifetime is cut to 30 days."""
    seconds = min(lifetime_seconds or choices.TOKEN_LIFETIME_SECONDS, choices.TOKEN_LIFETIME_SECONDS)
    now = issuer.now()
    identity: dict[str, object] = {
        "user": user["id"],
        "company": issuer.company,
        "role": user["role"],
        "user_name": user["name"],
        "company_name": issuer.company_name,
    }
    if user["kind"] == UserKind.SERVICE:
        owner = user["run_as_owner"]
        identity["service_account_type"] = choices.OWNER_ACCOUNT_TYPE if owner else choices.ACCOUNT_TYPE
    claims = {
        "exp": now + timedelta(seconds=seconds),
        "iat": now,
        "auth_type": "Bearer",
        "session_id": issuer.token(32),
        "env": choices.ENVIRONMENT,
        "identity": identity,
        "api_version": issuer.settings.api_version,
        "server_version": choices.SERVER_VERSION,
        "server_build": choices.SERVER_BUILD,
        "feature_set": choices.FEATURE_SET,
    }
    return jwt.encode(claims, issuer.signing_key, algorithm="HS256")


def read(issuer: Issuer, token: str) -> tuple[str, str]:
    """Return the user id and the role that a token holds; refuse one that is not ours or is too old (401/30)."""
    try:
        claims = _verified(token, issuer.signing_key)
    except jwt.PyJWTError as error:
        raise ApiError(Fault.BAD_TOKEN, str(error)) from error
    if claims["exp"] <= issuer.now().timestamp():
        raise ApiError(Fault.BAD_TOKEN, "Signature has expired")
    return str(claims["identity"]["user"]), str(claims["identity"]["role"])


@lru_cache(maxsize=256)
def _verified(token: str, signing_key: str) -> dict[str, Any]:
    """Return what a token with a right signature claims, whenever it ends: every call of a run brings the same one."""
    claims: dict[str, Any] = jwt.decode(
        token,
        signing_key,
        algorithms=["HS256"],
        options={"verify_exp": False, "verify_iat": False, "require": ["exp", "identity"]},
    )
    return claims
