"""Names as identities, and foreign text made harmless for people and terminals."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_COMMAND = re.compile(r"##(\[|vso\[)", re.IGNORECASE)
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5")


@cache
def fold(name: str) -> str:
    """Return the identity of a name or e-mail: Unicode-normalized (NFKC), in small letters, blanks collapsed.

    Two names with the same fold are the same name to this project, so that ``Ada@ACME.io`` and ``ada@acme.io`` never
    become two people. Not case-folded, which would make ``straße.de`` and ``strasse.de`` one domain. Remembered, for
    the same e-mail stands in the declaration, in the workspace and in every group.
    """
    if name.isascii():
        return " ".join(name.lower().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).lower())
    return " ".join(folded.split())


def is_harmless(text: str) -> bool:
    """Return whether a text has only visible characters and plain blanks: no controls, bidi marks or invisible ones."""
    if text.isascii():
        return text.isprintable()
    return all(unicodedata.category(char) not in _UNSAFE_CATEGORIES and char not in _INVISIBLE for char in text)


def harmless(text: str) -> str:
    """Return the text with every control, bidi, invisible or line-breaking character written as an escape.

    Applied to whatever came from a file or a server before it is shown, so that a name cannot move the cursor, color
    the screen, reorder the line, break out of a workflow command or be one (``##[…]``, ``##vso[…]``).
    """
    if "##" in text:
        text = _COMMAND.sub(r"#\\x23\1", text)
    if is_harmless(text):
        return text
    return "".join(char if is_harmless(char) else _escape(char) for char in text)


def duration(value: timedelta) -> str:
    """Return a duration as a declaration writes it: in whole days, hours or minutes, like ``90d`` or ``12h``."""
    minutes = int(value.total_seconds() // 60)
    if minutes % (24 * 60) == 0:
        return f"{minutes // (24 * 60)}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def json_document(value: object) -> str:
    """Return a value as a JSON document, ending in a newline; see :func:`json_text`."""
    return json_text(value, indent=1) + "\n"


def json_text(value: object, *, indent: int | None = None) -> str:
    """Return a value as JSON that is harmless in a terminal and the same to a reader.

    Outside of texts JSON has nothing but ASCII, so that what is escaped here stands in texts only.
    """
    import json

    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if "##" in text:
        text = _COMMAND.sub(r"#\\u0023\1", text)
    if text.isascii() and "\x7f" not in text:
        return text
    return "\n".join(line if is_harmless(line) else "".join(map(_json_char, line)) for line in text.split("\n"))


def canonical_json(value: object) -> bytes:
    """Return a value as compact JSON with sorted keys, for a digest: the same bytes for the same value, ever.

    ``value`` holds plain values and what is ``Frozen``. Half a surrogate pair, which a server may have in a name, is
    written as it is.
    """
    import json

    import msgspec

    try:
        return msgspec.json.encode(value, order="sorted")
    except UnicodeEncodeError:
        plain = msgspec.to_builtins(value, str_keys=True, order="sorted")
        text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode("utf-8", "surrogatepass")


def _json_char(char: str) -> str:
    if is_harmless(char):
        return char
    import json

    return "\\u007f" if char == "\x7f" else json.dumps(char)[1:-1]


def _escape(char: str) -> str:
    code = ord(char)
    if char in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    return f"\\U{code:08x}"
