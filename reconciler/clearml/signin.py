"""Keeping a connection signed in (``docs/explanation/clearml-api.md, Calling convention``)."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING

from reconciler.clearml.claims import Claims, decode_claims
from reconciler.errors import SignInError, UnexpectedAnswerError
from reconciler.frozen import Frozen
from reconciler.model.secret import is_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.clearml.messages import LoginAnswer
    from reconciler.clearml.retrying import Timing
    from reconciler.clearml.settings import ConnectionSettings
    from reconciler.model.secret import Secret

RENEW_BEFORE = 360.0
"""Seconds before its end when a token is renewed, as ClearML's clients do; for a short one, a tenth of its life."""


class Ticket(Frozen):
    """A token, what it says, and until when it is used (on the local monotonic clock)."""

    token: Secret
    claims: Claims
    use_until: float | None


class SignIn:
    """Signs in once, and again when the token is near its end or was refused; many tasks may ask at once."""

    def __init__(
        self,
        settings: ConnectionSettings,
        timing: Timing,
        log_in: Callable[[str], Awaitable[LoginAnswer]],
    ) -> None:
        self._settings = settings
        self._timing = timing
        self._log_in = log_in
        self._lock = asyncio.Lock()
        self._ticket: Ticket | None = None

    @property
    def renewable(self) -> bool:
        """Whether there is a key pair to sign in with again; a refused token alone cannot renew itself."""
        return self._settings.secret_key is not None

    async def ticket(self) -> Ticket:
        """Return a ticket that is good for a call now."""
        current = self._ticket
        if current is not None and not self._is_old(current):
            return current
        return await self.renewed(current)

    async def renewed(self, refused: Ticket | None) -> Ticket:
        """Return another ticket than this one; whoever comes second gets what the first one fetched."""
        async with self._lock:
            if self._ticket is None or self._ticket is refused:
                self._ticket = self._accepted(await self._fetch())
            return self._ticket

    def _is_old(self, ticket: Ticket) -> bool:
        return ticket.use_until is not None and self._timing.clock() >= ticket.use_until

    async def _fetch(self) -> Secret:
        settings = self._settings
        if settings.secret_key is not None and settings.access_key:
            pair = f"{settings.access_key}:{settings.secret_key.reveal()}".encode()
            return (await self._log_in(f"Basic {base64.b64encode(pair).decode('ascii')}")).token
        token = self._ticket.token if self._ticket else settings.token
        if token is None:
            raise SignInError("there are no credentials to sign in with")
        if self._ticket is None:
            return token
        return (await self._log_in(f"Bearer {token.reveal()}")).token

    def _accepted(self, token: Secret) -> Ticket:
        if not is_key(token.reveal()):
            raise UnexpectedAnswerError("auth.login: the token in the answer cannot be read")
        claims = decode_claims(token, now=self._timing.now())
        claims.require_enterprise(self._settings.server)
        until = None
        if claims.lifetime is not None:
            until = self._timing.clock() + claims.lifetime - min(RENEW_BEFORE, claims.lifetime / 10)
        return Ticket(token, claims, until)
