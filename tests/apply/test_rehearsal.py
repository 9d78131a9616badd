"""What the rehearsal finds at its end: something that was carried out and is not as it is to be."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from reconciler.errors import RefusedError
from reconciler.model.resources import Member, Resource, Role, ServiceAccount
from reconciler.plan.changes import Guard
from reconciler.plan.make import Terms
from reconciler.rehearsal.rehearse import Rehearsed, rehearse
from reconciler.vaults.parse import DocumentParser
from tests.build import KEY, NOW, admin, desired, group, live, planned, rule, vault

ROOT = admin("root@acme.io")
ADA, TOM, ZOE = Member("ada@acme.io"), Member("tom@acme.io"), Member("zoe@acme.io")
PEOPLE = (ROOT, ADA, TOM, ZOE, ServiceAccount("bot"))
CROWD = tuple(Member(f"p{number}@acme.io") for number in range(1200))


def rehearsed(
    parser: DocumentParser,
    existing: tuple[Resource, ...],
    planned_for: tuple[Resource, ...],
    wanted: tuple[Resource, ...],
) -> Rehearsed:
    """Carry out what one declaration asks for, and look whether it is what another one does."""
    prepared = planned(desired(*planned_for), live(*existing), parser, allow=tuple(Guard))
    terms = Terms("workspace.yaml", "https://api.acme.io", parser, KEY, NOW, frozenset(Guard))
    return asyncio.run(rehearse(prepared, prepared.plan.changes, desired(*wanted), terms))


CHANGES = {
    "a role": (PEOPLE, (ROOT, replace(ADA, role=Role.ADMIN), *PEOPLE[2:]), PEOPLE, "member ada@acme.io"),
    "an account": (
        PEOPLE,
        (*PEOPLE[:-1], ServiceAccount("bot", impersonation=True)),
        PEOPLE,
        "service_account bot",
    ),
    "who is in a group": (
        (*PEOPLE, group("ops", "ada@acme.io", "tom@acme.io")),
        (*PEOPLE, group("ops", "ada@acme.io", "zoe@acme.io")),
        (*PEOPLE, group("ops", "ada@acme.io", "tom@acme.io")),
        "group ops",
    ),
    "who is in a new group": (
        PEOPLE,
        (*PEOPLE, group("ops", "ada@acme.io")),
        (*PEOPLE, group("ops")),
        "group ops",
    ),
    "a rule": (
        (*PEOPLE, rule("r", "ada@acme.io")),
        (*PEOPLE, rule("r", "tom@acme.io")),
        (*PEOPLE, rule("r", "ada@acme.io")),
        "access_rule r",
    ),
    "a vault": (
        (*PEOPLE, group("ops"), vault("v", "ops", "a: 1")),
        (*PEOPLE, group("ops"), vault("v", "ops", "a: 2")),
        (*PEOPLE, group("ops"), vault("v", "ops", "a: 3")),
        "vault v → ops",
    ),
    "one of many": (
        (*PEOPLE, *CROWD, group("ops", *(one.email for one in CROWD))),
        (*PEOPLE, *CROWD, group("ops", *(one.email for one in CROWD[1:]))),
        (*PEOPLE, *CROWD, group("ops", *(one.email for one in CROWD))),
        "group ops",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_carried_out_must_be_what_is_wanted(change: str, parser: DocumentParser) -> None:
    existing, planned_for, wanted, told = CHANGES[change]
    assert rehearsed(parser, existing, planned_for, planned_for).writes > 0
    with pytest.raises(RefusedError, match=f"{told} would still differ afterwards"):
        rehearsed(parser, existing, planned_for, wanted)


def test_what_the_plan_does_not_touch_is_not_looked_at(parser: DocumentParser) -> None:
    existing = (*PEOPLE, group("ops", "ada@acme.io"))
    planned_for = (ROOT, replace(ADA, role=Role.ADMIN), *PEOPLE[2:], group("ops", "ada@acme.io"))
    other = (*planned_for[:-1], group("ops", "tom@acme.io"))
    assert rehearsed(parser, existing, planned_for, other).writes == 1
