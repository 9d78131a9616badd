"""The last net: known secret values masked in any text that is about to leave the process."""

from __future__ import annotations

import base64
import json
from bisect import insort
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from reconciler.model.secret import HIDDEN
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.secret import Secret

SHORTEST = 4
"""Shorter values are not masked: they stand by chance in too many texts, and masking would garble them all."""

_SHORTEST_LINE = 12
_SHORTEST_IN_BASE64 = 6


class Redactor:
    """Masks the secrets that it was made of, in plain, URL-encoded, JSON-escaped, HTML-escaped and base64 spelling.

    It never changes: to know more, make another one with :meth:`with_more`. So any thread may use it at any time.
    """

    __slots__ = ("_spellings",)

    def __init__(self, secrets: Iterable[Secret] = (), *, spellings: Sequence[str] = ()) -> None:
        ordered = list(spellings)
        for spelling in _maskable(secrets).difference(spellings):
            insort(ordered, spelling, key=_longest_first)
        self._spellings = tuple(ordered)

    def with_more(self, secrets: Iterable[Secret]) -> Redactor:
        """Return a redactor that masks these secrets as well."""
        return Redactor(secrets, spellings=self._spellings)

    def mask(self, text: str) -> str:
        """Return the text with every known value replaced by ``(secret)``."""
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, HIDDEN)
        return text

    def holds_secret(self, text: str) -> bool:
        """Return whether a text holds a known value."""
        return any(spelling in text for spelling in self._spellings)


def _maskable(secrets: Iterable[Secret]) -> set[str]:
    return {spelling for secret in secrets for spelling in _spellings(secret.reveal()) if len(spelling) >= SHORTEST}


def _longest_first(spelling: str) -> tuple[int, str]:
    """Order spellings so that no part of a value outlives the masking of a shorter one."""
    return -len(spelling), spelling


def _spellings(value: str) -> Iterator[str]:
    if len(value) < SHORTEST:
        return
    import html

    stripped = value.strip()
    for part in {value, stripped, *(line for line in stripped.splitlines() if len(line) >= _SHORTEST_LINE)}:
        yield part
        yield harmless(part)
        yield json.dumps(part)[1:-1]
        yield json.dumps(part, ensure_ascii=False)[1:-1]
        yield html.escape(part)
        yield html.escape(part, quote=False)
        for encoded in (
            quote(part, "", errors="replace"),
            quote(part, errors="replace"),
            quote_plus(part, errors="replace"),
        ):
            yield encoded
            yield _lower_escapes(encoded)
    if len(value) >= _SHORTEST_IN_BASE64:
        yield from _base64(value.encode("utf-8", "surrogatepass"))


def _lower_escapes(encoded: str) -> str:
    pieces = encoded.split("%")
    return pieces[0] + "".join(f"%{piece[:2].lower()}{piece[2:]}" for piece in pieces[1:])


def _base64(data: bytes) -> Iterator[str]:
    """Iterate over how the value looks inside base64 of a longer text, at each of the three alignments."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + data).decode("ascii")
        # What also depends on the neighboring bytes is cut off at both ends.
        start = (0, 2, 3)[offset]
        rest = (offset + len(data)) % 3
        core = encoded[start : len(encoded) - (0, 3, 2)[rest]]
        yield core
        yield core.translate(str.maketrans("+/", "-_"))
