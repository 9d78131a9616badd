from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from reconciler.model.access import Entity, EntityType, Permission
from reconciler.model.desired import Limit, Policy
from reconciler.model.resources import Group, Member, Resource, Role, ServiceAccount
from reconciler.plan.changes import NEVER_LIFTED, Guard
from reconciler.vaults.parse import DocumentParser
from tests.build import admin, credential, desired, group, invited, live, planned, rule, vault

ROOT = admin("root@acme.io")
USERS = Group("Users", builtin=True, assignable=False)
BOB, TOM = Member("bob@acme.io"), Member("tom@acme.io")
AGENT = ServiceAccount("agent")
QUEUE = Entity(EntityType.QUEUE, "q", "gpu")
BELOW = Entity(EntityType.PROJECT, "id-of-robots", "Vision/Robots")
EVERY_PROJECT = Entity(EntityType.PROJECT, "*")
CROWD = tuple(Member(f"p{number:02}@acme.io") for number in range(30))
CROWD_EMAILS = tuple(member.email for member in CROWD)
SECRETS = "sdk.aws.s3 { key: k, secret: s }"
POLICY = Policy(min_admins=1, max_removals=Limit(count=1000))
AT_HOME = replace(POLICY, domains=frozenset({"acme.io"}))
ROLES = (Role.USER, Role.CONSUMER)


@dataclass(frozen=True)
class Plan:
    name: str
    guards: set[Guard]
    before: tuple[Resource, ...]
    after: tuple[Resource, ...]
    policy: Policy = POLICY

    def __str__(self) -> str:
        return self.name


