from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.apply.stale import check_still_fits
from reconciler.errors import StalePlanError
from reconciler.model.resources import Member, ServiceAccount
from reconciler.plan.document import Plan
from reconciler.vaults.parse import DocumentParser
from tests.build import admin, desired, group, live, planned, vault

ROOT = admin("root@acme.io")
WANTED = (ROOT, Member("ada@acme.io"), group("ops", "root@acme.io"), vault("v", "ops", "a: 2"))
EXISTING = (ROOT, group("ops"), vault("v", "ops", "a: 1"))

Resources = tuple[Any, ...]
Make = Callable[[Resources, Resources], Plan]


@pytest.fixture
def make(parser: DocumentParser) -> Make:
    return lambda wanted, existing: planned(desired(*wanted), live(*existing), parser).plan


def moved(saved: Plan, current: Plan) -> list[str]:
    with pytest.raises(StalePlanError) as caught:
        check_still_fits(saved, current)
    return [line.strip() for line in caught.value.message.splitlines()[1:]]


def test_the_same_plan_fits(make: Make) -> None:
    check_still_fits(make(WANTED, EXISTING), make(WANTED, EXISTING))


def test_the_place_of_a_change_in_the_files_does_not_matter(make: Make) -> None:
    plan = make(WANTED, EXISTING)
    elsewhere = tuple(replace(change, place="other.yaml:1") for change in plan.changes)
    check_still_fits(plan, replace(plan, changes=elsewhere))


def test_more_live_differences_do_not_matter(make: Make) -> None:
    check_still_fits(make(WANTED, EXISTING), make(WANTED, (*EXISTING, ServiceAccount("new"), group("more"))))


@pytest.mark.parametrize(
    ("wanted", "existing", "expected"),
    [
        pytest.param(
            WANTED,
            (*EXISTING, Member("ada@acme.io")),
            ["member ada@acme.io: no longer needs this change"],
            id="somebody did it already",
        ),
        pytest.param(
            WANTED,
            (ROOT, group("ops"), vault("v", "ops", "a: 3")),
            ["vault v → ops: the workspace has moved"],
            id="a live document",
        ),
        pytest.param(
            (*WANTED[:3], vault("v", "ops", "a: 4")),
            EXISTING,
            ["vault v → ops: the declaration has moved"],
            id="a declared document",
        ),
        pytest.param((*WANTED, group("new")), EXISTING, ["group new: not in the plan"], id="more is declared"),
        pytest.param(
            WANTED,
            (ROOT, group("ops", description="other"), vault("v", "ops", "a: 1")),
            ["group ops: the workspace has moved"],
            id="a field that the plan does not even touch",
        ),
    ],
)
def test_what_moved_is_named(wanted: Resources, existing: Resources, expected: list[str], make: Make) -> None:
    assert moved(make(WANTED, EXISTING), make(wanted, existing)) == expected


@pytest.mark.parametrize(("count", "more"), [(1, []), (10, []), (11, ["and 1 more"]), (30, ["and 20 more"])])
def test_much_that_moved_is_cut_short(count: int, more: list[str], make: Make) -> None:
    wanted = (ROOT, *(group(f"g{number:02}") for number in range(count)))
    told = moved(make(wanted, (ROOT,)), make((ROOT,), (ROOT,)))
    assert told == [*(f"group g{number:02}: no longer needs this change" for number in range(min(count, 10))), *more]


def test_another_server_is_told_before_anything_else(make: Make) -> None:
    plan = make(WANTED, EXISTING)
    with pytest.raises(StalePlanError, match=r"the plan was made for https://api.acme.io, this is https://other.io"):
        check_still_fits(plan, replace(plan, server="https://other.io"))
