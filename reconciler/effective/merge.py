"""What clients make of several sources, with who says each value and nothing settled that is not.

The clients' own parser lays the sources over one another (:meth:`reconciler.vaults.parse.DocumentParser.merge`). Vaults
come in an order that is not documented: the result is asked for with each of them last, and where these results differ
there is a conflict. Here it is only looked up who said what.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.vaults.client_view import MACHINE_KEYS
from reconciler.vaults.places import line_of
from reconciler.vaults.tree import EMPTY, Object, Path, Tree, lookup, put

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.secret import Secret
    from reconciler.vaults.parse import DocumentParser


class Source(Frozen, eq=False):
    """One source: a vault as clients see it, or the ``base`` file below all of them.

    ``text`` is what clients are given, ``tree`` what they read in it, ``shown`` the same with its secrets hidden.
    ``misread`` are leaves that are not in what the author wrote; ``unbound`` those whose value this run does not know.
    """

    name: str
    text: Secret
    tree: Object
    shown: Tree
    file: str | None = None
    lines: Mapping[Path, int] = field(default_factory=dict)
    misread: frozenset[Path] = frozenset()
    unbound: frozenset[Path] = frozenset()
    base: bool = False


class Said(Frozen):
    """What one source says at a path; ``value`` may hold secrets, ``shown`` does not."""

    path: Path
    value: Tree
    source: Source

    @property
    def shown(self) -> Tree:
        """The value with its secrets hidden, unless they are to be revealed."""
        found = lookup(self.source.shown, self.path)
        return self.value if found is None else found

    @property
    def line(self) -> int | None:
        """The line of the source's file that says so, where it is known."""
        return line_of(self.source.lines, self.path)


class Value(Frozen):
    """A leaf of the merged configuration (a list is one leaf): who says it, and what that hides, nearest first.

    Several in ``said`` are a conflict. ``same`` are further vaults that say the very same.
    """

    path: Path
    said: tuple[Said, ...]
    overrides: tuple[Said, ...] = ()
    same: tuple[Said, ...] = ()

    @property
    def is_conflict(self) -> bool:
        """Whether the value depends on an order that is not documented."""
        return len(self.said) > 1


def merge(base: Source | None, vaults: Sequence[Source], parser: DocumentParser) -> tuple[Value, ...]:
    """Lay vaults over a base file, if there is one; raises :class:`DocumentError` if that takes too long.

    All vaults that reach somebody, an own one too, come in an order that nobody documents.
    """
    sources = (base, *vaults) if base is not None else (*vaults,)
    if not sources:
        return ()
    results = parser.merge([source.text.reveal() for source in sources], list(_orders(sources)))
    own = base.tree if base is not None else EMPTY
    return tuple(_values([_with_own_machine_keys(result, own) for result in results], (), sources))


def _orders(sources: Sequence[Source]) -> Iterator[list[int]]:
    """Iterate over orders in which each vault is the last once, the given one first."""
    everything = range(len(sources))
    lasts = [index for index in everything if not sources[index].base] or [0]
    for last in reversed(lasts):
        yield [*(index for index in everything if index != last), last]


def _with_own_machine_keys(tree: Object, own: Tree) -> Object:
    """Give the Agent back what it keeps its own value of (``worker.py``, ``_apply_extra_configuration``)."""
    for path in MACHINE_KEYS:
        if lookup(tree, path) is not None:
            tree = put(tree, path, lookup(own, path))
    return tree


def _values(results: Sequence[Tree], path: Path, sources: Sequence[Source]) -> Iterator[Value]:
    """Iterate over the leaves of results."""
    objects = [tree for tree in results if isinstance(tree, Object)]
    if len(objects) < len(results) or not any(tree.entries for tree in objects):
        if path:
            yield _value(results, path, sources)
        return
    for key in dict.fromkeys(key for tree in objects for key in tree.entries):
        # If all are objects, no vault says otherwise, and each has every key.
        yield from _values([tree.entries[key] for tree in objects if key in tree.entries], (*path, key), sources)


def _value(results: Sequence[Tree], path: Path, sources: Sequence[Source]) -> Value:
    saying = [Said(path, found, source) for source in sources if (found := lookup(source.tree, path)) is not None]
    settled = all(result == results[0] for result in results)
    saying = [said for said in saying if not settled or said.value == results[0]] or saying
    top = [said for said in saying if not said.source.base] or saying
    if settled:
        said, same = tuple(top[:1]), tuple(top[1:])
    else:
        said = tuple(item for at, item in enumerate(top) if all(item.value != other.value for other in top[:at]))
        same = tuple(item for item in top if item not in said)
    beside = [source for source in sources if all(source is not item.source for item in (*said, *same))]
    return Value(path, said, tuple(item for source in reversed(beside) for item in _hidden(source, path)), same)


def _hidden(source: Source, path: Path) -> Iterator[Said]:
    """Iterate over what a source says at, below or instead of a path, and does not get through with."""
    for end in range(1, len(path) + 1):
        found = lookup(source.tree, path[:end])
        if found is None:
            return
        if not isinstance(found, Object) or end == len(path):
            yield from _statements(found, path[:end], source)
            return


def _statements(tree: Tree, path: Path, source: Source) -> Iterator[Said]:
    if isinstance(tree, Object) and tree.entries:
        for key, value in tree.entries.items():
            yield from _statements(value, (*path, key), source)
    else:
        yield Said(path, tree, source)
