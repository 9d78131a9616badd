"""Addresses that look like each other: other letters of the same shape, digits for letters, accents.

The table is the part of Unicode's confusables (UTS #39) that can stand in an e-mail and that people meet. It is meant
for telling two addresses of one workspace apart, never for deciding that one of them is wrong.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHAPES: Final = {
    "a": "\u0430\u03b1\u0251",
    "b": "\u0432\u044c\u03b2",
    "c": "\u0441\u03f2",
    "d": "\u0501\u0111",
    "e": "\u0435\u03b5\u0454",
    "g": "\u0261\u0581",
    "h": "\u04bb\u043d\u0570\u0127",
    "i": "\u0456\u03b9\u0131\u0269",
    "j": "\u0458\u03f3\u0575",
    "k": "\u043a\u03ba",
    "l": "1|\u04cf\u0142\u029f",
    "m": "\u043c\u03bc",
    "n": "\u043f\u03b7\u0578",
    "o": "0\u043e\u03bf\u03c3\u0585\u00f8",
    "p": "\u0440\u03c1",
    "q": "\u051b\u0566",
    "r": "\u0433\u0491\u0280",
    "s": "\u0455",
    "t": "\u0442\u03c4\u0167",
    "u": "\u03c5\u057d",
    "v": "\u0475\u03bd",
    "w": "\u051d\u0461\u03c9\u0561",
    "x": "\u0445\u03c7",
    "y": "\u0443\u04af\u03b3",
    "z": "\u03b6",
    "-": "\u2010\u2011\u2012\u2013\u2212",
}
_TABLE: Final = str.maketrans({char: shape for shape, chars in _SHAPES.items() for char in chars})


def skeleton(text: str) -> str:
    """Return what a text looks like; two texts with the same skeleton are hard to tell apart."""
    return _skeletons([text])[0]


def look_alikes(texts: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of texts that look like each other and are not the same, each sorted, in a stable order."""
    by_fold: dict[str, str] = {}
    for text in texts:
        by_fold.setdefault(fold(text), text)
    different = list(by_fold.values())
    if not different:
        return ()
    skeletons = _skeletons(different)
    if len(set(skeletons)) == len(different):
        return ()
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for text, shape in zip(different, skeletons, strict=True):
        alike[shape].append(text)
    return tuple(sorted(tuple(sorted(group)) for group in alike.values() if len(group) > 1))


def _skeletons(texts: Iterable[str]) -> list[str]:
    """Return what each text looks like; they are translated together, since what is folded has no line ends."""
    return "\n".join(map(_bare, texts)).translate(_TABLE).replace("rn", "m").replace("vv", "w").split("\n")


def _bare(text: str) -> str:
    """Return a text folded and without accents. A capital I has the shape of a small l; folded it would be an i."""
    folded = fold(text.replace("I", "l"))
    if folded.isascii():
        return folded
    return "".join(char for char in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(char))


def foreign_letters(text: str) -> str:
    """Say which letters of a text are not plain Latin ones, by their Unicode names; empty if all are."""
    found = {char: unicodedata.name(char, "unnamed").lower() for char in text if not char.isascii()}
    return ", ".join(sorted(set(found.values())))
