"""The part of the HTML page with the picture, a switch between before and after, and the same in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.views.elements import Markup, element
from reconciler.views.graph import graph_of
from reconciler.views.graph_parts import State
from reconciler.views.graph_svg import graph_svg
from reconciler.views.sentences import counted, listed

if TYPE_CHECKING:
    from reconciler.plan.document import Plan
    from reconciler.views.graph_parts import Graph

_NAMED = 30
_SIDES = {"before": "Before", "difference": "Difference", "after": "After"}


def graph_section(plan: Plan) -> Markup:
    """Return the section, or nothing where no connection changes."""
    graph = graph_of(plan)
    if not graph.edges:
        return Markup("")
    note = "Green with a plus is new, dashed red with a minus is removed, gray stays. Only what changes is drawn."
    if graph.left_out:
        note += f" {counted(graph.left_out, 'node')} with fewer changes not drawn."
    switch = element("fieldset", element("legend", "Show"), *(_side(name) for name in _SIDES))
    return element(
        "section",
        element("h2", "Connections before and after", id="graph-title"),
        element(
            "figure",
            switch,
            element("div", graph_svg(graph), class_="picture", tabindex=0, role="group", aria_label="Picture, scrolls"),
            element("figcaption", note, class_="soft", id="graph-note"),
        ),
        _in_words(graph),
        aria_labelledby="graph-title",
    )


def _side(name: str) -> Markup:
    radio = element("input", type="radio", name="side", id=f"side-{name}", checked=name == "difference")
    return element("label", radio, element("span", _SIDES[name]), class_="chip choice")


def _in_words(graph: Graph) -> Markup:
    labels = {
        node.key: f"{node.noun if len(node.names) == 1 else node.label} {listed(node.names, _NAMED)}"
        for node in graph.nodes
    }
    rows = [
        element(
            "li", element("ins" if edge.state is State.GAIN else "del", f"{labels[edge.start]} → {labels[edge.end]}")
        )
        for edge in sorted(graph.edges, key=lambda edge: (edge.state, edge.start, edge.end))
        if edge.state is not State.KEPT
    ]
    title = f"The same in words ({counted(len(rows), 'connection')})"
    return element("details", element("summary", title), element("ul", *rows))
