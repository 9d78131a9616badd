"""The graph of a plan as an SVG picture: gains and losses told apart by sign, line and color."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.text import harmless
from reconciler.views.columns import width
from reconciler.views.elements import Markup, element
from reconciler.views.graph_layout import BOX, HIGH, layout_of
from reconciler.views.graph_parts import State
from reconciler.views.markdown import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.views.graph_layout import Line
    from reconciler.views.graph_parts import Graph, Key, Node

_LETTERS, _SMALL_LETTERS, _NAMED = 24, 30, 40
_SIGNS = {State.GAIN: "+", State.LOSS: "−", State.KEPT: ""}  # noqa: RUF001 - a minus as wide as the plus
_WORDS = {State.GAIN: ", new", State.LOSS: ", removed", State.KEPT: ""}
_ABOVE = (State.KEPT, State.LOSS, State.GAIN)


def graph_svg(graph: Graph) -> Markup:
    """Return the picture. Labels that are too long are cut; a pointer shows them whole."""
    layout = layout_of(graph)
    states = {node.key: node.state for node in graph.nodes}
    heads = [element("text", words, x=x, y=18, class_="head") for words, x in layout.heads]
    lines = [_line(line, states) for line in sorted(layout.lines, key=lambda line: _ABOVE.index(line.edge.state))]
    boxes = [_box(node, x, y) for node, x, y in layout.boxes]
    return element(
        "svg",
        *heads,
        *lines,
        *boxes,
        viewBox=f"0 0 {layout.width} {layout.height}",
        width=layout.width,
        height=layout.height,
        role="img",
        aria_labelledby="graph-title",
        aria_describedby="graph-note",
    )


def _line(line: Line, states: Mapping[Key, State]) -> Markup:
    edge = line.edge
    (x, y), *others = line.points
    path = f"M{x:.0f} {y:.1f}"
    for position, (to_x, to_y) in enumerate(others):
        along_lane = position % 2 == 1
        bend = 0.0 if along_lane else (to_x - x) / 2
        path += f"C{x + bend:.0f} {y:.1f} {to_x - bend:.0f} {to_y:.1f} {to_x:.0f} {to_y:.1f}"
        x, y = to_x, to_y
    parts = [element("path", d=path)]
    if _SIGNS[edge.state]:
        x, y = line.sign
        parts.append(element("circle", cx=f"{x:.0f}", cy=f"{y:.1f}", r=8))
        parts.append(element("text", _SIGNS[edge.state], x=f"{x:.0f}", y=f"{y + 4.5:.1f}", class_="mark"))
    side = _side(edge.state, states[edge.start], states[edge.end])
    return element("g", *parts, class_=f"edge {edge.state.value} {side}")


def _side(*states: State) -> str:
    """Return the class that tells on which side something is to be seen."""
    if State.LOSS in states:
        return "only-before"
    return "only-after" if State.GAIN in states else "both"


def _box(node: Node, x: float, y: float) -> Markup:
    noun = node.noun + _WORDS[node.state]
    below = noun if len(node.names) == 1 else _fitting(", ".join(node.names), _SMALL_LETTERS)
    sign = f"{_SIGNS[node.state]} " if _SIGNS[node.state] else ""
    return element(
        "g",
        element("title", ", ".join((noun, *node.names[:_NAMED]))),
        element("rect", x=f"{x:.0f}", y=f"{y:.0f}", width=BOX, height=HIGH, rx=7),
        element("text", sign + _fitting(node.label, _LETTERS), x=f"{x + 10:.0f}", y=f"{y + 17:.0f}", class_="label"),
        element("text", below, x=f"{x + 10:.0f}", y=f"{y + 32:.0f}", class_="noun"),
        class_=f"node {node.state.value} {_side(node.state)}",
    )


def _fitting(label: str, letters: int) -> str:
    clean = harmless(label)
    most = min(len(clean), letters)
    while most > 1 and width(shortened(clean, most)) > letters:
        most -= 1
    return shortened(clean, most)