DANGEROUS = [
    Plan("a member becomes admin", {Guard.NEW_ADMIN}, (BOB,), (admin("bob@acme.io"),)),
    Plan("a consumer becomes admin", {Guard.NEW_ADMIN}, (Member("bob@acme.io", Role.CONSUMER),), (admin("bob@acme.io"),)),
    Plan("an admin is invited", {Guard.NEW_ADMIN}, (), (admin("bob@acme.io"),)),
    Plan("two become admin", {Guard.NEW_ADMIN}, (BOB, TOM), (admin("bob@acme.io"), admin("tom@acme.io"))),
    Plan("one admin for another", {Guard.NEW_ADMIN}, (admin("tom@acme.io"), BOB), (admin("bob@acme.io"), TOM)),
    Plan("an annotator becomes admin", {Guard.NEW_ADMIN}, (Member("bob@acme.io", Role.ANNOTATOR),), (admin("bob@acme.io"),)),
    Plan("an account becomes admin", {Guard.NEW_ADMIN}, (AGENT,), (replace(AGENT, admin=True),)),
    Plan("a new account is admin", {Guard.NEW_ADMIN}, (), (replace(AGENT, admin=True),)),
    Plan("an account may impersonate", {Guard.IMPERSONATION}, (AGENT,), (replace(AGENT, impersonation=True),)),
    Plan("a new account may impersonate", {Guard.IMPERSONATION}, (), (replace(AGENT, impersonation=True),)),
    Plan(
        "an admin account may impersonate too",
        {Guard.IMPERSONATION, Guard.ADMIN_IMPERSONATION},
        (replace(AGENT, admin=True),),
        (replace(AGENT, admin=True, impersonation=True),),
    ),
    Plan(
        "an impersonating account becomes admin too",
        {Guard.NEW_ADMIN, Guard.ADMIN_IMPERSONATION},
        (replace(AGENT, impersonation=True),),
        (replace(AGENT, admin=True, impersonation=True),),
    ),
    Plan(
        "a new account may do everything",
        {Guard.NEW_ADMIN, Guard.IMPERSONATION, Guard.ADMIN_IMPERSONATION},
        (),
        (replace(AGENT, admin=True, impersonation=True),),
    ),
    Plan("Users are named by a rule", {Guard.EVERYONE}, (rule("r", "root@acme.io"),), (rule("r", "root@acme.io", groups=["users"]),)),
    Plan("Users may read what only some could", {Guard.EVERYONE}, (rule("r", "root@acme.io"),), (rule("r", "root@acme.io", groups=["users"], permission=Permission.READ),)),
    Plan("readers of all kinds may write", {Guard.EVERYONE}, (rule("r", groups=["users"], permission=Permission.READ),), (rule("r", groups=["users"]),)),
    Plan("a second rule names Users", {Guard.EVERYONE}, (rule("r", "root@acme.io"),), (rule("r", "root@acme.io"), rule("s", groups=["users"]))),
    Plan("Users may use a queue", {Guard.EVERYONE}, (rule("r", "root@acme.io", entity=QUEUE),), (rule("r", "root@acme.io", groups=["users"], entity=QUEUE),)),
    Plan("Users are named by a rule for all projects", {Guard.EVERYONE}, (rule("r", "root@acme.io"),), (rule("r", "root@acme.io", groups=["users"], entity=EVERY_PROJECT),)),
    Plan("Users may write below what they may read", {Guard.EVERYONE}, (rule("r", groups=["users"], permission=Permission.READ),), (rule("r", groups=["users"], permission=Permission.READ), rule("s", groups=["users"], entity=BELOW))),
    Plan("a rule for Users moves to another project", {Guard.EVERYONE}, (rule("r", groups=["users"]),), (rule("r", groups=["users"], entity=QUEUE),)),
    Plan("a vault with secrets for everyone", {Guard.EVERYONE}, (), (vault("v", "Users", SECRETS),)),
    Plan("a vault for everyone gets a secret", {Guard.EVERYONE}, (vault("v", "Users", "a: 1"),), (vault("v", "Users", f"a: 1, {SECRETS}"),)),
    Plan("a secret for everyone changes", {Guard.EVERYONE}, (vault("v", "Users", "sdk.aws.s3.secret: one"),), (vault("v", "Users", "sdk.aws.s3.secret: two"),)),
    Plan("somebody from elsewhere is invited", {Guard.FOREIGN_DOMAIN}, (), (Member("eve@evil.io"),), AT_HOME),
    Plan("somebody from a look-alike domain", {Guard.FOREIGN_DOMAIN}, (), (Member("eve@acme.io.evil.io"),), AT_HOME),
    Plan("somebody from a subdomain", {Guard.FOREIGN_DOMAIN}, (), (Member("eve@mail.acme.io"),), AT_HOME),
    Plan("a foreign admin", {Guard.FOREIGN_DOMAIN, Guard.NEW_ADMIN}, (), (admin("eve@evil.io"),), AT_HOME),
    Plan("a crowd joins a writing group", {Guard.WRITE_GAINS}, (*CROWD, rule("r", groups=["ops"]), group("ops")), (*CROWD, rule("r", groups=["ops"]), group("ops", *CROWD_EMAILS))),
    Plan("a crowd may write where it could read", {Guard.WRITE_GAINS}, (*CROWD, rule("r", *CROWD_EMAILS, permission=Permission.READ)), (*CROWD, rule("r", *CROWD_EMAILS))),
    Plan("a rule names a large group", {Guard.WRITE_GAINS}, (*CROWD, rule("r", "root@acme.io"), group("ops", *CROWD_EMAILS)), (*CROWD, rule("r", "root@acme.io", groups=["ops"]), group("ops", *CROWD_EMAILS))),
    Plan("one more than the policy lets write", {Guard.WRITE_GAINS}, (BOB, rule("r", "root@acme.io")), (BOB, rule("r", "root@acme.io", "bob@acme.io")), replace(POLICY, max_write_gains=0)),
]  # fmt: skip


OPENING_NOTHING = [
    # Rules add up: without its last rule nobody reaches an entity any more, but whom another rule lets in.
    Plan("the last rule goes", {Guard.EMPTY_KIND}, (rule("r", "root@acme.io"),), ()),
    Plan("the last rule of a queue goes", set(), (rule("r", "root@acme.io", entity=QUEUE), rule("s", "root@acme.io")), (rule("s", "root@acme.io"),)),
    Plan("the rule for all projects goes", set(), (rule("r", "root@acme.io", entity=EVERY_PROJECT), rule("q", "root@acme.io", entity=QUEUE)), (rule("q", "root@acme.io", entity=QUEUE),)),
    Plan("a rule moves to another project", set(), (rule("r", "root@acme.io"),), (rule("r", "root@acme.io", entity=QUEUE),)),
]  # fmt: skip


def refused(plan: Plan, parser: DocumentParser, allow: tuple[Guard, ...] = ()) -> set[Guard]:
    wanted = desired(ROOT, USERS, *plan.after, policy=plan.policy)
    made = planned(wanted, live(ROOT, USERS, *plan.before), parser, allow=allow).plan
    return {refusal.guard for refusal in made.refused}


