from __future__ import annotations

import json
import re

import pytest

from reconciler.errors import Place, Problem
from reconciler.model.resources import Member, ServiceAccount
from reconciler.plan.document import Plan
from reconciler.plan.operations import operations_of
from reconciler.plan.outcomes import Left, Outcome, Report, Result
from reconciler.vaults.parse import DocumentParser
from reconciler.views.drift import drift_json, render_drift
from reconciler.views.outcome import outcome_json, render_outcome
from reconciler.views.palette import Palette
from reconciler.views.plan_text import render_plan
from reconciler.views.problems import problems_github, problems_json, render_problems
from tests.build import admin, desired, group, live, planned, vault

UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
PLAIN = Palette()
ROOT = admin("root@acme.io")
NAMES = [
    "line\nbreak",
    "carriage\rreturn",
    "tab\tstop",
    "bell\x07",
    "red\x1b[31mtext\x1b[0m",
    "title\x1b]0;owned\x07",
    "c1\x9b31m",
    "delete\x7f",
    "bidi\u202etxet\u2066",
    "zero\u200bwidth\ufeff",
    "lines\u2028and\u2029paragraphs",
    "half\ud800pair",
    "::error::injected",
    "100%0A::error::injected",
]


def plan_with(name: str, parser: DocumentParser) -> Plan:
    existing = live(
        ROOT,
        Member("ada@acme.io", name=name),
        ServiceAccount(name),
        group(name, "ada@acme.io", accounts=[name], description=name),
        vault(name, name, json.dumps({name: name, "a": name})),
        vault("kept", "kept", json.dumps({name: name})),
        group("kept", description=name),
    )
    wanted = desired(
        ROOT,
        Member("ada@acme.io", name="Ada"),
        group("kept", description="plain"),
        vault("kept", "kept", json.dumps({"b": 1})),
    )
    return planned(wanted, existing, parser).plan


def report_of(plan: Plan, words: str) -> Report:
    return Report(tuple(Result(operation, Outcome.FAILED, words) for operation in operations_of(plan.changes)))


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_view_of_a_plan_lets_a_name_through(name: str, parser: DocumentParser) -> None:
    plan = plan_with(name, parser)
    report = report_of(plan, name)
    views = [
        render_plan(plan, PLAIN),
        render_drift(plan, PLAIN),
        render_outcome(report, Left(None), PLAIN),
        plan.to_json(),
        drift_json(plan),
        outcome_json(plan, report, Left(None)),
    ]
    for view in views:
        assert not UNSAFE.search(view), view
        view.encode("utf-8")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_json_keeps_the_name_as_it_is(name: str, parser: DocumentParser) -> None:
    plan = plan_with(name, parser)
    for text in (plan.to_json(), drift_json(plan), outcome_json(plan, report_of(plan, name), Left(None))):
        assert name in {change["title"] for change in json.loads(text)["changes"]}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_view_of_problems_lets_a_text_through(name: str) -> None:
    place = Place(name, 2, 3)
    problems = [Problem("rule", name, place, name)]
    for view in (render_problems(problems, PLAIN, lambda _: name), problems_json(problems), problems_github(problems)):
        assert not UNSAFE.search(view), view
    assert problems_github(problems).count("\n") == 1
    assert re.fullmatch(r"::error file=[^:,]*,line=2,col=3,title=rule::[^\n]*\n", problems_github(problems))
    assert json.loads(problems_json(problems))["problems"][0]["message"] == name


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_one_change_stays_one_line_and_its_details_below_it(name: str, parser: DocumentParser) -> None:
    lines = render_plan(plan_with(name, parser), PLAIN).splitlines()
    heads = [line for line in lines if line[:2] in ("+ ", "~ ", "- ")]
    assert len(heads) == 6
