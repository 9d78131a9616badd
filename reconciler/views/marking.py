"""Names within sentences, marked so that each view can set them apart and make them harmless in its own way.

A sentence is made with :func:`marked` in place of each name, and taken apart by :func:`pieces`. The marks are private
characters, which no harmless text contains, so that a name cannot forge one. What is not marked is foreign to a view
all the same: it has to be escaped like any text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

_BEGIN, _END = "\ue000", "\ue001"
_NAME = re.compile(f"{_BEGIN}([^{_END}]*){_END}")


def marked(name: str) -> str:
    """Return a harmless name between marks."""
    return f"{_BEGIN}{harmless(name)}{_END}"


def pieces(sentence: str, name: Callable[[str], str], words: Callable[[str], str]) -> str:
    """Return a sentence whose names and whose other words, all harmless, are each written in a view's own way."""
    parts = _NAME.split(sentence)
    return "".join((name if position % 2 else words)(harmless(part)) for position, part in enumerate(parts) if part)
