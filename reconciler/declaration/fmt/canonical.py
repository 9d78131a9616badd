"""A declaration file in the canonical style, proved to mean the same and to hold every comment.

The printer is our own: the YAML library's round trip loses comments in a third of the texts that the tests of ``fmt``
generate, and a few of them mean something else afterwards.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from reconciler.declaration.fmt.attach import attach
from reconciler.declaration.fmt.printer import Printer
from reconciler.declaration.source import read_yaml
from reconciler.errors import Place, SourceError
from reconciler.yaml.comments import comments
from reconciler.yaml.nodes import MappingNode, SequenceNode, line_end, line_start, read_nodes
from reconciler.yaml.tree import place_at
from reconciler.yaml.values import same_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.yaml.nodes import Node

_LINE_END = re.compile("\r\n?")


class CannotFormatError(Exception):
    """What stands at a place cannot be brought into the canonical style with its meaning and comments kept."""

    def __init__(self, reason: str, place: Place) -> None:
        super().__init__(reason)
        self.place = place


class _UnprovedError(Exception):
    """The canonical form of a text is not what it should be; the message says why."""


def canonical(text: str, file: str) -> str:
    """Return a file's text in the canonical style.

    Raises :class:`reconciler.errors.SourceError` for what is no declaration file and :class:`CannotFormatError`.
    """
    read_yaml(text, file)
    plain = _LINE_END.sub("\n", text)
    try:
        printed = _proved(plain)
    except _UnprovedError as error:
        reason, offset = _first_unproved(plain) or (str(error), 0)
        message = f"this cannot be written in the canonical style: {reason}"
        raise CannotFormatError(message, place_at(plain, offset, file)) from None
    return printed.replace("\n", "\r\n") if "\r\n" in text else printed


def _proved(text: str) -> str:
    """Return the canonical form of a text. Raises :class:`_UnprovedError`."""
    root = read_nodes(text)
    if not isinstance(root, MappingNode) or not root.children:
        return text
    printed = _printed(text, root)
    try:
        root_again = read_nodes(printed)
    except SourceError as error:
        raise _UnprovedError(f"it could not be read again ({error})") from None
    if not isinstance(root_again, MappingNode) or not same_values(root_again.value, root.value):
        raise _UnprovedError("it would mean something else")
    if _comments(printed, root_again) != _comments(text, root):
        raise _UnprovedError("a comment is in a place where it cannot be kept")
    if _printed(printed, root_again) != printed:
        raise _UnprovedError("a comment stands where its place is not clear")
    return printed


def _printed(text: str, root: MappingNode) -> str:
    return Printer(text, attach(text, root)).print(root)


def _comments(text: str, root: Node) -> Counter[str]:
    return Counter(comment.text for comment in comments(text, root))


def _first_unproved(text: str) -> tuple[str, int] | None:
    """Return why the first part of a text that cannot be formatted by itself cannot, and where it begins."""
    found = None
    for start, excerpt in _parts(text):
        try:
            _proved(excerpt)
        except _UnprovedError as error:
            found = found or (str(error), start)
            if excerpt.startswith(_LIST):
                return str(error), start
        except SourceError:
            continue  # it stands for something outside of it
    return found


_LIST = "list:\n"
"""Stands above an item of a list, so that it can be read by itself."""


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Iterate over the pairs at the top of a text, each followed by the items of its list, and where they begin."""
    root = read_nodes(text)
    if not isinstance(root, MappingNode) or root.flow:
        return
    for key, value in zip(root.keys, root.values, strict=True):
        yield key.outer, _lines(text, key.outer, value.end)
        if isinstance(value, SequenceNode) and not value.flow:
            for dash, item in zip(value.dashes, value.items, strict=True):
                yield dash, _LIST + _lines(text, dash, item.end)


def _lines(text: str, start: int, end: int) -> str:
    return f"{text[line_start(text, start) : line_end(text, end)]}\n"
