"""Facts from a snapshot: the same truth as the impact's access table, way by way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import UsageError
from reconciler.model.access import Candidates, Entity, EntityType, Permission
from reconciler.model.resources import Address, Credential, Member, Resource, ServiceAccount
from reconciler.model.snapshot import Snapshot
from reconciler.plan.access_facts import Fact, Through
from reconciler.plan.access_names import find_entity, found_entity, parse_entity
from reconciler.plan.access_report import AccessBook
from reconciler.plan.impact.access import AccessTable
from reconciler.plan.impact.report import Aspect
from reconciler.plan.impact.side import Content
from tests.build import VISION, account_vault, admin, group, rule, vault

QUEUES = Entity(EntityType.QUEUE, "*")
GPU = Entity(EntityType.QUEUE, "id-of-gpu", "gpu")


def book(*resources: Resource) -> AccessBook:
    return AccessBook(Snapshot.of(resources), lambda _: Content(3, 1))


def told(facts: tuple[Fact, ...], aspect: Aspect) -> list[tuple[str, str, str, str | None, str | None]]:
    return [
        (fact.subject, fact.level, fact.through.value, fact.rule, fact.group) for fact in facts if fact.aspect is aspect
    ]


BOB = Member("Bob@acme.io")
AGENT = ServiceAccount("agent", impersonation=True)


def test_every_way_is_told_with_its_rule_and_group() -> None:
    facts = book(
        BOB,
        group("researchers", "bob@acme.io"),
        rule("vision-rw", groups=["researchers"]),
        rule("vision-ro", "bob@acme.io", permission=Permission.READ),
        rule("gpu", groups=["Users"], entity=GPU, permission=Permission.READ),
    ).of_principal(Address.member("bob@acme.io"))
    assert told(facts, Aspect.ACCESS) == [
        ("project Vision", "read_write", "rule", "vision-rw", "researchers"),
        ("project Vision", "read", "rule", "vision-ro", None),
        ("queue gpu", "read", "everyone", "gpu", "Users"),
        ("everything else", "read_write", "default", None, None),
    ]
    assert told(facts, Aspect.GROUP) == [
        ("Users", "member", "everyone", None, None),
        ("researchers", "member", "itself", None, None),
    ]
    assert {fact.principal for fact in facts} == {"Bob@acme.io"}


def test_who_is_kept_out_is_told() -> None:
    facts = book(BOB, rule("finance", "eve@acme.io"), rule("all", "eve@acme.io", entity=QUEUES)).of_principal(
        BOB.address
    )
    assert told(facts, Aspect.ACCESS) == [
        ("everything else but queues", "read_write", "default", None, None),
        ("project Vision", "none", "rule", None, None),
        ("queue *", "none", "rule", None, None),
    ]


def test_a_rule_for_all_of_a_type_opens_each_of_them() -> None:
    facts = book(BOB, rule("gpu", "eve@acme.io", entity=GPU), rule("all", "bob@acme.io", entity=QUEUES)).of_principal(
        BOB.address
    )
    assert [fact.subject for fact in facts if fact.level == "none"] == []


def test_an_admin_has_everything_but_queues() -> None:
    workspace = book(
        admin("ada@acme.io"),
        rule("finance", "eve@acme.io"),
        rule("gpu", "eve@acme.io", entity=GPU),
        vault("s3", "Admins", "a: 1"),
    )
    facts = workspace.of_principal(Address.member("ada@acme.io"))
    assert told(facts, Aspect.ACCESS) == [
        ("everything but queues", "read_write", "admin", None, None),
        ("everything else", "read_write", "default", None, None),
        ("queue gpu", "none", "rule", None, None),
    ]
    assert told(facts, Aspect.VAULT) == [("s3", "reached", "admin", None, "Admins")]
    assert [fact.through for fact in workspace.of_entity(GPU)] == [Through.RULE, Through.RULE]
    assert [fact.through for fact in workspace.of_entity(VISION)] == [Through.RULE, Through.ADMIN, Through.RULE]


def test_a_rule_for_admins_opens_a_queue_to_whoever_is_one() -> None:
    workspace = book(BOB, admin("ada@acme.io"), rule("gpu", groups=["Admins"], entity=GPU))
    assert told(workspace.of_principal(Address.member("ada@acme.io")), Aspect.ACCESS)[1] == (
        "queue gpu", "read_write", "rule", "gpu", "Admins",
    )  # fmt: skip
    assert [(fact.principal, fact.group) for fact in workspace.of_entity(GPU)] == [
        ("everyone", None),
        ("ada@acme.io", "Admins"),
    ]
    assert ("queue gpu", "none", "rule", None, None) in told(workspace.of_principal(BOB.address), Aspect.ACCESS)


def test_vaults_and_keys_of_an_account() -> None:
    facts = book(
        AGENT,
        group("robots", accounts=["agent"]),
        vault("s3", "robots", "a: 1"),
        vault("off", "robots", "a: 1", enabled=False),
        vault("all", "Users", "a: 1"),
        account_vault("agent", "a: 1"),
        Credential("agent", "k8s", timedelta(days=90)),
        Credential("agent", "ci", timedelta(minutes=90)),
        Credential("agent", "old"),
    ).of_principal(AGENT.address)
    assert told(facts, Aspect.VAULT) == [
        ("all", "reached", "everyone", None, "Users"),
        ("s3", "reached", "group", None, "robots"),
        ("agent", "reached", "itself", None, None),
    ]
    assert [(f.subject, f.ends) for f in facts if f.aspect is Aspect.CREDENTIAL] == [
        ("ci", "after 90m"),
        ("k8s", "after 90d"),
        ("old", None),
    ]
    assert told(facts, Aspect.IMPERSONATION) == [("impersonation", "yes", "itself", None, None)]


def test_somebody_whom_only_a_rule_names_is_told_as_unknown() -> None:
    workspace = book(rule("vision", "ghost@acme.io"))
    assert workspace.principals == [Address.member("ghost@acme.io")]
    standing = workspace.of_principal(Address.member("ghost@acme.io"))[0]
    assert (standing.aspect, standing.level) == (Aspect.WORKSPACE, "unknown")


def test_an_entity_without_a_rule_is_open_to_everyone() -> None:
    (fact,) = book(BOB).of_entity(VISION)
    assert (fact.kind, fact.level, fact.through) == (None, "read_write", Through.DEFAULT)


def test_an_entity_that_everyone_reaches_names_the_rule() -> None:
    (fact,) = book(BOB, rule("open", groups=["Users"])).of_entity(VISION)
    assert (fact.principal, fact.level, fact.rule) == ("everyone", "read_write", "open")


_NAMES = st.sampled_from(["a@x.io", "b@x.io", "c@x.io"])
_RULES = st.builds(
    lambda name, people, robots, groups, entity, permission: rule(
        name, *people, accounts=robots, groups=groups, entity=entity, permission=permission
    ),
    st.sampled_from(["one", "two", "three", "four"]),
    st.sets(_NAMES),
    st.sets(st.just("agent")),
    st.sets(st.sampled_from(["g1", "g2", "Users"])),
    st.sampled_from([VISION, GPU, QUEUES, Entity(EntityType.PROJECT, "*")]),
    st.sampled_from(list(Permission)),
)


@given(st.lists(_RULES, max_size=5), st.sets(_NAMES), st.sets(_NAMES), st.booleans())
def test_the_best_way_is_what_the_impact_says(rules: list, one: set, two: set, is_admin: bool) -> None:
    people = [admin("a@x.io") if is_admin else Member("a@x.io"), Member("b@x.io"), Member("c@x.io"), AGENT]
    snapshot = Snapshot.of([*people, *rules, group("g1", *one, accounts=["agent"]), group("g2", *two)])
    table, workspace = AccessTable(snapshot), AccessBook(snapshot, lambda _: Content(0, 0))
    rank = {"none": 0, "read": 1, "read_write": 2}
    for entity in (VISION, GPU):
        facts = workspace.of_entity(entity)
        for person in people:
            grant = table.level(person.address, entity)
            best = max(
                (rank[fact.level] for fact in facts if fact.kind is None or fact.principal == person.title), default=0
            )
            assert best == rank[grant.permission.value if grant else "none"], (person, entity)


class TestNames:
    KNOWN = (VISION, GPU, QUEUES)

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("project:Vision", VISION),
            ("project:vision", VISION),
            ("project:id-of-vision", VISION),
            ("Queue:gpu", GPU),
            ("queue:*", QUEUES),
            ("project:*", Entity(EntityType.PROJECT, "*")),
        ],
    )
    def test_are_found(self, text: str, found: Entity) -> None:
        assert find_entity(parse_entity(text), self.KNOWN) == found

    @pytest.mark.parametrize(
        ("text", "said", "hint"),
        [
            ("Vision", "names no entity", "project:Vision"),
            ("project:", "names no entity", "TYPE:NAME"),
            ("projct:Vision", "no type of entity", "did you mean project?"),
            ("x:Vision", "no type of entity", "app_category"),
            ("project:Visoin", "no access rule names project Visoin", "did you mean project:Vision?"),
            ("model:Vision", "no access rule names model Vision", "--live"),
            ("project:\x1b[31m", "no access rule names project \\x1b[31m", "--live"),
        ],
    )
    def test_that_are_unknown_are_told_with_the_nearest(self, text: str, said: str, hint: str) -> None:
        with pytest.raises(UsageError) as raised:
            find_entity(parse_entity(text), self.KNOWN)
        assert said in raised.value.message
        assert hint in (raised.value.hint or "")

    def test_that_mean_several_name_the_ids(self) -> None:
        with pytest.raises(UsageError) as raised:
            find_entity(parse_entity("project:Vision"), (VISION, Entity(EntityType.PROJECT, "other", "Vision")))
        assert raised.value.hint == "say which one by its id: project:id-of-vision or project:other"

    def test_are_looked_up_in_a_workspace(self) -> None:
        wanted = parse_entity("project:New")
        assert found_entity(wanted, Candidates(("17",)), self.KNOWN) == Entity(EntityType.PROJECT, "17", "New")
        with pytest.raises(UsageError, match="several are called project New"):
            found_entity(wanted, Candidates(("17", "18")), self.KNOWN)
        with pytest.raises(UsageError, match="the workspace has no project New") as raised:
            found_entity(wanted, Candidates((), ("News",)), self.KNOWN)
        assert raised.value.hint == "did you mean project:News?"
        assert found_entity(parse_entity("queue:id-of-gpu"), Candidates((), ("gpu",)), self.KNOWN) == GPU
