from __future__ import annotations

import pytest
from msgspec.structs import replace

from reconciler.errors import AmbiguousWorkspaceError, InvalidDeclarationError, RefusedError
from reconciler.model.access import Candidates, Entity, EntityType, Permission
from reconciler.model.desired import Limit, Management, Policy
from reconciler.model.edits import FieldEdit, SetEdit
from reconciler.model.live import Live
from reconciler.model.resources import AccessRule, Address, Group, Kind, Member, Resource, ServiceAccount
from reconciler.plan import operations
from reconciler.plan.changes import Action, Change, Guard, Reason, Waiting
from reconciler.plan.operations import operations_of
from reconciler.plan.order import dependencies
from reconciler.plan.prefixes import check_prefixes
from reconciler.vaults.parse import DocumentParser
from tests.build import EVERYTHING, VISION, admin, desired, group, invited, live, planned, rule

ROOT = admin("root@acme.io")
PEOPLE = (ROOT, Member("ada@acme.io"), Member("tom@acme.io"), ServiceAccount("bot"), group("ops"), group("lab"))
AUDIO = Entity(EntityType.PROJECT, "id-of-audio", "Audio")
USERS = Group("Users", builtin=True, assignable=False)
EVERY = tuple(Guard)


def only_change(declared: AccessRule, existing: AccessRule, parser: DocumentParser) -> Change:
    plan = planned(desired(*PEOPLE, declared), live(*PEOPLE, existing), parser, allow=EVERY).plan
    (change,) = plan.changes
    return change


def carried_out(declared: AccessRule, existing: AccessRule, parser: DocumentParser) -> list[tuple[str, bool]]:
    return [(step.kind.value, step.removal) for step in operations_of([only_change(declared, existing, parser)])]


@pytest.mark.parametrize(
    ("declared", "existing", "edits"),
    [
        pytest.param(rule("r", "ada@acme.io"), rule("r", "ADA@acme.io"), (), id="the same"),
        pytest.param(rule("r", groups=["ops"]), rule("r", groups=["ops"], description="by hand"), (), id="a description not said"),
        pytest.param(rule("r", groups=["ops"], description="x"), rule("r", groups=["ops"], description=" x "), (), id="blanks around it"),
        pytest.param(
            rule("r", groups=["ops"], entity=Entity(EntityType.PROJECT, "id-of-vision")), rule("r", groups=["ops"]), (),
            id="the same entity, by its id",
        ),
        pytest.param(
            rule("r", groups=["ops"], description="x"), rule("r", groups=["ops"], description="y"),
            (FieldEdit(field="description", before="y", after="x"),), id="a description",
        ),
        pytest.param(
            rule("r", groups=["ops"], permission=Permission.READ), rule("r", groups=["ops"]),
            (FieldEdit(field="permission", before="read_write", after="read"),), id="a permission",
        ),
        pytest.param(
            rule("r", groups=["ops"], entity=AUDIO), rule("r", groups=["ops"]),
            (FieldEdit(field="resource", before="project Vision", after="project Audio"),), id="an entity",
        ),
        pytest.param(
            rule("r", groups=["ops"], entity=replace(AUDIO, name="Vision")), rule("r", groups=["ops"]),
            (FieldEdit(field="resource", before="project Vision (id id-of-vision)", after="project Vision (id id-of-audio)"),),
            id="an entity of the same name",
        ),
        pytest.param(
            rule("r", "ada@acme.io", accounts=["bot"], groups=["ops"]), rule("r", "tom@acme.io", groups=["lab", "ops"]),
            (
                SetEdit(field="members", added=("ada@acme.io",), removed=("tom@acme.io",)),
                SetEdit(field="service_accounts", added=("bot",), removed=()),
                SetEdit(field="groups", added=(), removed=("lab",)),
            ),
            id="whoever joins and leaves",
        ),
    ],
)  # fmt: skip
def test_what_differs_in_a_rule(
    declared: AccessRule, existing: AccessRule, edits: tuple[object, ...], parser: DocumentParser
) -> None:
    plan = planned(desired(*PEOPLE, declared), live(*PEOPLE, existing), parser, allow=EVERY).plan
    assert tuple(edit for change in plan.changes for edit in change.edits) == edits


