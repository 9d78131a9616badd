"""What can go wrong with one request, said once: may it have been carried out, and is it worth repeating."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import AnswerLostError, ServerError, UnreachableError
from reconciler.model.text import harmless

if TYPE_CHECKING:
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
