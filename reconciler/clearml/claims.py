"""What a sign-in token says of the caller.

Sources: ``docs/explanation/clearml-api.md, Calling convention``, ``docs/explanation/clearml-wire.md, Authentication``.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from reconciler.clearml.decode import Lenient, Message, MisfitError, NonEmpty, decoded, misfits, read
from reconciler.errors import OpenSourceServerError, UnexpectedAnswerError
from reconciler.frozen import Frozen
from reconciler.model.resources import Role

if TYPE_CHECKING:
    from reconciler.model.secret import Secret

_UNREADABLE = "auth.login: the token in the answer cannot be read"
_TOO_LONG_TO_COUNT = 10 * 365 * 24 * 3600.0

INVITATION_ROLES_SINCE = "2.37"
"""The API version since which an invitation takes any role that can be assigned; before, only admin or not."""

_UNTOLD_VERSION = "2.9"
"""What ClearML's clients take a server for that does not say which API version it speaks."""


class Claims(Frozen):
    """Who the caller is. ``lifetime`` is in seconds from the token's issue, ``None`` for a token that has no end."""

    user: str
    role: str
    company_name: str | None = None
    feature_set: str = "basic"
    api_version: str | None = None
    lifetime: float | None = None

    def speaks(self, version: str) -> bool:
        """Return whether the server knows what came with an API version."""
        return _numbers(self.api_version or _UNTOLD_VERSION) >= _numbers(version)

    @property
    def invitation_roles(self) -> frozenset[Role]:
        """The roles that somebody can be invited with.

        Source: ``docs/explanation/clearml-api.md, Members``.
        """
        legacy = frozenset({Role.ADMIN, Role.USER})
        return legacy | {Role.CONSUMER} if self.speaks(INVITATION_ROLES_SINCE) else legacy

    def require_enterprise(self, server: str) -> None:
        """Refuse the open-source server, whose feature set is "basic" (or not told, which the clients read as that)."""
        if self.feature_set == "basic":
            raise OpenSourceServerError(
                f"{server} is the open-source ClearML server: it has no groups, vaults or service accounts to manage",
                hint="use a ClearML Enterprise server, or the embedded sandbox (--server sandbox:FILE)",
            )


class IdentityMessage(Message):
    """The identity in a token's payload."""

    user: NonEmpty
    role: NonEmpty
    company_name: Lenient[NonEmpty] | None = None


class TokenMessage(Message):
    """The payload of a token; its times are seconds since the epoch."""

    identity: IdentityMessage
    exp: float | None = None
    iat: Lenient[float] | None = None
    feature_set: Lenient[NonEmpty] | None = None
    api_version: Lenient[NonEmpty] | None = None


def decode_claims(token: Secret, *, now: float) -> Claims:
    """Read a token's payload. Its signature is the server's business: like ClearML's clients, we only look.

    ``now`` (seconds since the epoch) stands in for a missing time of issue.
    """
    payload = _payload(token.reveal())
    return Claims(
        user=payload.identity.user,
        role=payload.identity.role,
        company_name=read(payload.identity.company_name),
        feature_set=read(payload.feature_set) or "basic",
        api_version=read(payload.api_version),
        lifetime=_lifetime(payload, now),
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version, re.ASCII)))


def _payload(token: str) -> TokenMessage:
    parts = token.split(".")
    if len(parts) != 3:
        raise UnexpectedAnswerError(_UNREADABLE)
    try:
        return decoded(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), TokenMessage)
    except MisfitError as error:
        sentence = next(misfits(error.plain, TokenMessage, "its payload"))
        raise UnexpectedAnswerError(f"{_UNREADABLE}: {sentence}") from None
    except ValueError:
        raise UnexpectedAnswerError(_UNREADABLE) from None


def _lifetime(payload: TokenMessage, now: float) -> float | None:
    if payload.exp is None:
        return None
    issued = read(payload.iat)
    return min(payload.exp - (now if issued is None else issued), _TOO_LONG_TO_COUNT)
