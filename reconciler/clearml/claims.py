"""What a sign-in token says of the caller.

Sources: ``docs/explanation/clearml-api.md, Calling convention``, ``docs/explanation/clearml-wire.md, Authentication``.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from reconciler.errors import OpenSourceServerError, UnexpectedAnswerError
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.secret import Secret

_UNREADABLE = "auth.login: the token in the answer cannot be read"
_TOO_LONG_TO_COUNT = 10 * 365 * 24 * 3600.0


class Claims(Frozen):
    """The payload of a token. ``lifetime`` is in seconds from its issue, ``None`` for a token that has no end."""

    user: str
    role: str
    company: str | None = None
    user_name: str | None = None
    company_name: str | None = None
    feature_set: str = "basic"
    api_version: str | None = None
    lifetime: float | None = None

    def require_enterprise(self, server: str) -> None:
        """Refuse the open-source server, whose feature set is "basic" (or not told, which the clients read as that)."""
        if self.feature_set == "basic":
            raise OpenSourceServerError(
                f"{server} is the open-source ClearML server: it has no groups, vaults or service accounts to manage",
                hint="use a ClearML Enterprise server, or the embedded sandbox (--server sandbox:FILE)",
            )


def decode_claims(token: Secret, *, now: float) -> Claims:
    """Read a token's payload. Its signature is the server's business: like ClearML's clients, we only look.

    ``now`` (seconds since the epoch) stands in for a missing time of issue.
    """
    payload = _payload(token.reveal())
    identity = payload.get("identity")
    if not isinstance(identity, dict):
        raise UnexpectedAnswerError(f"{_UNREADABLE}: it names no identity")
    user, role = _text(identity, "user"), _text(identity, "role")
    if user is None or role is None:
        raise UnexpectedAnswerError(f"{_UNREADABLE}: its identity has no user or no role")
    return Claims(
        user=user,
        role=role,
        company=_text(identity, "company"),
        user_name=_text(identity, "user_name"),
        company_name=_text(identity, "company_name"),
        feature_set=_text(payload, "feature_set") or "basic",
        api_version=_text(payload, "api_version"),
        lifetime=_lifetime(payload, now),
    )


def _payload(token: str) -> dict[str, object]:
    parts = token.split(".")
    if len(parts) != 3:
        raise UnexpectedAnswerError(_UNREADABLE)
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise UnexpectedAnswerError(_UNREADABLE) from None
    if not isinstance(payload, dict):
        raise UnexpectedAnswerError(_UNREADABLE)
    return payload


def _text(values: Mapping[str, object], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) and value else None


def _lifetime(payload: Mapping[str, object], now: float) -> float | None:
    end, start = payload.get("exp"), payload.get("iat")
    if end is None:
        return None
    if isinstance(end, bool) or not isinstance(end, int | float):
        raise UnexpectedAnswerError(f"{_UNREADABLE}: its end is not a time")
    begin = now if isinstance(start, bool) or not isinstance(start, int | float) else float(start)
    return min(float(end) - begin, _TOO_LONG_TO_COUNT)
