"""Resources and gains as rules see them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.errors import InvalidDeclarationError, Place, Severity
from reconciler.model.access import Entity, EntityType
from reconciler.model.delivery import FileDelivery
from reconciler.model.placed_text import PlacedText
from reconciler.model.policy import Rule, RuleSubject
from reconciler.model.resources import Credential, Kind, Member, Resource, Role, ServiceAccount
from reconciler.model.snapshot import Snapshot
from reconciler.plan.impact.report import Aspect, Effect, Headline, HeadlineType, Impact, PrincipalImpact, Weight
from reconciler.plan.policy.evaluate import Violation, declared_violations, filled, gain_violations
from reconciler.plan.policy.fields import FIELDS, FieldType
from reconciler.plan.policy.subjects import DeclaredResources, gains
from tests.build import admin, group, rule, vault

ADA = Member("Ada@ACME.io", Role.ADMIN, "Ada")
AGENT = ServiceAccount("Train Agent", impersonation=True)
RESOURCES: tuple[Resource, ...] = (
    ADA,
    AGENT,
    Credential("Train Agent", "k8s", timedelta(hours=36), timedelta(hours=12), FileDelivery("out/k")),
    Credential("Train Agent", "old"),
    group("Finance", "ada@acme.io", "eve@other.io", accounts=["train agent"]),
    vault("s3", "Finance", "a: 1"),
    rule("all-queues", accounts=["train agent"], groups=["finance", "users"], entity=Entity(EntityType.QUEUE, "*")),
)
IMPACT = Impact(
    headlines=(
        Headline(
            type=HeadlineType.OPENS_TO_EVERYONE,
            kind=Kind.ACCESS_RULE,
            subject="project Vision",
            weight=Weight.CRITICAL,
            level="read write",
        ),
        Headline(type=HeadlineType.NO_EFFECT, kind=Kind.GROUP, subject="x", weight=Weight.ROUTINE),
    ),
    principals=(
        PrincipalImpact(
            kind=Kind.MEMBER,
            title="Eve@other.io",
            weight=Weight.SENSITIVE,
            effects=(
                Effect(
                    aspect=Aspect.ACCESS,
                    subject="project Vision",
                    before="read",
                    after="read_write",
                    via=("vision", "ml"),
                    weight=Weight.SENSITIVE,
                ),
                Effect(aspect=Aspect.GROUP, subject="ml", before="member", after=None, weight=Weight.ROUTINE),
            ),
        ),
    ),
)


def values(subject: RuleSubject, position: int = 0) -> dict[str, object]:
    return dict(list(DeclaredResources(Snapshot.of(RESOURCES)).of(subject))[position].values)


def asked(
    subject: RuleSubject, require: str, *, when: str | None = None, message: str = "{title} is wrong", name: str = "r"
) -> Rule:
    condition = None if when is None else PlacedText(when, "policy.yaml", 3)
    return Rule(name, subject, PlacedText(require, "policy.yaml", 4), message, Place("policy.yaml", 2), condition)


@pytest.mark.parametrize("subject", list(RuleSubject))
def test_every_documented_field_is_there_with_its_type(subject: RuleSubject) -> None:
    seen = (
        list(gains(IMPACT))
        if subject is RuleSubject.GAIN
        else list(DeclaredResources(Snapshot.of(RESOURCES)).of(subject))
    )
    assert seen
    types = {FieldType.TEXT: str, FieldType.NUMBER: int, FieldType.FLAG: bool, FieldType.TEXTS: list}
    for one in seen:
        assert list(one.values) == list(FIELDS[subject])
        for name, field in FIELDS[subject].items():
            assert type(one.values[name]) is types[field.type], name


def test_identities_are_compared_in_lower_case_and_names_as_they_are_declared() -> None:
    member = values(RuleSubject.MEMBER)
    assert (member["email"], member["domain"], member["groups"]) == ("ada@acme.io", "acme.io", ["Finance"])
    finance = values(RuleSubject.GROUP)
    assert finance["service_accounts"] == ["Train Agent"]
    assert finance["domains"] == ["acme.io", "other.io"]
    granted = values(RuleSubject.ACCESS_RULE)
    assert (granted["groups"], granted["everyone"], granted["entity"]) == (["Finance", "users"], True, "*")


def test_durations_are_whole_days_rounded_up() -> None:
    credential = values(RuleSubject.CREDENTIAL)
    assert (credential["lifetime_days"], credential["rotate_before_days"], credential["delivery"]) == (2, 1, "file")
    old = values(RuleSubject.CREDENTIAL, 1)
    assert (old["ends"], old["lifetime_days"], old["rotates"], old["delivery"]) == (False, 0, False, "")


def test_gains_are_told_and_losses_are_not() -> None:
    everyone, eve = gains(IMPACT)
    assert (everyone.title, everyone.values["kind"], everyone.values["after"]) == ("everyone", "everyone", "read_write")
    assert (eve.values["principal"], eve.values["domain"], eve.values["via"]) == (
        "eve@other.io",
        "other.io",
        ["vision", "ml"],
    )


def test_a_rule_is_asked_only_when_it_applies() -> None:
    snapshot = Snapshot.of([*RESOURCES, admin("bob@acme.io")])
    rules = [
        asked(RuleSubject.MEMBER, 'member.email == "bob@acme.io"', when="member.admin", message="{email}: not {role}"),
        asked(RuleSubject.GROUP, "size(group.members) < 2", message="{title} holds {members}", name="s"),
    ]
    found = declared_violations(rules, snapshot)
    assert [(violation.rule.id, violation.message) for violation in found] == [
        ("r", "ada@acme.io: not admin"),
        ("s", "Finance holds ada@acme.io, eve@other.io"),
    ]


def test_findings_come_in_the_order_of_the_rules() -> None:
    rules = [asked(RuleSubject.GROUP, "false", name="one"), asked(RuleSubject.MEMBER, "false", name="two")]
    assert [violation.rule.id for violation in declared_violations(rules, Snapshot.of(RESOURCES))] == ["one", "two"]


def test_rules_on_gains_are_asked_of_the_impact_alone() -> None:
    rules = [asked(RuleSubject.GAIN, 'gain.kind != "everyone"'), asked(RuleSubject.MEMBER, "false")]
    assert [violation.seen.title for violation in gain_violations(rules, IMPACT)] == ["everyone"]
    assert [violation.rule.subject for violation in declared_violations(rules, Snapshot.of(RESOURCES))] == [
        RuleSubject.MEMBER
    ]


def test_what_has_no_result_is_an_error_of_the_policy_file() -> None:
    with pytest.raises(InvalidDeclarationError) as raised:
        declared_violations([asked(RuleSubject.GROUP, 'group.members[5] == ""')], Snapshot.of(RESOURCES))
    (problem,) = raised.value.problems
    assert str(problem.place) == "policy.yaml:4:1"
    assert "has no result for group Finance" in problem.message
    assert problem.severity is Severity.ERROR


def test_messages_take_long_lists_in_part_and_no_other_braces() -> None:
    names = [f"n{number}" for number in range(13)]
    assert filled("{title}: {members} {nope} {0} {title.x}", "g", {"members": list(names)}) == (
        "g: n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 3 more {nope} {0} {title.x}"
    )
    assert filled("{title} {on}", "{on}", {"on": True}) == "{on} yes"


def test_ten_thousand_members_and_ten_rules_take_seconds() -> None:
    people = [Member(f"user{number}@acme.io") for number in range(10_000)]
    rules = [asked(RuleSubject.MEMBER, 'member.domain == "acme.io"', name=f"r{number}") for number in range(10)]
    found: list[Violation] = declared_violations(rules, Snapshot.of(people))
    assert found == []
