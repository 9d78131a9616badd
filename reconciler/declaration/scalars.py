"""Plain scalars with YAML 1.2's core meanings: ``no`` is a text, ``0o17`` a number, a date a text."""

from __future__ import annotations

import re
from typing import Final

PlainValue = str | int | float | bool | None

_WORDS: Final[dict[str, PlainValue]] = {
    "": None,
    **dict.fromkeys(("~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_NUMERIC_START: Final = frozenset("+-.0123456789")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 40


class ScalarError(ValueError):
    """A plain scalar reads like a number but means different ones to different readers, or is absurdly long."""


def plain_value(text: str) -> PlainValue:
    """Return what an unquoted scalar means in YAML 1.2's core schema.

    Stricter in one point: a decimal number with a leading zero is refused (``010`` is 8 to a YAML 1.1 reader and 10
    to a YAML 1.2 one). Raises :class:`ScalarError`.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    return _number(text)


def _number(text: str) -> PlainValue:
    if _LEADING_ZERO.fullmatch(text):
        raise ScalarError("a number with a leading zero means different things to different YAML readers")
    if not (_DECIMAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text) or _OCTAL.fullmatch(text)):
        return float(text) if _FLOAT.fullmatch(text) else text
    if len(text) > _LONGEST_NUMBER:
        raise ScalarError("this number is too long")
    return int(text, 16) if text.startswith("0x") else int(text, 8) if text.startswith("0o") else int(text)