def test_a_new_rule_and_one_that_goes_are_shown_whole(parser: DocumentParser) -> None:
    new, old = rule("new", "ada@acme.io"), rule("old", groups=["ops"], permission=Permission.READ)
    plan = planned(desired(*PEOPLE, new), live(*PEOPLE, old), parser, allow=EVERY).plan
    assert [(change.action, change.title, change.edits) for change in plan.changes] == [
        (
            Action.CREATE,
            "new",
            (
                FieldEdit(field="resource", before=None, after="project Vision"),
                FieldEdit(field="permission", before=None, after="read_write"),
                SetEdit(field="members", added=("ada@acme.io",), removed=()),
            ),
        ),
        (
            Action.DELETE,
            "old",
            (
                FieldEdit(field="resource", before="project Vision", after=None),
                FieldEdit(field="permission", before="read", after=None),
                SetEdit(field="groups", added=(), removed=("ops",)),
            ),
        ),
    ]


def test_who_keeps_a_rule_that_gives_something_else_is_told(parser: DocumentParser) -> None:
    declared = rule("r", "ada@acme.io", accounts=["bot"], groups=["lab"], permission=Permission.READ)
    change = only_change(declared, rule("r", "tom@acme.io", accounts=["bot"], groups=["lab"]), parser)
    assert change.staying == ((Kind.SERVICE_ACCOUNT, "bot"), (Kind.GROUP, "lab"))
    assert only_change(rule("r", "ada@acme.io"), rule("r", "ada@acme.io", "tom@acme.io"), parser).staying == ()


def test_a_rule_for_somebody_invited_waits_and_a_new_one_for_nobody_else_as_a_whole(parser: DocumentParser) -> None:
    people = (*PEOPLE, Member("new@acme.io"))
    rules = (
        rule("alone", "new@acme.io"),
        rule("both", "ada@acme.io", "new@acme.io"),
        rule("old", "new@acme.io", "tom@acme.io"),
    )
    existing = live(*PEOPLE, invited("new@acme.io"), rule("old", "tom@acme.io"))
    plan = planned(desired(*people, *rules), existing, parser, allow=EVERY).plan
    assert [(change.title, change.edited_set("members")) for change in plan.changes] == [
        ("both", SetEdit(field="members", added=("ada@acme.io",), removed=()))
    ]
    assert plan.waiting == tuple(Waiting(member="new@acme.io", rule=name) for name in ("alone", "both", "old"))


WIDE, NARROW = rule("r", "ada@acme.io", "tom@acme.io"), rule("r", "ada@acme.io")
READS = replace(NARROW, permission=Permission.READ)


@pytest.mark.parametrize(
    ("declared", "existing", "steps"),
    [
        pytest.param(WIDE, NARROW, [("update access rule", False)], id="somebody joins"),
        pytest.param(NARROW, WIDE, [("remove from access rule", True)], id="somebody leaves"),
        pytest.param(NARROW, READS, [("update access rule", False)], id="they may write now"),
        pytest.param(READS, NARROW, [("update access rule", True)], id="they may only read now"),
        pytest.param(WIDE, READS, [("update access rule", False)], id="they may write, and somebody joins"),
        pytest.param(NARROW, replace(WIDE, permission=Permission.READ), [("update access rule", True)], id="they may write, and somebody leaves"),
        pytest.param(replace(NARROW, entity=AUDIO), NARROW, [("update access rule", True)], id="another entity"),
        pytest.param(
            rule("r", "ada@acme.io"), rule("r", "tom@acme.io"),
            [("update access rule", False), ("remove from access rule", True)], id="one joins and one leaves",
        ),
    ],
)  # fmt: skip
def test_which_operations_carry_it_out(
    declared: AccessRule, existing: AccessRule, steps: list[tuple[str, bool]], parser: DocumentParser
) -> None:
    assert carried_out(declared, existing, parser) == steps


