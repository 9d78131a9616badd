"""Plain values as YAML text, in the style of the declarations that this project writes."""

from __future__ import annotations

import json
import re
from typing import Final

from reconciler.model.text import is_harmless
from reconciler.yaml.values import ScalarError, plain_value

LONGEST_LINE: Final = 110
"""From so many characters on, an entry is written in several lines."""

_PLAIN: Final = re.compile(r"[^\W_][^:#\[\]{},]*")
_ONLY_IN_BLOCK: Final = re.compile(r"[^\W_](?:[^:#]|(?<! )#)*")
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_NUMBER_LIKE: Final = re.compile(r"[-+.]?[0-9][0-9_:.,+\-/ eExXoOtTzZa-fA-F]*")
_TALL = re.compile(r"[\t\n -~\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]*")


def scalar_text(value: object, style: str = "", *, flow: bool = True) -> str:
    """Return a scalar in one line; a text in the given style of quotes where that can hold it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    if style == "'" and is_harmless(value):
        return "'" + value.replace("'", "''") + "'"
    if style == "" and is_plain(value, flow=flow):
        return value
    return _double_quoted(value)


def is_plain(text: str, *, flow: bool = True) -> bool:
    """Return whether every YAML reader takes an unquoted text for just that text; ``flow``: also within brackets."""
    if text != text.strip() or not is_harmless(text) or text.lower() in _WORDS:
        return False
    if not (_PLAIN if flow else _ONLY_IN_BLOCK).fullmatch(text) or _NUMBER_LIKE.fullmatch(text):
        return False
    try:
        return plain_value(text) == text
    except ScalarError:
        return False


def _double_quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if is_harmless(char) else _escape(char) for char in quoted)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def flow_text(value: object) -> str:
    """Return a value in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar_text(key)}: {flow_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow_text, value)) + "]"
    return scalar_text(value)


def block_text(value: object, indent: int, *, offset: int = 2) -> str:
    """Return a value in lines, the first of them without its indentation and the last without a line end.

    ``indent`` is how many characters stand before each line, ``offset`` how many more before the dash of a list.
    """
    if isinstance(value, dict) and value:
        pad = "\n" + " " * indent
        return pad.join(f"{scalar_text(key)}:{_after_key(item, indent, offset)}" for key, item in value.items())
    if isinstance(value, list) and value:
        pad = "\n" + " " * indent
        return pad.join(f"- {entry_text(item, indent + 2, offset=offset)}" for item in value)
    return flow_text(value) if isinstance(value, dict | list) else scalar_text(value, flow=False)


def entry_text(value: object, indent: int, *, offset: int = 2) -> str:
    """Return an item of a list: in one line if it is short and flat."""
    if isinstance(value, dict) and value and not _is_short(value):
        return block_text(value, indent, offset=offset)
    return flow_text(value) if isinstance(value, dict | list) else scalar_text(value, flow=False)


def pair_text(key: str, value: object, indent: int, *, offset: int = 2) -> str:
    """Return a key and its value as lines of a mapping that is indented by ``indent``."""
    return f"{scalar_text(key)}:{_after_key(value, indent, offset)}"


def literal_text(text: str, indent: int) -> str | None:
    """Return a text of several lines as a block, ``|`` first; ``None`` if a block cannot hold it."""
    body = text.removesuffix("\n")
    first = body.split("\n", 1)[0]
    if "\n" not in text or body.endswith("\n") or not body.strip() or not _TALL.fullmatch(text):
        return None
    if not first.strip() or first.startswith((" ", "\t")) or body.rstrip(" \t").endswith("\n"):
        return None
    lines = (" " * indent + line if line else "" for line in body.split("\n"))
    return ("|" if text.endswith("\n") else "|-") + "\n" + "\n".join(lines)


def _after_key(value: object, indent: int, offset: int) -> str:
    if isinstance(value, str) and (literal := literal_text(value, indent + 2)) is not None:
        return f" {literal}"
    if isinstance(value, dict) and value and not _is_flat(value):
        return "\n" + " " * (indent + 2) + block_text(value, indent + 2, offset=offset)
    if isinstance(value, list) and value and not _is_list_of_scalars(value):
        return "\n" + " " * (indent + offset) + block_text(value, indent + offset, offset=offset)
    return f" {flow_text(value)}" if isinstance(value, dict | list) else f" {scalar_text(value, flow=False)}"


def _is_list_of_scalars(value: list[object]) -> bool:
    flat = not any(isinstance(item, dict | list) for item in value)
    return flat and len(flow_text(value)) < LONGEST_LINE


def _is_flat(value: dict[str, object]) -> bool:
    return all(_is_inner(item) for item in value.values()) and len(flow_text(value)) < LONGEST_LINE


def _is_inner(item: object) -> bool:
    """Return whether an item is a scalar, or a small mapping like ``{env: NAME}``."""
    if isinstance(item, dict):
        return len(item) <= 1 and not any(isinstance(value, dict | list) for value in item.values())
    return not isinstance(item, list) and not (isinstance(item, str) and "\n" in item)


def _is_short(value: dict[str, object]) -> bool:
    flat = not any(isinstance(item, dict | list) or (isinstance(item, str) and "\n" in item) for item in value.values())
    return flat and len(flow_text(value)) < LONGEST_LINE
