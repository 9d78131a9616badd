"""Facts from an index of access, way by way; that they say what the index says is in the agreement with the sandbox."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.errors import UsageError
from reconciler.model.access import Candidates, Entity, EntityType, Permission
from reconciler.model.resources import AccessRule, Address, Credential, Member, Resource, ServiceAccount
from reconciler.model.snapshot import Snapshot
from reconciler.plan.access.index import AccessIndex, Through
from reconciler.plan.access.listing import Fact, Listing
from reconciler.plan.access.names import find_entity, found_entity, parse_entity
from reconciler.plan.impact.content import Content
from reconciler.plan.impact.report import Aspect
from tests.build import VISION, account_vault, admin, group, rule, vault

QUEUES = Entity(EntityType.QUEUE, "*")
GPU = Entity(EntityType.QUEUE, "id-of-gpu", "gpu")


ROBOTS = Entity(EntityType.PROJECT, "id-of-robots", "Vision/Robots")
EVERY_PROJECT = Entity(EntityType.PROJECT, "*")


def listing(*resources: Resource, default: tuple[AccessRule, ...] | None = ()) -> Listing:
    """List a workspace whose ``default`` rules are all that the server made itself; ``None``: nobody knows them."""
    return Listing(AccessIndex(Snapshot.of(resources), default), lambda _: Content(3, 1))


def told(facts: tuple[Fact, ...], aspect: Aspect) -> list[tuple[str, str, str, str | None, str | None]]:
    return [
        (fact.subject, fact.level, fact.through.value, fact.rule, fact.group) for fact in facts if fact.aspect is aspect
    ]


BOB = Member("Bob@acme.io")
AGENT = ServiceAccount("agent", impersonation=True)


def test_every_way_is_told_with_its_rule_and_group() -> None:
    facts = listing(
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
    ]
    assert told(facts, Aspect.GROUP) == [
        ("Users", "member", "everyone", None, None),
        ("researchers", "member", "itself", None, None),
    ]
    assert {fact.principal for fact in facts} == {"Bob@acme.io"}


def test_what_no_rule_gives_is_told() -> None:
    facts = listing(BOB, rule("finance", "eve@acme.io"), rule("all", "eve@acme.io", entity=QUEUES)).of_principal(
        BOB.address
    )
    assert told(facts, Aspect.ACCESS) == [
        ("project Vision", "none", "rule", None, None),
        ("queue *", "none", "rule", None, None),
    ]


def test_the_default_rules_give_what_they_give_beside_all_others() -> None:
    default = tuple(rule(f"all {kind}", groups=["Users"], entity=Entity(kind, "*")) for kind in EntityType)
    finance = rule("finance", "eve@acme.io")
    everything = ("everything", "read_write", "default", None, "Users")
    assert told(listing(BOB, finance, default=default).of_principal(BOB.address), Aspect.ACCESS) == [everything]
    kept = tuple(one for one in default if one.entity.type is not EntityType.QUEUE)
    narrowed = listing(BOB, finance, rule("gpu", "eve@acme.io", entity=GPU), default=kept)
    assert told(narrowed.of_principal(BOB.address), Aspect.ACCESS) == [
        ("everything but queues", "read_write", "default", None, "Users"),
        ("queue gpu", "none", "rule", None, None),
    ]
    few = listing(BOB, finance, default=default[:1]).of_principal(BOB.address)
    assert told(few, Aspect.ACCESS) == [("project *", "read_write", "default", "all project", "Users")]
    (everyone, eve) = narrowed.of_entity(VISION)
    assert (everyone.kind, everyone.level, everyone.rule_on) == (None, "read_write", "project *")
    assert (eve.principal, eve.level, eve.rule_on) == ("eve@acme.io", "read_write", None)


def test_a_project_above_gives_what_is_below() -> None:
    workspace = listing(BOB, rule("vision", "bob@acme.io"), rule("robots", "eve@acme.io", entity=ROBOTS))
    everyone, bob, eve = workspace.of_entity(ROBOTS)
    assert (everyone.level, bob.principal, bob.level) == ("none", "Bob@acme.io", "read_write")
    assert (bob.rule, bob.rule_on) == ("vision", "project Vision")
    assert (eve.principal, eve.rule_on) == ("eve@acme.io", None)
    assert told(workspace.of_principal(BOB.address), Aspect.ACCESS) == [
        ("project Vision", "read_write", "rule", "vision", None)
    ]
    below = workspace.of_entity(Entity(EntityType.PROJECT, "unruled", "Vision/Robots/Arms"))
    assert [(fact.principal, fact.level) for fact in below] == [
        ("everyone", "none"),
        ("Bob@acme.io", "read_write"),
        ("eve@acme.io", "read_write"),
    ]


def test_what_may_be_in_a_project_is_told_as_possible() -> None:
    model = Entity(EntityType.MODEL, "id-of-resnet", "resnet")
    workspace = listing(
        BOB, rule("vision", "bob@acme.io"), rule("resnet", "bob@acme.io", entity=model, permission=Permission.READ)
    )
    _, sure, possible = workspace.of_entity(model)
    assert (sure.level, sure.certain, sure.rule) == ("read", True, "resnet")
    assert (possible.level, possible.certain, possible.rule_on) == ("read_write", False, "project Vision")
    assert [fact for fact in workspace.of_principal(BOB.address) if not fact.certain] == [possible]


def test_without_a_server_nothing_is_sure_to_be_closed() -> None:
    workspace = listing(BOB, rule("vision", "eve@acme.io"), default=None)
    assert not workspace.of_entity(VISION)[0].certain
    assert [fact.certain for fact in workspace.of_principal(BOB.address) if fact.aspect is Aspect.ACCESS] == [False]
    report = workspace.report(None, (), ())
    assert report.beside_defaults
    assert not listing(BOB).report(None, (), ()).beside_defaults


def test_a_rule_for_all_of_a_type_opens_each_of_them() -> None:
    facts = listing(
        BOB, rule("gpu", "eve@acme.io", entity=GPU), rule("all", "bob@acme.io", entity=QUEUES)
    ).of_principal(BOB.address)
    assert [fact.subject for fact in facts if fact.level == "none"] == []


def test_an_admin_has_everything_but_queues() -> None:
    workspace = listing(
        admin("ada@acme.io"),
        rule("finance", "eve@acme.io"),
        rule("gpu", "eve@acme.io", entity=GPU),
        vault("s3", "Admins", "a: 1"),
    )
    facts = workspace.of_principal(Address.member("ada@acme.io"))
    assert told(facts, Aspect.ACCESS) == [
        ("everything but queues", "read_write", "admin", None, None),
        ("queue gpu", "none", "rule", None, None),
    ]
    assert told(facts, Aspect.VAULT) == [("s3", "reached", "admin", None, "Admins")]
    assert [fact.through for fact in workspace.of_entity(GPU)] == [Through.RULE, Through.RULE]
    assert [fact.through for fact in workspace.of_entity(VISION)] == [Through.RULE, Through.ADMIN, Through.RULE]


def test_a_rule_for_admins_opens_a_queue_to_whoever_is_one() -> None:
    workspace = listing(BOB, admin("ada@acme.io"), rule("gpu", groups=["Admins"], entity=GPU))
    assert told(workspace.of_principal(Address.member("ada@acme.io")), Aspect.ACCESS)[1] == (
        "queue gpu", "read_write", "rule", "gpu", "Admins",
    )  # fmt: skip
    assert [(fact.principal, fact.group) for fact in workspace.of_entity(GPU)] == [
        ("everyone", None),
        ("ada@acme.io", "Admins"),
    ]
    assert ("queue gpu", "none", "rule", None, None) in told(workspace.of_principal(BOB.address), Aspect.ACCESS)


def test_vaults_and_keys_of_an_account() -> None:
    facts = listing(
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
    workspace = listing(rule("vision", "ghost@acme.io"))
    assert list(workspace.index.principals) == [Address.member("ghost@acme.io")]
    standing = workspace.of_principal(Address.member("ghost@acme.io"))[0]
    assert (standing.aspect, standing.level) == (Aspect.WORKSPACE, "unknown")


def test_an_entity_without_a_rule_is_open_to_nobody() -> None:
    (fact,) = listing(BOB).of_entity(VISION)
    assert (fact.kind, fact.level, fact.certain) == (None, "none", True)


def test_an_entity_that_everyone_reaches_names_the_rule() -> None:
    (fact,) = listing(BOB, rule("open", groups=["Users"])).of_entity(VISION)
    assert (fact.principal, fact.level, fact.rule) == ("everyone", "read_write", "open")


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
            ("project:*", EVERY_PROJECT),
            ("project:Vision/Robots", Entity(EntityType.PROJECT, None, "Vision/Robots")),
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
