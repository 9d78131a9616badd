from __future__ import annotations

import re

from reconciler.model.access import Entity, EntityType
from reconciler.model.resources import Member, Resource
from reconciler.plan.document import Plan
from reconciler.vaults.parse import DocumentParser
from reconciler.views.graph import graph_of
from reconciler.views.graph_layout import BOX, HIGH, layout_of
from reconciler.views.graph_parts import Column, Graph, State
from reconciler.views.graph_summary import MOST_NODES
from reconciler.views.graph_svg import graph_svg
from tests.build import admin, desired, group, live, planned, rule, vault


def lines(graph: Graph) -> set[tuple[str, str, State]]:
    labels = {node.key: node.label for node in graph.nodes}
    return {(labels[edge.start], labels[edge.end], edge.state) for edge in graph.edges}


def workspace(shift: int, people: int, groups: int) -> list[Resource]:
    members = [Member(f"p{number}@acme.io") for number in range(people)]
    teams = [
        group(
            f"team-{team}", *(member.email for number, member in enumerate(members) if (number + shift) % 5 == team % 5)
        )
        for team in range(groups)
    ]
    rules = [
        rule(f"rule-{team}", groups=[f"team-{team}"], entity=Entity(EntityType.PROJECT, f"id-{team}", f"P{team}"))
        for team in range(groups)
    ]
    return [admin("root@acme.io"), *members, *teams, *rules, vault("v", "team-0", "a: 1")]


def moved(parser: DocumentParser, people: int, groups: int) -> Plan:
    return planned(desired(*workspace(1, people, groups)), live(*workspace(0, people, groups)), parser).plan


def test_it_shows_the_way_by_which_somebody_gains_and_loses(parser: DocumentParser) -> None:
    drawn = lines(graph_of(moved(parser, 5, 2)))
    assert ("p4@acme.io", "team-0", State.GAIN) in drawn
    assert ("p0@acme.io", "team-0", State.LOSS) in drawn
    assert ("team-0", "rule-0", State.KEPT) in drawn
    assert ("rule-0", "project P0", State.KEPT) in drawn
    assert ("team-0", "v", State.KEPT) in drawn


def test_a_renamed_group_is_one_node(review: Plan) -> None:
    labels = [node.label for node in graph_of(review).nodes]
    assert "researchers" in labels
    assert "research" not in labels
    assert labels.count("s3-prod") == 1


def test_what_is_made_or_removed_says_so(review: Plan) -> None:
    states = {node.label: node.state for node in graph_of(review).nodes}
    assert states["fresh"] is State.GAIN
    assert states["tom@acme.io"] is State.LOSS
    assert states["researchers"] is State.KEPT


def test_nothing_is_drawn_where_no_connection_changes(parser: DocumentParser) -> None:
    root = admin("root@acme.io")
    plan = planned(desired(root, group("g", description="new")), live(root, group("g", description="old")), parser).plan
    assert graph_of(plan) == Graph((), ())


def test_people_that_are_connected_alike_become_one_node(parser: DocumentParser) -> None:
    graph = graph_of(moved(parser, 60, 5))
    principals = [node for node in graph.nodes if node.key[0] is Column.PRINCIPAL]
    assert {node.label for node in principals} == {"12 members"}
    assert sum(len(node.names) for node in principals) == 60


def test_a_graph_that_is_too_large_says_what_is_left_out(parser: DocumentParser) -> None:
    graph = graph_of(moved(parser, 100, 60))
    assert len(graph.nodes) == MOST_NODES
    assert graph.left_out > 0
    keys = {node.key for node in graph.nodes}
    assert all(edge.start in keys and edge.end in keys for edge in graph.edges)


def test_no_two_boxes_overlap_and_all_is_within_the_picture(review: Plan, parser: DocumentParser) -> None:
    for plan in (review, moved(parser, 60, 5), moved(parser, 100, 60)):
        layout = layout_of(graph_of(plan))
        spots = [(x, y) for _, x, y in layout.boxes]
        for number, (x, y) in enumerate(spots):
            assert x >= 0 <= y
            assert x + BOX <= layout.width
            assert y + HIGH <= layout.height
            assert all(abs(x - left) >= BOX or abs(y - top) >= HIGH for left, top in spots[:number])
        for line in layout.lines:
            assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in (*line.points, line.sign))


def test_color_is_never_the_only_sign(review: Plan) -> None:
    svg = graph_svg(graph_of(review))
    for edge in re.findall(r'<g class="edge (gain|loss)[^>]*>(.*?)</g>', svg):
        assert {"gain": "+</text>", "loss": "\N{MINUS SIGN}</text>"}[edge[0]] in edge[1]
