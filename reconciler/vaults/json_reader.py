"""Strict JSON: no key twice, no NaN, every error with its place."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from reconciler.vaults.errors import DocumentError, position
from reconciler.vaults.limits import MAXIMUM_DEPTH, too_deep
from reconciler.vaults.tree import List, Object, Scalar, Tree

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


class _Bad(Exception):  # noqa: N818 - control flow between the hooks and the caller
    """A hook met something that JSON or this project does not allow."""


def parse_json(text: str) -> Tree:
    """Parse strict JSON; raises :class:`DocumentError` with line and column."""
    try:
        plain = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        raise DocumentError(f"this is not valid JSON: {_reason(error.msg)}", error.lineno, error.colno) from None
    except _Bad:
        raise _locate(text) from None
    except RecursionError:
        raise too_deep() from None
    return _tree(plain, 0)


def _reason(message: str) -> str:
    """Return the standard library's reason, which names characters but never content."""
    # "Invalid \\escape: 'x'" and the like go on with a piece of the document.
    text = message.partition(":")[0]
    return text[0].lower() + text[1:]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Bad
    return result


def _constant(_: str) -> NoReturn:
    raise _Bad


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _Bad
    return value


def _integer(text: str) -> int:
    # Python refuses to read numbers of more than 4300 digits, and so do the clients.
    if len(text) > 4000:
        raise _Bad
    return int(text)


def _tree(value: Any, level: int) -> Tree:
    if level > MAXIMUM_DEPTH:
        raise too_deep()
    if isinstance(value, dict):
        return Object({key: _tree(item, level + 1) for key, item in value.items()})
    if isinstance(value, list):
        return List(tuple([_tree(item, level + 1) for item in value]))
    return Scalar(value)


def _locate(text: str) -> DocumentError:
    """Find what a hook objected to; only errors pay for this second pass."""
    seen: list[set[str] | None] = []
    expect_key = False
    for match in _TOKEN.finditer(text):
        lexeme = match.group()
        if lexeme in "{[":
            seen.append(set() if lexeme == "{" else None)
        elif lexeme in "}]" and seen:
            seen.pop()
        elif lexeme[0] == '"' and expect_key and seen and seen[-1] is not None:
            key = json.loads(lexeme, strict=False)
            if key in seen[-1]:
                return DocumentError("the same key occurs twice in one object", *position(text, match.start()))
            seen[-1].add(key)
        elif lexeme in {"NaN", "Infinity", "-Infinity"}:
            return DocumentError("NaN and Infinity are not JSON", *position(text, match.start()))
        elif lexeme[0] in "-0123456789" and (len(lexeme) > 4000 or not math.isfinite(float(lexeme))):
            return DocumentError("a number is too large", *position(text, match.start()))
        expect_key = lexeme in "{,"
    return DocumentError("this is not valid JSON")
