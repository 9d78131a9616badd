"""Foreign text within GitHub's Markdown, where it must stay text: no markup, HTML, mention, link, number or emoji.

A backslash keeps Markdown from reading a character, but not GitHub from making a mention or a link of what is left
afterwards. Within a code span nothing is read at all: so names, and whatever is not a plain word, stand in one.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN_WORD = re.compile(r"[(\"]?(?:[^\W\d_]+(?:['-][^\W\d_]+)*|\d{1,6})[)\"]?[.,;:!?]*|[()%.,;:!?→·…—]+")
_TOKEN = re.compile(r"(?<!\S)`(?P<quoted>[^`\n]+)`(?=[.,;:!?)]*(?:\s|$))|\S+")
_LONGEST_NAME = 200


def code(text: str) -> str:
    """Return foreign text as a code span."""
    clean = shortened(harmless(text), _LONGEST_NAME)
    if not clean.strip():
        return "` `"
    fence = "`" * (_longest_run(clean) + 1)
    edge = " " if clean[0] in "` " or clean[-1] in "` " else ""
    return f"{fence}{edge}{clean}{edge}{fence}"


def prose(text: str) -> str:
    """Return a sentence as Markdown: plain words as they are, everything else as code, once if it is so already."""
    return _TOKEN.sub(_token, harmless(text))


def _token(found: re.Match[str]) -> str:
    if found["quoted"] is not None:
        return code(found["quoted"])
    return found[0] if _PLAIN_WORD.fullmatch(found[0]) else code(found[0])


def fence_for(lines: Sequence[str]) -> str:
    """Return a fence that no line can close."""
    return "`" * max(3, 1 + max(map(_longest_run, lines), default=0))


def marker(workspace: str | None, declaration: str) -> str:
    """Return the hidden first line by which a comment about a workspace is found again.

    It has the names of the workspace and of the declaration. A workspace that is not known (the declaration cannot be
    read) is ``?``: such a comment takes the place of the one about the same declaration.
    """
    name = "?" if workspace is None else _marked(workspace)
    return f"<!-- clearml-reconciler: {name} {_marked(PurePosixPath(declaration).as_posix())} -->"


def _marked(name: str) -> str:
    return quote(harmless(name), safe="._/").replace("--", "%2D%2D")


def size(text: str) -> int:
    """Return a text's length as GitHub may count it: in UTF-16 units, the strictest of the usual ways."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def shortened(text: str, most: int) -> str:
    """Return a text of so many characters at most, never cut between a character and what combines with it."""
    if len(text) <= most:
        return text
    end = most - 1
    while end > 0 and unicodedata.combining(text[end]):
        end -= 1
    return text[:end] + "…"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
