"""A declaration file in the canonical style, proved to mean the same and to hold every comment."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.declaration.fmt.attach import attach
from reconciler.declaration.fmt.printer import Printer
from reconciler.declaration.source import read_yaml
from reconciler.errors import SourceError
from reconciler.yaml.comments import comments
from reconciler.yaml.nodes import read_nodes
from reconciler.yaml.values import same_values

if TYPE_CHECKING:
    from reconciler.yaml.nodes import Node


class CannotFormatError(Exception):
    """A file is written in a way that cannot be brought into the canonical style with its meaning and comments kept."""


def canonical(text: str, file: str) -> str:
    """Return a file's text in the canonical style.

    Raises :class:`reconciler.errors.SourceError` for what is no declaration file and
    :class:`CannotFormatError`.
    """
    before = read_yaml(text, file).root
    windows = "\r\n" in text
    plain = text.replace("\r\n", "\n")
    if "\r" in plain:
        raise CannotFormatError("it has line ends of an old kind")
    root = read_nodes(plain)
    printed = _printed(plain, root)
    try:
        root_again = read_nodes(printed)
        is_proved = _printed(printed, root_again) == printed and same_values(read_yaml(printed, file).root, before)
    except SourceError:
        is_proved = False
    if not is_proved:
        raise CannotFormatError("it is written in a way that this version does not know")
    if _comments(printed, root_again) != _comments(plain, root):
        raise CannotFormatError("a comment stands where none can be kept")
    return printed.replace("\n", "\r\n") if windows else printed


def _printed(text: str, root: Node) -> str:
    return Printer(text, attach(text, root)).print(root)


def _comments(text: str, root: Node) -> Counter[str]:
    return Counter(comment.text for comment in comments(text, root))
