"""Where the nodes and lines of a graph stand: columns from who to what, ordered so that lines cross little.

A line that passes a column takes a narrow slot in it, so that it runs between the nodes and not behind them.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.views.graph_parts import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.views.graph_parts import Edge, Graph, Key, Node

BOX, HIGH, TOP = 206, 40, 40
_GAP, _ROW, _LANE = 96, 56, 20
_SWEEPS = 6


class Slot(Frozen):
    """A node, or the lane of a line that passes; lanes have no node."""

    key: object
    node: Node | None = None

    @property
    def height(self) -> int:
        """How much of its column it takes."""
        return _ROW if self.node else _LANE


class Line(Frozen):
    """An edge and the points that it goes through: from a node's right side, along lanes, to a node's left side.

    ``sign`` is where to tell by a sign what becomes of it.
    """

    edge: Edge
    points: tuple[tuple[float, float], ...]
    sign: tuple[float, float]


class Layout(Frozen):
    """The whole picture, in pixels."""

    width: int
    height: int
    heads: tuple[tuple[str, float], ...]
    boxes: tuple[tuple[Node, float, float], ...]
    lines: tuple[Line, ...]


def layout_of(graph: Graph) -> Layout:
    """Return where everything stands."""
    used = [column for column in Column if any(node.key[0] is column for node in graph.nodes)]
    columns = [[Slot(node.key, node) for node in graph.nodes if node.key[0] is column] for column in used]
    chains = [_chain(edge, used, columns) for edge in graph.edges]
    ordered = _untangled(columns, chains)
    height = max((sum(slot.height for slot in slots) for slots in ordered), default=0)
    spots: dict[object, tuple[float, float]] = {}
    for position, slots in enumerate(ordered):
        y = TOP + (height - sum(slot.height for slot in slots)) / 2
        for slot in slots:
            spots[slot.key] = (2 + position * (BOX + _GAP), y)
            y += slot.height
    return Layout(
        width=len(used) * BOX + max(0, len(used) - 1) * _GAP + 4,
        height=TOP + height,
        heads=tuple((column.value, 2 + position * (BOX + _GAP)) for position, column in enumerate(used)),
        boxes=tuple((slot.node, *spots[slot.key]) for slots in ordered for slot in slots if slot.node),
        lines=_lines(graph.edges, chains, spots),
    )


def _chain(edge: Edge, used: Sequence[Column], columns: Sequence[list[Slot]]) -> list[object]:
    """Return what an edge goes through, and make it a lane in each column that it passes."""
    between = range(used.index(edge.start[0]) + 1, used.index(edge.end[0]))
    chain: list[object] = [edge.start]
    for position in between:
        lane = (position, edge.start, edge.end)
        columns[position].append(Slot(lane))
        chain.append(lane)
    return [*chain, edge.end]


def _untangled(columns: Sequence[Sequence[Slot]], chains: Sequence[Sequence[object]]) -> list[list[Slot]]:
    """Order each column by where its neighbors stand, back and forth."""
    ordered = [list(slots) for slots in columns]
    near: dict[object, list[object]] = defaultdict(list)
    for chain in chains:
        for one, other in pairwise(chain):
            near[one].append(other)
            near[other].append(one)
    for sweep in range(_SWEEPS):
        for position in range(len(ordered)) if sweep % 2 == 0 else reversed(range(len(ordered))):
            spots = _spread(ordered)
            ordered[position].sort(key=lambda slot: _middle(near[slot.key], spots, spots[slot.key]))
    return ordered


def _spread(columns: Sequence[Sequence[Slot]]) -> dict[object, float]:
    return {slot.key: (row + 0.5) / len(slots) for slots in columns for row, slot in enumerate(slots)}


def _middle(keys: Sequence[object], spots: Mapping[object, float], own: float) -> float:
    return sum(spots[key] for key in keys) / len(keys) if keys else own


def _lines(
    edges: Sequence[Edge], chains: Sequence[Sequence[object]], spots: Mapping[object, tuple[float, float]]
) -> tuple[Line, ...]:
    """Return the lines; those that share a side of a node are spread along it in the order of their other ends."""
    leaving: dict[Key, list[int]] = defaultdict(list)
    coming: dict[Key, list[int]] = defaultdict(list)
    for position, edge in enumerate(edges):
        leaving[edge.start].append(position)
        coming[edge.end].append(position)
    for positions in leaving.values():
        positions.sort(key=lambda position: spots[chains[position][1]][1])
    for positions in coming.values():
        positions.sort(key=lambda position: spots[chains[position][-2]][1])
    found = []
    for position, (edge, chain) in enumerate(zip(edges, chains, strict=True)):
        out, into = leaving[edge.start], coming[edge.end]
        start = (spots[edge.start][0] + BOX, _port(out, position, spots[edge.start][1]))
        end = (spots[edge.end][0], _port(into, position, spots[edge.end][1]))
        lanes = [(spots[lane][0] + side, spots[lane][1] + _LANE / 2) for lane in chain[1:-1] for side in (0, BOX)]
        points = (start, *lanes, end)
        at_end = len(into) <= len(out)
        part = 0.16 if (into if at_end else out).index(position) % 2 == 0 else 0.34
        sign = _along(points[-2], points[-1], 1 - part) if at_end else _along(points[0], points[1], part)
        found.append(Line(edge, points, sign))
    return tuple(found)


def _port(positions: Sequence[int], position: int, top: float) -> float:
    return top + HIGH * (positions.index(position) + 1) / (len(positions) + 1)


def _along(start: tuple[float, float], end: tuple[float, float], part: float) -> tuple[float, float]:
    """Return a point on the curve that leaves and arrives level, a part of its way from the start."""
    rest = 1 - part
    middle = (start[0] + end[0]) / 2
    x = rest**3 * start[0] + 3 * rest * part * middle + part**3 * end[0]
    return x, rest * rest * (1 + 2 * part) * start[1] + part * part * (3 - 2 * part) * end[1]
