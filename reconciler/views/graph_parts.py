"""What a graph is made of: nodes in columns, from who to what, and the edges between them."""

from __future__ import annotations

from enum import StrEnum

from reconciler.frozen import Frozen


class State(StrEnum):
    """Whether something is there afterwards only, before only, or on both sides."""

    GAIN = "gain"
    LOSS = "loss"
    KEPT = "kept"


class Column(StrEnum):
    """Where a node stands, from who to what."""

    PRINCIPAL = "people and accounts"
    GROUP = "groups"
    GIFT = "vaults and access rules"
    ENTITY = "what they open"


Key = tuple[Column, str, str]


class Node(Frozen):
    """Something to draw; ``names`` has more than one where it stands for several that are connected alike."""

    key: Key
    noun: str
    names: tuple[str, ...]
    state: State

    @property
    def label(self) -> str:
        """What to write on it."""
        return self.names[0] if len(self.names) == 1 else f"{len(self.names)} {self.noun}s"


class Edge(Frozen):
    """A connection from who to what."""

    start: Key
    end: Key
    state: State


class Graph(Frozen):
    """What to draw; ``left_out`` counts the nodes that would be too many."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int = 0
