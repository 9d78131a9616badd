"""Decides what of a document's values may be shown to whoever reads a plan, a report or a log.

One function decides (:func:`showings`), for every view: by where a value comes from first, by its looks second.

1. What is or was a declared secret, and what looks like one, is a secret.
2. A literal of a reviewed file is shown, and so is a live value that was applied from one: git shows it anyway.
3. What only the server knows, or a file that nobody reviewed, is hidden. Shown all the same are numbers, truth values
   and null; settings that are harmless in both clients' default configuration; what the declaration makes visible.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.secret import HIDDEN, UNSHOWN
from reconciler.vaults.looks import looks_like_secret
from reconciler.vaults.redact import CLIENT_TARGET, is_free_text, is_secret, secret_paths
from reconciler.vaults.tree import (
    Hidden,
    List,
    Object,
    Path,
    PythonObject,
    Scalar,
    Tree,
    leaves,
    lookup,
    parse_path,
    path_text,
    texts,
    transform,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.vaults.references import Template

_SETTINGS = "harmless_settings.tsv"
_SHORTEST_KEY = 9
_SHOWN_ENDS = 16


class Showing(StrEnum):
    """What becomes of a value: it is shown, hidden since nobody knows what it is, or hidden as a secret."""

    SHOWN = "shown"
    HIDDEN = "hidden"
    SECRET = "secret"  # noqa: S105 - a word, no password


class Origin(Frozen):
    """Where the values of one document come from, as far as a run knows.

    ``reviewed``: its literals are in a file that git has as it is. ``literals`` are further leaves that are known to
    have been applied from such a file, ``secrets`` those that hold or held a declared secret. ``visible`` are patterns
    of paths that the declaration makes visible. ``reveal`` shows everything, on a terminal.
    """

    target: str = CLIENT_TARGET
    reviewed: bool = False
    secrets: frozenset[Path] = frozenset()
    literals: frozenset[Path] = frozenset()
    visible: tuple[str, ...] = ()
    reveal: bool = False


UNKNOWN = Origin()
"""The origin of a document that only the server knows."""


def showings(tree: Tree, origin: Origin) -> dict[Path, Showing]:
    """Return what becomes of each leaf of a document."""
    if origin.reveal:
        return {path: Showing.SHOWN for path, _ in leaves(tree)}
    secret = secret_paths(tree, origin.target, origin.secrets)
    return {
        path: Showing.SECRET
        if path in secret
        else Showing.SHOWN
        if origin.reviewed or path in origin.literals or _is_open(path, node, origin)
        else Showing.HIDDEN
        for path, node in leaves(tree)
    }


def shown_tree(tree: Tree, found: Mapping[Path, Showing], references: Collection[Path] = ()) -> Tree:
    """Return a tree for display: what may not be shown is a :class:`Hidden` node.

    An access key identifies without letting anybody in: its ends stay readable, unless it came from a reference.
    """

    def show(path: Path, node: Tree) -> Tree:
        showing = found.get(path, Showing.HIDDEN)
        if showing is Showing.SHOWN:
            return node
        if showing is Showing.HIDDEN:
            return Hidden(UNSHOWN)
        access_key = path and isinstance(path[-1], str) and path[-1].lower() == "access_key"
        if access_key and path not in references and isinstance(node, Scalar) and isinstance(node.value, str):
            return Hidden(_masked_middle(node.value))
        return Hidden()

    return transform(tree, show)


def _masked_middle(value: str) -> str:
    """Return an identifying key with only its ends readable, or nothing of it if it is short."""
    return f"{value[:4]}…{value[-2:]}" if len(value) >= _SHOWN_ENDS else HIDDEN


def shown_path(path: Path) -> str:
    """Return a path as people write it; a key that looks like a secret, as in a misread document, is masked."""
    return path_text(tuple(shown_key(part) if isinstance(part, str) else part for part in path))


def with_shown_keys(tree: Tree) -> Tree:
    """Return a tree for display in which no key looks like a secret."""
    if isinstance(tree, Object):
        return Object({shown_key(key): with_shown_keys(value) for key, value in tree.entries.items()})
    return List(tuple(map(with_shown_keys, tree.items))) if isinstance(tree, List) else tree


def shown_key(key: str) -> str:
    """Return a key, or what stands for it if it looks like a secret."""
    return HIDDEN if len(key) >= _SHORTEST_KEY and looks_like_secret(key) else key


def is_visible(path: Path, patterns: tuple[str, ...]) -> bool:
    """Return whether a path is one of those that a declaration makes visible; positions in lists do not count.

    In a pattern ``*`` stands for one key, and at its end for everything below.
    """
    keys = tuple(part for part in path if isinstance(part, str))
    return any(_matches(keys, _pattern(pattern)) for pattern in patterns)


def plain_secrets(template: Template) -> Iterator[Path]:
    """Yield the leaves of a declared document at which a secret seems to stand itself, and no reference to one."""
    for path in secret_paths(template.tree):
        node = lookup(template.tree, path)
        if node is None or not any(True for _ in (*texts(node), *_numbers(node))):
            continue
        looks = any(map(looks_like_secret, texts(node)))
        if looks or not (path in template.references or is_free_text(path) or _only_assigns(path, node)):
            yield path


def _numbers(node: Tree) -> Iterator[float]:
    if isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        yield node.value


def _only_assigns(path: Path, node: Tree) -> bool:
    """Return whether a leaf is a secret only since docker is given a variable there, which may be any."""
    return not is_secret(path, value="") and any(is_secret(path, value=text) for text in texts(node))


@cache
def harmless_settings() -> frozenset[tuple[str, ...]]:
    """Return the settings whose values are no secrets, as paths of keys.

    The list is made by ``tests/vaults/harmless_settings.py`` from the default configurations of ``clearml`` and
    ``clearml-agent``.
    """
    lines = files("reconciler.vaults").joinpath(_SETTINGS).read_text(encoding="utf-8").splitlines()
    return frozenset(tuple(line.split("\t")[0].split(".")) for line in lines if line and not line.startswith("#"))


def _is_open(path: Path, node: Tree, origin: Origin) -> bool:
    """Return whether a value of unknown origin may be shown: for what it is, or for where it is."""
    if isinstance(node, Hidden | PythonObject):
        return False
    if not any(texts(node)):
        return True
    keys = tuple(part for part in path if isinstance(part, str))
    if origin.target == CLIENT_TARGET and keys in harmless_settings():
        return True
    return is_visible(path, origin.visible)


@cache
def _pattern(pattern: str) -> tuple[str, ...]:
    return tuple(part for part in parse_path(pattern) if isinstance(part, str))


def _matches(keys: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if len(keys) < len(pattern) or (len(keys) > len(pattern) and pattern[-1:] != ("*",)):
        return False
    return all(part in ("*", key) for key, part in zip(keys, pattern, strict=False))
