"""Makes a graph smaller until it can be read: people that are connected alike become one node, then all of a group."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from reconciler.views.graph_parts import Column, Edge, Graph, Node, State

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from reconciler.views.graph_parts import Key

MOST_NODES = 48
_MOST_LINES = 40
"""The most lines that leave people and accounts, where most lines are."""


def summarized(nodes: Sequence[Node], edges: Sequence[Edge], most: int = MOST_NODES) -> Graph:
    """Return a graph of ``most`` nodes at most; those with the fewest changes are left out, and counted."""
    for step in (_alike, _by_destination):
        if len(nodes) > most or sum(edge.start[0] is Column.PRINCIPAL for edge in edges) > _MOST_LINES:
            nodes, edges = step(nodes, edges)
    moves: Counter[Key] = Counter()
    for edge in edges:
        moves.update(dict.fromkeys((edge.start, edge.end), 1 if edge.state is State.KEPT else 1000))
    kept = sorted(sorted(nodes, key=lambda node: (-moves[node.key], node.key))[:most], key=lambda node: node.key)
    shown = {node.key for node in kept}
    near = tuple(edge for edge in edges if edge.start in shown and edge.end in shown)
    return Graph(tuple(kept), near, len(nodes) - len(kept))


def _alike(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[list[Node], list[Edge]]:
    """Make one node of all people, or all accounts, that have the same connections."""
    ways: dict[Key, set[tuple[Key, State]]] = defaultdict(set)
    for edge in edges:
        ways[edge.start].add((edge.end, edge.state))
    found: dict[Hashable, list[Node]] = defaultdict(list)
    for node in nodes:
        is_principal = node.key[0] is Column.PRINCIPAL
        found[(node.noun, node.state, frozenset(ways[node.key])) if is_principal else node.key].append(node)
    made = [_one(group, group[0].key, group[0].state) for group in found.values()]
    shown = {node.key for node in made}
    return made, [edge for edge in edges if edge.start in shown]


def _by_destination(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[list[Node], list[Edge]]:
    """Make one node of all people, or all accounts, that come to one thing, leave it, or stay; many are in several."""
    principals = {node.key: node for node in nodes if node.key[0] is Column.PRINCIPAL}
    found: dict[tuple[str, Key, State], list[Node]] = defaultdict(list)
    for edge in edges:
        if edge.start in principals:
            node = principals[edge.start]
            found[node.noun, edge.end, edge.state].append(node)
    made = [node for node in nodes if node.key not in principals]
    lines = [edge for edge in edges if edge.start not in principals]
    for (noun, end, state), group in found.items():
        key = (Column.PRINCIPAL, f"{noun} {state}", " ".join(end[1:]))
        made.append(_one(group, key, State.KEPT))
        lines.append(Edge(key, end, state))
    return made, lines


def _one(group: Iterable[Node], key: Key, state: State) -> Node:
    nodes = list(group)
    return Node(key, nodes[0].noun, tuple(name for node in nodes for name in node.names), state)