def test_a_rule_is_made_after_its_group_and_before_anything_connected_is_taken_away(parser: DocumentParser) -> None:
    new = rule("new", "ada@acme.io", groups=["made"])
    wanted = desired(ROOT, Member("ada@acme.io"), group("made"), new, replace(READS, groups=frozenset({"made"})))
    existing = live(
        ROOT,
        Member("ada@acme.io"),
        group("gone"),
        replace(WIDE, members=frozenset({"ada@acme.io"})),
        rule("old", groups=["gone"]),
    )
    plan = planned(wanted, existing, parser, allow=EVERY).plan
    before = {
        step[1].value: {earlier[1].value for earlier in steps}
        for step, steps in dependencies(operations_of(plan.changes)).items()
    }
    assert before == {
        "create group": set(),
        "create access rule": {"create group"},
        "update access rule": {"create group", "create access rule"},
        "remove access rule": set(),
        "remove group": {"remove access rule"},
    }


def test_nobody_gets_on_the_way_what_they_shall_not_have(
    parser: DocumentParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one call: in two, tom could write for a moment, and the check of the states on the way would see it."""
    before = rule("r", "ada@acme.io", "tom@acme.io", permission=Permission.READ)
    wanted, existing = desired(*PEOPLE, rule("r", "ada@acme.io", accounts=["bot"])), live(*PEOPLE, before)
    prepared = planned(wanted, existing, parser, allow=EVERY)

    def check() -> int:
        steps = operations_of(prepared.plan.changes)
        check_prefixes(steps, dependencies(steps), prepared.live, prepared.desired)
        return len(steps)

    assert check() == 1
    monkeypatch.setattr(operations, "all_at_once", lambda change: False)
    monkeypatch.setattr("reconciler.plan.prefixes.all_at_once", lambda change: False)
    with pytest.raises(RefusedError, match="could give somebody what they have neither before nor after"):
        check()


def test_groups_and_accounts_in_rules_are_renamed_with_them(parser: DocumentParser) -> None:
    renames = {
        Address.group("team"): Address.group("ops"),
        Address.service_account("robot"): Address.service_account("bot"),
        Address.access_rule("new"): Address.access_rule("r"),
    }
    declared = (ROOT, ServiceAccount("robot"), group("team"), rule("new", accounts=["robot"], groups=["team"]))
    existing = live(ROOT, ServiceAccount("bot"), group("ops"), rule("r", accounts=["bot"], groups=["ops"]))
    plan = planned(desired(*declared, renames=renames), existing, parser).plan
    assert {change.reason for change in plan.changes} == {Reason.RENAMED}
    assert [change.edits for change in plan.changes if change.kind is Kind.ACCESS_RULE] == [
        (FieldEdit(field="name", before="r", after="new"),)
    ]


class TestNames:
    NAMED = Entity(EntityType.PROJECT, name="Vision")

    def test_a_name_that_was_looked_up_is_the_entity_with_this_id(self, parser: DocumentParser) -> None:
        existing = live(*PEOPLE, rule("r", groups=["ops"]), entities={self.NAMED: Candidates(("id-of-vision",))})
        assert planned(desired(*PEOPLE, rule("r", groups=["ops"], entity=self.NAMED)), existing, parser).plan.is_empty

    @pytest.mark.parametrize(
        ("found", "message", "hint"),
        [
            (Candidates((), ("Visions", "Vis")), "the workspace has no project Vision", "did you mean Visions or Vis?"),
            (Candidates(("1", "2")), "2 of them are called project Vision (ids 1, 2)", "say which one: resource: {project: {id: …}}"),
            (None, "the workspace has no project Vision", "make the project first, or name it as the server does"),
        ],
    )  # fmt: skip
    def test_one_that_leads_nowhere_or_to_several_is_an_error(
        self, found: Candidates | None, message: str, hint: str, parser: DocumentParser
    ) -> None:
        existing = live(*PEOPLE, entities={} if found is None else {self.NAMED: found})
        with pytest.raises(InvalidDeclarationError) as caught:
            planned(desired(*PEOPLE, rule("r", groups=["ops"], entity=self.NAMED)), existing, parser)
        assert [(item.message, item.hint) for item in caught.value.problems] == [(f"access rule r: {message}", hint)]

    def test_whoever_is_named_must_be_there(self, parser: DocumentParser) -> None:
        everything = dict.fromkeys(EVERYTHING, Management.DECLARED)
        wanted = desired(ROOT, rule("r", "no@acme.io", accounts=["none"], groups=["nil", "users"]), kinds=everything)
        with pytest.raises(InvalidDeclarationError) as caught:
            planned(wanted, live(ROOT, USERS), parser)
        assert [item.message.split(",")[0] for item in caught.value.problems] == [
            f"access rule r names {name}" for name in ("nil", "no@acme.io", "none")
        ]

    def test_two_live_rules_of_one_name_stop_the_plan(self, parser: DocumentParser) -> None:
        existing = live(*PEOPLE, ambiguous={Address.access_rule("r"): ("1", "2")})
        with pytest.raises(AmbiguousWorkspaceError, match="2 access_rules named r"):
            planned(desired(*PEOPLE, rule("r", groups=["ops"])), existing, parser)


class TestGuards:
    JUDGED = (Guard.EMPTY_KIND, Guard.MAX_REMOVALS, Guard.PROTECT)
    LENIENT = Policy(min_admins=1, max_removals=Limit(count=1000))

    def refusals(
        self, declared: tuple[Resource, ...], existing: Live, parser: DocumentParser, policy: Policy = LENIENT
    ) -> list[tuple[Guard, str | None]]:
        others = [guard for guard in Guard if guard not in self.JUDGED]
        plan = planned(desired(*declared, policy=policy), existing, parser, allow=others).plan
        return [(item.guard, item.subject) for item in plan.refused]

    def test_all_rules_never_go_unasked(self, parser: DocumentParser) -> None:
        found = self.refusals(PEOPLE, live(*PEOPLE, rule("r", groups=["ops"])), parser)
        assert found == [(Guard.EMPTY_KIND, None)]

    def test_too_many_never_go_unasked(self, parser: DocumentParser) -> None:
        rules = [rule(f"r{number}", groups=["ops"]) for number in range(5)]
        policy = Policy(min_admins=1, max_removals=Limit(share=0.2))
        existing = live(*PEOPLE, *rules)
        assert self.refusals((*PEOPLE, *rules[1:]), existing, parser, policy) == []
        assert self.refusals((*PEOPLE, *rules[2:]), existing, parser, policy) == [(Guard.MAX_REMOVALS, None)]

    def test_a_protected_rule_is_not_removed(self, parser: DocumentParser) -> None:
        kept, gone = rule("kept", groups=["ops"]), rule("gone", groups=["ops"])
        policy = replace(self.LENIENT, protected=frozenset({gone.address}))
        assert self.refusals((*PEOPLE, kept), live(*PEOPLE, kept, gone), parser, policy) == [(Guard.PROTECT, "gone")]

    def test_a_group_that_a_kept_rule_names_cannot_go(self, parser: DocumentParser) -> None:
        kinds = {**EVERYTHING, Kind.ACCESS_RULE: Management.DECLARED}
        wanted = desired(*PEOPLE[:-1], kinds=kinds, policy=self.LENIENT)
        existing = live(*PEOPLE, rule("r", groups=["lab", "ops"]))
        (refusal,) = planned(wanted, existing, parser, allow=set(EVERY) - {Guard.STILL_USED}).plan.refused
        assert (refusal.guard, refusal.subject, refusal.names) == (Guard.STILL_USED, "lab", ("r",))
        assert planned(wanted, existing, parser, allow=EVERY).plan.refused == ()

    def test_the_servers_own_rules_are_counted_where_rules_are_managed_and_never_touched(
        self, parser: DocumentParser
    ) -> None:
        own = {"s1": rule("r", groups=["users"]), "s2": rule("r", groups=["users"])}
        existing = live(*PEOPLE, USERS, server_rules=own)
        plan = planned(desired(*PEOPLE, rule("r", groups=["users"], entity=VISION)), existing, parser, allow=EVERY).plan
        assert [change.action for change in plan.changes] == [Action.CREATE]
        assert [(item.kind, item.count, item.reason) for item in plan.left_alone] == [
            (Kind.ACCESS_RULE, 2, "made_by_server")
        ]
        unmanaged = {kind: value for kind, value in EVERYTHING.items() if kind is not Kind.ACCESS_RULE}
        assert planned(desired(*PEOPLE, kinds=unmanaged), existing, parser).plan.left_alone == ()
