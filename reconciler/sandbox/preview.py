"""A vault's text with its leaf values hidden, for ``preview_data``."""

from __future__ import annotations

import json
import re

from reconciler.sandbox.choices import HIDDEN

_KEY = re.compile(r"""\s*(?:-\s+)?(?:"[^"]*"|[\w.$@/-]+)(?:\s*[:=])?\s*""")
_SPANNING = re.compile(r"""\"{3}|'{3}|[|>][+\-\d]*\s*(?:#.*)?$|\\$""", re.MULTILINE)
_STRUCTURE = re.compile(r"[\s{}\[\],]*")
_HARMLESS = re.compile(r"(?:true|false|null|-?\d+(?:\.\d+)?)?[\s{}\[\],]*")


def preview(text: str) -> str:
    """Hide every leaf string: exactly in JSON; line by line in other text, where doubt hides the line.

    A text with values that span lines is hidden as a whole: a part of such a value can look like a key.
    """
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        if _SPANNING.search(text):
            return HIDDEN
        return "\n".join(_hide_line(line) for line in text.splitlines())
    return json.dumps(_hide(tree), ensure_ascii=False)


def _hide(node: object) -> object:
    if isinstance(node, dict):
        return {key: _hide(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_hide(item) for item in node]
    return HIDDEN if isinstance(node, str) else node


def _hide_line(line: str) -> str:
    if _STRUCTURE.fullmatch(line):
        return line
    found = _KEY.match(line)
    key = found[0] if found else ""
    rest = line[len(key) :]
    value = rest.rstrip().removesuffix(",").rstrip()
    if found is None or not (key.rstrip().endswith((":", "=")) or value == "{"):
        return HIDDEN
    return line if _HARMLESS.fullmatch(value) else f"{key}{HIDDEN}{rest[len(value) :]}"
