"""What is left alone: never a change, and counted with the reason why."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from msgspec.structs import replace

from reconciler.model.desired import Desired, Management
from reconciler.model.live import CredentialFacts, Live
from reconciler.model.resources import RETIRING_MARK, Address, Credential, Group, Kind, Member, Resource, ServiceAccount
from reconciler.vaults.parse import DocumentParser
from tests.build import (
    EVERYTHING,
    NOW,
    account_vault,
    admin,
    credential,
    desired,
    group,
    live,
    planned,
    rule,
    vault,
)

ROOT, TOM, AGENT = admin("root@acme.io"), Member("tom@acme.io"), ServiceAccount("agent")
USERS = Group("Users", builtin=True, assignable=False)
DECLARED = dict.fromkeys(EVERYTHING, Management.DECLARED)
NONE = dict.fromkeys(EVERYTHING, Management.NONE)

Told = list[tuple[str, int, str]]


def changes(wanted: Desired, existing: Live, parser: DocumentParser) -> list[str]:
    plan = planned(wanted, existing, parser).plan
    return [f"{change.action.value} {change.kind.value} {change.title}" for change in plan.changes]


def left_alone(wanted: Desired, existing: Live, parser: DocumentParser) -> Told:
    return [(item.kind.value, item.count, item.reason) for item in planned(wanted, existing, parser).plan.left_alone]


def with_key_counts(existing: Live, **counts: int) -> Live:
    return replace(
        existing,
        credential_counts=MappingProxyType({Address.service_account(name): count for name, count in counts.items()}),
    )


OF_EVERY_KIND: tuple[Resource, ...] = (
    TOM,
    AGENT,
    credential("agent", "ci"),
    account_vault("agent", "a: 1"),
    group("ops", "tom@acme.io"),
    vault("v", "ops", "a: 1"),
    rule("r", groups=["ops"]),
)
"""Resources and what they own, in an order in which owners come first; kinds sorted by name have them last."""


@pytest.mark.parametrize(
    ("kinds", "why", "but"),
    [
        pytest.param(DECLARED, "not_declared", {}, id="only what is declared is managed"),
        pytest.param(NONE, "kind_not_managed", {"credential": "not_declared"}, id="no kind is managed"),
    ],
)
@pytest.mark.parametrize("turn", [1, -1], ids=["owners first", "owners last"])
def test_an_owner_that_is_left_alone_keeps_all_it_has(
    turn: int, kinds: dict[Kind, Management], why: str, but: dict[str, str], parser: DocumentParser
) -> None:
    wanted, existing = desired(kinds=kinds), live(USERS, ROOT, *OF_EVERY_KIND[::turn])
    assert changes(wanted, existing, parser) == []
    told = {kind: (count, reason) for kind, count, reason in left_alone(wanted, existing, parser) if kind != "vault"}
    assert told == {
        "member": (2, why),
        "service_account": (1, why),
        "credential": (1, but.get("credential", why)),
        "group": (1, why),
        "access_rule": (1, why),
    }  # fmt: skip


def test_what_is_left_alone_is_told_in_the_order_of_kinds(parser: DocumentParser) -> None:
    fixed = Member("bot@clear.ml", fixed=True)
    told = left_alone(desired(kinds=DECLARED), live(ROOT, fixed, *reversed(OF_EVERY_KIND)), parser)
    kinds = [kind for kind, _, _ in told]
    assert kinds == sorted(kinds, key=[kind.value for kind in Kind].index)
    assert [reason for kind, _, reason in told if kind == "member"] == ["fixed_by_server", "not_declared"]


@pytest.mark.parametrize(("vaults_of", "expected"), [((), []), (("agent",), ["delete vault agent → agent"])])
def test_an_accounts_vault_of_another_name_is_managed_with_its_account(
    vaults_of: tuple[str, ...], expected: list[str], parser: DocumentParser
) -> None:
    tuned = replace(account_vault("agent", "a: 1"), name="tuned")
    assert changes(desired(ROOT, AGENT, vaults_of=vaults_of), live(ROOT, AGENT, tuned), parser) == expected


def test_vaults_are_counted_whoever_owns_them(parser: DocumentParser) -> None:
    existing = live(ROOT, *OF_EVERY_KIND)
    assert ("vault", 2, "not_declared") in left_alone(desired(kinds=DECLARED), existing, parser)


def test_what_an_account_takes_with_it_is_not_called_left_alone(parser: DocumentParser) -> None:
    wanted, existing = desired(ROOT, TOM), live(ROOT, TOM, *OF_EVERY_KIND[1:4])
    assert changes(wanted, existing, parser) == ["delete service_account agent"]
    assert left_alone(wanted, existing, parser) == []


def test_a_vault_that_stands_in_the_way_of_a_group_is_left_alone(parser: DocumentParser) -> None:
    kinds = EVERYTHING | {Kind.VAULT: Management.DECLARED}
    existing = live(ROOT, group("ops"), vault("v", "ops", "a: 1"))
    assert left_alone(desired(ROOT, kinds=kinds), existing, parser) == [("vault", 1, "not_declared")]


def test_what_follows_a_built_in_group_or_a_retiring_key_is_judged_too(parser: DocumentParser) -> None:
    retiring = Credential("agent", "ci" + RETIRING_MARK)
    facts = {retiring.address: CredentialFacts("k", retiring.label, expires=NOW.replace(year=2099))}
    wanted = desired(ROOT, AGENT, credential("agent", "ci"), kinds=DECLARED, credentials_of=["agent"])
    existing = live(
        USERS, ROOT, AGENT, retiring, credential("agent", "ci"), credential("agent", "z"), group("z"), facts=facts
    )
    assert changes(wanted, existing, parser) == ["delete credential agent / z"]
    assert left_alone(wanted, existing, parser) == [("group", 1, "not_declared")]


def test_users_that_the_server_fixes_are_told_as_such_however_members_are_managed(parser: DocumentParser) -> None:
    fixed = Member("bot@clear.ml", fixed=True)
    for kinds in (EVERYTHING, DECLARED, NONE):
        told = left_alone(desired(ROOT, kinds=kinds), live(ROOT, fixed), parser)
        assert told == [("member", 1, "fixed_by_server")]


class TestKeysThatAreOnlyCounted:
    def test_are_left_alone_with_their_account(self, parser: DocumentParser) -> None:
        existing = with_key_counts(live(ROOT, AGENT, ServiceAccount("b")), agent=2, b=3)
        assert left_alone(desired(ROOT, AGENT, ServiceAccount("b")), existing, parser) == [
            ("credential", 5, "not_declared")
        ]

    def test_are_told_by_no_number_where_there_is_none(self, parser: DocumentParser) -> None:
        assert left_alone(desired(ROOT, AGENT), with_key_counts(live(ROOT, AGENT), agent=0), parser) == []

    def test_go_with_their_account(self, parser: DocumentParser) -> None:
        wanted, existing = desired(ROOT), with_key_counts(live(ROOT, AGENT), agent=2)
        assert left_alone(wanted, existing, parser) == []
        (change,) = planned(wanted, existing, parser).plan.changes
        assert change.credentials_lost == 2

    def test_are_lost_with_nothing_but_their_account(self, parser: DocumentParser) -> None:
        wanted = desired(ROOT, ServiceAccount("agent", impersonation=True))
        existing = with_key_counts(live(ROOT, AGENT, ServiceAccount("b")), agent=2)
        changes = planned(wanted, existing, parser).plan.changes
        assert [(change.title, change.credentials_lost) for change in changes] == [("agent", 0), ("b", 0)]

    def test_are_not_counted_again_where_they_are_listed(self, parser: DocumentParser) -> None:
        existing = with_key_counts(live(ROOT, AGENT, ServiceAccount("b")), agent=2, b=3)
        wanted = desired(ROOT, AGENT, ServiceAccount("b"), credentials_of=["agent"])
        assert left_alone(wanted, existing, parser) == [("credential", 3, "not_declared")]


@pytest.mark.parametrize(
    ("management", "expected"),
    [
        (Management.ALL, [("access_rule", 2, "made_by_server")]),
        (Management.DECLARED, [("access_rule", 2, "made_by_server")]),
        (Management.NONE, []),
    ],
)
def test_the_servers_own_rules_are_told_where_rules_are_managed(
    management: Management, expected: Told, parser: DocumentParser
) -> None:
    wanted = desired(ROOT, kinds=EVERYTHING | {Kind.ACCESS_RULE: management})
    existing = live(ROOT, server_rules={"x": rule("x"), "y": rule("y")})
    assert left_alone(wanted, existing, parser) == expected
