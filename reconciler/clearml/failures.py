"""What can go wrong with one request, said once: may it have been carried out, and is it worth repeating."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

from reconciler.errors import AnswerLostError, ServerError, UnexpectedAnswerError, UnreachableError
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.secret import Secret

SERVER_TEXT_LIMIT = 300
"""The most characters of a server's own words that a message repeats."""

_SHORTEST_SECRET = 4


class Failure(Exception):  # noqa: N818 - never leaves this package; what does is ``error``
    """One request that brought no usable answer.

    ``error`` is what the user is told. ``maybe_done``: the server may have carried the call out. ``repeat``: the same
    call may well succeed later; ``after`` is how many seconds the server asked us to wait first.
    """

    def __init__(
        self, error: ServerError, *, maybe_done: bool = False, repeat: bool = False, after: float | None = None
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.maybe_done = maybe_done
        self.repeat = repeat
        self.after = after

    def verdict(self, endpoint: str, *, write: bool, attempts: int) -> ServerError:
        """Return the error that ends the call after so many attempts.

        A write that may have been carried out is told as just that: whoever made it settles the matter by reading.
        """
        tried = f" (tried {attempts} times)" if attempts > 1 else ""
        if write and self.maybe_done:
            return AnswerLostError(
                f"{endpoint}: it may or may not have been carried out: {self.error.message}{tried}",
                hint=self.error.hint or "running the same command again settles it",
            )
        if isinstance(self.error, UnreachableError) and tried:
            return type(self.error)(f"{self.error.message}{tried}", hint=self.error.hint)
        return self.error


def shown(text: str, *secrets: Secret | None, limit: int = SERVER_TEXT_LIMIT) -> str:
    """Return foreign text fit for a message: harmless, cut to a sane length, and without the given secrets."""
    for secret in secrets:
        if secret is not None and len(secret.reveal()) >= _SHORTEST_SECRET:
            text = text.replace(secret.reveal(), str(secret))
    clean = harmless(text[: limit + 1])
    return clean if len(clean) <= limit else clean[:limit] + "…"


def lost(endpoint: str, server: str, what: str) -> Failure:
    """Return the failure of a request that was sent and brought no whole answer."""
    return Failure(UnreachableError(f"{endpoint}: {server}: {what}"), maybe_done=True, repeat=True)


def too_large(endpoint: str, server: str, limit: int) -> Failure:
    """Return the failure of an answer of more than so many bytes."""
    mebibytes = limit / (1024 * 1024)
    error = UnexpectedAnswerError(f"{endpoint}: the answer of {server} is larger than {mebibytes:g} MiB")
    return Failure(error, maybe_done=True)


def not_sent(server: str, words: str) -> Failure:
    """Return the failure of a request that no connection could be made for; ``words`` say why, as OpenSSL does."""
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return Failure(
            UnreachableError(
                f"the certificate of {server} is not trusted: {words}",
                hint="for a private certificate authority, set SSL_CERT_FILE to its certificate",
            )
        )
    if "[SSL" in words:
        return Failure(
            UnreachableError(
                f"{server} cannot be reached with TLS: {words}",
                hint="check the address, and whether the server there speaks https://",
            ),
            repeat="UNEXPECTED_EOF" in words,
        )
    error = UnreachableError(f"{server} cannot be reached: {words}", hint="check the address and the network")
    return Failure(error, repeat=True)


def no_handshake(server: str, seconds: float, *, repeat: bool) -> Failure:
    """Return the failure of a connection that was accepted, but whose TLS handshake the server did not answer."""
    error = UnreachableError(
        f"{server} cannot be reached with TLS: the connection was accepted, but the handshake was not answered within "
        f"{seconds:g} seconds",
        hint="check the address, and whether the server there speaks https://",
    )
    return Failure(error, repeat=repeat)


def reason(error: Exception) -> str:
    """Return in a few words why a connection failed or broke: as the operating system or OpenSSL says, if one did."""
    words = ""
    for cause in _causes(error):
        if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and cause.errno:
            # asyncio puts its own words into a plain one; a name that nobody knows has a number below zero.
            words = os.strerror(cause.errno) if cause.errno > 0 else cause.strerror or words
        else:
            words = str(cause) or words
    return shown(words.removesuffix(".") or "it was closed", limit=200)


def _causes(error: BaseException | None) -> Iterator[Exception]:
    """Iterate from an error to its first cause; of several at once, the first one counts."""
    while isinstance(error, Exception):
        yield error
        error = error.exceptions[0] if isinstance(error, ExceptionGroup) else error.__cause__ or error.__context__
