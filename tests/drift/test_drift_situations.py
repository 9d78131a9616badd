"""What moved where, and what drift says of it: each played on the sandbox through the real commands."""

from __future__ import annotations

import pytest
from drift_people import PEOPLE
from drift_situation import Situation
from drift_team import TEAM, applied_team
from drift_things import THINGS

from tests.support.project import Project

SITUATIONS = (*PEOPLE, *THINGS)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_drift_says_which_side_moved(project: Project, situation: Situation) -> None:
    applied_team(project)
    situation.outside(project.sandbox)
    body = TEAM
    for old, new in situation.edit:
        assert old in body
        body = body.replace(old, new)
    project.declare(body)
    result = project.run("drift", "--format", "json")
    report = result.json
    assert {item["title"]: item["drift"] for item in report["findings"]} == situation.expected, result
    assert result.code == (2 if situation.expected else 0)
    assert report["in_sync"] is not bool(situation.expected)
    for title, parts in situation.parts.items():
        (finding,) = [item for item in report["findings"] if item["title"] == title]
        told = {" ".join(filter(None, (part["field"], part["element"]))): part["drift"] for part in finding["parts"]}
        assert told == parts
    assert tuple(report["agreeing"]) == situation.agreeing
    assert report["memory"] == situation.memory


@pytest.mark.parametrize(
    "situation", [one for one in SITUATIONS if one.expected][::4], ids=lambda situation: situation.name
)
def test_without_a_record_the_same_is_found_and_nobody_is_named(project: Project, situation: Situation) -> None:
    applied_team(project)
    situation.outside(project.sandbox)
    body = TEAM
    for old, new in situation.edit:
        body = body.replace(old, new)
    project.declare(body)
    result = project.run("drift", "--record", "none", "--format", "json")
    assert {item["title"] for item in result.json["findings"]} == set(situation.expected)
    assert {item["drift"] for item in result.json["findings"]} == {"unknown"}
    assert result.code == 2
    text = project.run("drift", "--record", "none").stdout
    assert text.count("Which side moved is unknown") == 1


def test_there_are_enough_of_them() -> None:
    assert len(SITUATIONS) >= 30
    assert len({situation.name for situation in SITUATIONS}) == len(SITUATIONS)