def test_there_are_enough_dangerous_plans() -> None:
    assert len(DANGEROUS) >= 30


@pytest.mark.parametrize("plan", DANGEROUS, ids=str)
def test_a_dangerous_gain_is_refused(plan: Plan, parser: DocumentParser) -> None:
    assert refused(plan, parser) == plan.guards


@pytest.mark.parametrize("plan", OPENING_NOTHING, ids=str)
def test_a_rule_that_goes_opens_nothing(plan: Plan, parser: DocumentParser) -> None:
    assert refused(plan, parser) == plan.guards


@pytest.mark.parametrize("lifted", [guard for guard in Guard if guard not in NEVER_LIFTED], ids=str)
@pytest.mark.parametrize("plan", DANGEROUS, ids=str)
def test_one_allowance_lifts_one_guard_only(plan: Plan, lifted: Guard, parser: DocumentParser) -> None:
    assert refused(plan, parser, allow=(lifted,)) == plan.guards - {lifted}


@pytest.mark.parametrize("seed", range(240))
def test_an_ordinary_plan_is_not_refused(seed: int, parser: DocumentParser) -> None:
    assert refused(ordinary(random.Random(seed)), parser) == set()


def ordinary(choose: random.Random) -> Plan:
    """Return everyday work: people come, change groups and roles, vaults and rules follow; few things go."""
    people = [Member(f"p{number}@acme.io", choose.choice(ROLES)) for number in range(10)]
    accounts = [ServiceAccount(f"agent-{number}") for number in range(6)]
    before = _teams(choose, people, accounts)
    newcomers = [Member(f"n{number}@acme.io", choose.choice(ROLES)) for number in range(choose.randint(0, 4))]
    waiting = [invited(member.email) for member in newcomers if choose.random() < 0.3]
    changed = [replace(member, role=choose.choice(ROLES)) if choose.random() < 0.2 else member for member in people]
    gone = choose.choice([(), (people[-1],), (accounts[-1],)])
    after = [item for item in (*changed, *newcomers, *accounts) if item.address not in {one.address for one in gone}]
    names = {item.title for item in after}
    kept = [
        _joined(choose, team, [member.email for member in people[:-1]]) for team in before if isinstance(team, Group)
    ]
    kept = [
        replace(
            team,
            members=(team.members or frozenset()) & names,
            service_accounts=(team.service_accounts or frozenset()) & names,
        )
        for team in kept
    ]
    rest = [_moved(choose, item) for item in before if not isinstance(item, Group)]
    added = [group("new-team", people[0].email), vault("new", "new-team", SECRETS)] if choose.random() < 0.5 else []
    new_keys = [ServiceAccount("fresh"), credential("fresh", "ci")] if choose.random() < 0.3 else []
    return Plan(
        "ordinary",
        set(),
        (*people, *accounts, *waiting, *before),
        (*after, *kept, *rest, *added, *new_keys),
        AT_HOME_EASY,
    )


AT_HOME_EASY = Policy(min_admins=1, max_removals=Limit(share=0.2), domains=frozenset({"acme.io"}))


def _teams(choose: random.Random, people: list[Member], accounts: list[ServiceAccount]) -> list[Resource]:
    emails = [member.email for member in people]
    found: list[Resource] = []
    for number in range(4):
        joined = choose.sample(emails, choose.randint(6, 9))
        found.append(group(f"team-{number}", *joined, accounts=[accounts[number].name]))
        found.append(vault("defaults", f"team-{number}", f"sdk.aws.s3.secret: s{number}, a: 1"))
        project = Entity(EntityType.PROJECT, f"id-{number}", f"Project {number}")
        found.append(rule(f"rule-{number}", groups=[f"team-{number}"], entity=project))
    return found


def _joined(choose: random.Random, team: Group, emails: list[str]) -> Group:
    members = set(team.members or ()) | set(choose.sample(emails, 1))
    leaving = [choose.choice(sorted(team.members or ()))] if choose.random() < 0.5 else []
    return replace(team, members=frozenset(members - set(leaving)), description=choose.choice([None, "words"]))


def _moved(choose: random.Random, item: Resource) -> Resource:
    from reconciler.model.resources import Vault

    if isinstance(item, Vault) and choose.random() < 0.5:
        return vault(item.name, item.owner, f"sdk.aws.s3.secret: changed, a: {choose.randint(1, 3)}")
    return item
