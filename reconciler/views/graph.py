"""How people, groups, vaults, rules and entities are connected before and after a plan, as far as it moves anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.model.edits import FieldEdit, SetEdit
from reconciler.model.resources import Kind
from reconciler.model.text import fold
from reconciler.plan.access.index import SERVER_DEFAULT
from reconciler.plan.changes import Action
from reconciler.plan.impact.report import Aspect
from reconciler.views.graph_parts import Column, Edge, Graph, Node, State
from reconciler.views.graph_summary import summarized

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.plan.changes import Change
    from reconciler.plan.document import Plan
    from reconciler.plan.impact.report import Effect, PrincipalImpact
    from reconciler.views.graph_parts import Key

_FIELDS = {"members": Kind.MEMBER, "service_accounts": Kind.SERVICE_ACCOUNT, "groups": Kind.GROUP}
_COLUMNS = {
    Kind.MEMBER: Column.PRINCIPAL,
    Kind.SERVICE_ACCOUNT: Column.PRINCIPAL,
    Kind.GROUP: Column.GROUP,
    Kind.VAULT: Column.GIFT,
    Kind.ACCESS_RULE: Column.GIFT,
}


_RENAMED = (Kind.SERVICE_ACCOUNT, Kind.GROUP, Kind.ACCESS_RULE)


@dataclass(slots=True)
class _Drawing:
    labels: dict[Key, str] = field(default_factory=dict)
    nouns: dict[Key, str] = field(default_factory=dict)
    states: dict[Key, State] = field(default_factory=dict)
    edges: dict[tuple[Key, Key], State] = field(default_factory=dict)
    renamed: dict[tuple[Kind, str], str] = field(default_factory=dict)

    def node(self, kind: Kind, title: str, owner: str = "", *, known: bool = False) -> Key:
        """Return the key of a node; a title that is ``known`` to be as people write it wins as its label."""
        title = self.renamed.get((kind, fold(title)), title)
        owner = fold(self.renamed.get((Kind.GROUP, owner), owner))
        key = (_COLUMNS[kind], kind.value, fold(f"{title}\n{owner}") if owner else fold(title))
        self.nouns[key] = kind.value.replace("_", " ")
        if known or key not in self.labels:
            self.labels[key] = title
        return key

    def entity(self, title: str) -> Key:
        key = (Column.ENTITY, "entity", title)
        self.nouns[key], self.labels[key] = "entity", title
        return key

    def connect(self, start: Key, end: Key, state: State) -> None:
        """Draw an edge; what is said of one that comes or goes is not undone by what is kept."""
        if state is not State.KEPT or (start, end) not in self.edges:
            self.edges[start, end] = state


def graph_of(plan: Plan) -> Graph:
    """Return the connections that a plan makes, cuts, or gives something new through."""
    drawing = _Drawing()
    for change in plan.changes:
        name = change.edited("name")
        if change.kind in _RENAMED and name is not None and isinstance(name.before, str):
            drawing.renamed[change.kind, fold(name.before)] = change.title
    for change in plan.changes:
        _draw_change(drawing, change)
    for principal in plan.impact.principals:
        for effect in principal.effects:
            _draw_effect(drawing, principal, effect)
    edges = tuple(Edge(start, end, state) for (start, end), state in drawing.edges.items())
    return summarized(_nodes(drawing), edges)


def _draw_change(drawing: _Drawing, change: Change) -> None:
    if change.kind is Kind.CREDENTIAL:
        return
    if change.kind is Kind.VAULT:
        _draw_vault(drawing, change)
        return
    key = drawing.node(change.kind, change.title, known=True)
    drawing.states[key] = _state(change)
    for edit in change.edits:
        if isinstance(edit, SetEdit) and edit.field in _FIELDS:
            kind = _FIELDS[edit.field]
            for name, state in _both(edit.removed, edit.added):
                drawing.connect(drawing.node(kind, name), key, state)
        elif isinstance(edit, FieldEdit) and edit.field == "resource":
            for title, state in _both((edit.before,), (edit.after,)):
                drawing.connect(key, drawing.entity(title), state)
    for kind, name in change.staying:
        drawing.connect(drawing.node(kind, name), key, State.KEPT)


def _both(before: Iterable[object], after: Iterable[object]) -> Iterator[tuple[str, State]]:
    for titles, state in ((before, State.LOSS), (after, State.GAIN)):
        yield from ((title, state) for title in titles if isinstance(title, str))


def _state(change: Change) -> State:
    if change.action in (Action.CREATE, Action.INVITE):
        return State.GAIN
    return State.LOSS if change.action is Action.DELETE else State.KEPT


def _draw_vault(drawing: _Drawing, change: Change) -> None:
    owner = change.address.owner
    if owner is None:
        return
    name, _, owner_title = change.title.rpartition(" → ")
    key = drawing.node(Kind.VAULT, name or change.title, owner.key[0], known=True)
    state, enabled = _state(change), change.edited("enabled")
    drawing.states[key] = state
    if enabled is not None and change.action is Action.UPDATE:
        state = State.GAIN if enabled.after else State.LOSS
    drawing.connect(drawing.node(owner.kind, owner_title or owner.key[0], known=bool(owner_title)), key, state)


def _draw_effect(drawing: _Drawing, principal: PrincipalImpact, effect: Effect) -> None:
    """Draw the way by which somebody gains or loses something; its parts may themselves stay as they are."""
    if effect.aspect is Aspect.ACCESS and effect.via and effect.via != SERVER_DEFAULT:
        rule = drawing.node(Kind.ACCESS_RULE, effect.via[0])
        start = drawing.node(principal.kind, principal.title, known=True)
        if len(effect.via) > 1:
            start = drawing.node(Kind.GROUP, effect.via[1])
        drawing.connect(start, rule, State.KEPT)
        drawing.connect(rule, drawing.entity(effect.subject), State.KEPT)
    if effect.aspect is Aspect.VAULT and effect.via:
        group = effect.via[0]
        vault = drawing.node(Kind.VAULT, effect.subject, fold(group))
        drawing.connect(drawing.node(Kind.GROUP, group), vault, State.KEPT)


def _nodes(drawing: _Drawing) -> list[Node]:
    used = {key for edge in drawing.edges for key in edge}
    return [
        Node(key, drawing.nouns[key], (drawing.labels[key],), drawing.states.get(key, State.KEPT))
        for key in sorted(used)
    ]
