"""A text that must never be shown by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn

HIDDEN = "(secret)"
"""What stands for a secret."""

UNSHOWN = "(hidden)"
"""What stands for a value that is not known to be fit for everybody's eyes."""

_LONGEST_KEY = 16 * 1024


def is_key(text: str) -> bool:
    """Return whether a text can be a key or a token: printable ASCII characters without spaces, at most 16 KiB."""
    return 0 < len(text) <= _LONGEST_KEY and text.isascii() and text.isprintable() and " " not in text


class Secret:
    """Holds a secret text: its repr, str and format show a placeholder, and it refuses to be pickled or serialized.

    The value leaves only through :meth:`reveal`, so that every place that reads it can be found by name.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, specification: str) -> str:
        return format(HIDDEN, specification)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"), other._value.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied to disk")
