"""What a declaration names has to exist, and to be one thing only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from reconciler.errors import AmbiguousWorkspaceError, InvalidDeclarationError, Place
from reconciler.model.desired import Management
from reconciler.model.live import CredentialFacts
from reconciler.model.resources import Address, Credential, Kind, Resource, ServiceAccount
from reconciler.vaults.parse import DocumentParser
from tests.build import EVERYTHING, NOW, admin, credential, desired, group, live, planned, rule, vault

ROOT, AGENT = admin("root@acme.io"), ServiceAccount("agent")
TWO_AGENTS = {Address.service_account("agent"): ("id-2", "id-1")}
HERE = Place("team.yaml", 7)


@pytest.mark.parametrize("management", Management)
def test_two_of_one_name_stop_the_plan_where_it_is_declared(management: Management, parser: DocumentParser) -> None:
    wanted = desired(ROOT, AGENT, kinds=EVERYTHING | {Kind.SERVICE_ACCOUNT: management})
    with pytest.raises(AmbiguousWorkspaceError) as caught:
        planned(wanted, live(ROOT, ambiguous=TWO_AGENTS), parser)
    assert caught.value.message == "the workspace has 2 service_accounts named agent (ids id-1, id-2)"
    assert caught.value.hint == "rename or remove all but one of them in the web page, then run again"


@pytest.mark.parametrize(
    ("management", "stops"), [(Management.ALL, True), (Management.DECLARED, False), (Management.NONE, False)]
)
def test_two_of_one_name_that_nobody_declares_matter_only_where_all_is_managed(
    management: Management, stops: bool, parser: DocumentParser
) -> None:
    wanted = desired(ROOT, kinds=EVERYTHING | {Kind.SERVICE_ACCOUNT: management})
    existing = live(ROOT, ambiguous=TWO_AGENTS)
    if stops:
        with pytest.raises(AmbiguousWorkspaceError):
            planned(wanted, existing, parser)
    else:
        assert planned(wanted, existing, parser).plan.is_empty


@pytest.mark.parametrize(
    ("resource", "messages"),
    [
        pytest.param(
            group("ops", "z@acme.io", "a@acme.io", accounts=["ghost"]),
            [
                ("group ops names a@acme.io, which is neither declared nor in the workspace", "declare the member"),
                (
                    "group ops names ghost, which is neither declared nor in the workspace",
                    "declare the service_account",
                ),
                ("group ops names z@acme.io, which is neither declared nor in the workspace", "declare the member"),
            ],
            id="a group",
        ),
        pytest.param(
            rule("r", "a@acme.io", groups=["nobody"]),
            [
                ("access rule r names a@acme.io, which is neither declared nor in the workspace", "declare the member"),
                ("access rule r names nobody, which is neither declared nor in the workspace", "declare the group"),
            ],
            id="an access rule",
        ),
        pytest.param(
            vault("v", "nobody", "a: 1"),
            [("vault v refers to nobody, which is neither declared nor in the workspace", "declare the group")],
            id="a vault",
        ),
    ],
)
def test_every_unknown_name_is_told_with_its_place_and_what_to_do(
    resource: Resource, messages: list[tuple[str, str]], parser: DocumentParser
) -> None:
    kinds = EVERYTHING | {Kind.MEMBER: Management.DECLARED}
    wanted = replace(desired(ROOT, resource, kinds=kinds), places={resource.address: HERE})
    with pytest.raises(InvalidDeclarationError) as caught:
        planned(wanted, live(ROOT), parser)
    found = [(item.message, item.hint, item.place, item.rule) for item in caught.value.problems]
    assert found == [(message, hint, HERE, "unknown-reference") for message, hint in messages]


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("ends_in", "delivered", "stops"),
    [
        pytest.param(None, False, True, id="one that is not there"),
        pytest.param(None, True, False, id="one that is not there, with a delivery"),
        pytest.param(30 * DAY, False, False, id="one that is there"),
        pytest.param(DAY, False, True, id="one that is due"),
        pytest.param(DAY, True, False, id="one that is due, with a delivery"),
    ],
)
def test_a_key_that_has_to_be_made_needs_a_delivery(
    ends_in: timedelta | None, delivered: bool, stops: bool, parser: DocumentParser
) -> None:
    key = replace(credential("agent", "ci", "key" if delivered else None), rotate_before=7 * DAY)
    there = Credential("agent", "ci")
    facts = {} if ends_in is None else {there.address: CredentialFacts("k", "ci", expires=NOW + ends_in)}
    existing = live(ROOT, AGENT, *([] if ends_in is None else [there]), facts=facts)
    wanted = replace(desired(ROOT, AGENT, key, credentials_of=["agent"]), places={key.address: HERE})
    if not stops:
        planned(wanted, existing, parser)
        return
    with pytest.raises(InvalidDeclarationError) as caught:
        planned(wanted, existing, parser)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.place, problem.hint) == ("undeliverable", HERE, "add deliver: {file: …}")
    assert problem.message.startswith("credential agent / ci has to be created")
