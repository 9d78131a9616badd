"""Plain values: what an unquoted scalar means in YAML 1.2's core schema, copies, and comparisons with their types.

``no`` is a string, ``0o17`` a number, and a date a string.
"""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import Any, Final

PlainValue = str | int | float | bool | None

LONGEST_NUMBER: Final = 40
"""The most digits of a whole number that a person wrote."""


class Oddity(StrEnum):
    """A scalar that reads like a number, and what is odd about it; the value is the sentence for it."""

    LEADING_ZERO = "a number with a leading zero means different things to different YAML readers"
    TOO_LONG = "this number is too long"
    NOT_FINITE = "this number is not finite"


MISLEADING: Final = frozenset({Oddity.LEADING_ZERO, Oddity.TOO_LONG})
"""What is refused in a file that people write: ``010`` is 8 to a YAML 1.1 reader and 10 to a YAML 1.2 one."""


class ScalarError(ValueError):
    """A plain scalar is refused; ``oddity`` says why."""

    def __init__(self, oddity: Oddity) -> None:
        super().__init__(oddity.value)
        self.oddity = oddity


_WORDS: Final[dict[str, PlainValue]] = {
    "": None,
    **dict.fromkeys(("~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_SPECIAL: Final[dict[str, float]] = {
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_NUMERIC_START: Final = frozenset("+-.0123456789")
_WHOLE = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASES: Final = {"0x": 16, "0o": 8}


def plain_value(text: str, refused: frozenset[Oddity] = MISLEADING, *, longest: int = LONGEST_NUMBER) -> PlainValue:
    """Return what an unquoted scalar means; ``longest`` is the most characters of a whole number.

    Raises :class:`ScalarError` for what is refused.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    value = _number(text, longest)
    oddity = _oddity(text, value)
    if oddity in refused:
        raise ScalarError(oddity)
    return value


def _number(text: str, longest: int) -> PlainValue:
    if _WHOLE.fullmatch(text):
        if len(text) > longest:
            raise ScalarError(Oddity.TOO_LONG)
        return int(text, _BASES.get(text[:2], 10))
    if text in _SPECIAL:
        return _SPECIAL[text]
    return float(text) if _FLOAT.fullmatch(text) else text


def _oddity(text: str, value: PlainValue) -> Oddity | None:
    if isinstance(value, float) and not math.isfinite(value):
        return Oddity.NOT_FINITE
    return Oddity.LEADING_ZERO if _LEADING_ZERO.fullmatch(text) else None


def plain_copy(value: Any) -> Any:
    """Return a deep copy of plain values."""
    if isinstance(value, dict):
        return {key: plain_copy(item) for key, item in value.items()}
    return [plain_copy(item) for item in value] if isinstance(value, list) else value


def same_values(one: Any, other: Any) -> bool:
    """Return whether two values are the same, types included; the order of keys does not matter."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_values(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same_values, one, other))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124  (not a number)
