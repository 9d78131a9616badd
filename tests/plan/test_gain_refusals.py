"""What a refusal of a gain says, and where each of those guards ends."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from reconciler.model.access import Permission
from reconciler.model.desired import Limit, Policy
from reconciler.model.resources import Group, Kind, Member, Resource, Role, ServiceAccount
from reconciler.plan.changes import Guard, Refusal
from reconciler.vaults.parse import DocumentParser
from tests.build import admin, desired, group, live, planned, rule, vault

ROOT, TOM, ZED = admin("root@acme.io"), Member("tom@acme.io"), Member("zed@acme.io")
AGENT, BOT = ServiceAccount("agent"), ServiceAccount("bot")
ADMIN, RUNS = ServiceAccount("agent", admin=True), ServiceAccount("agent", impersonation=True)
RUNNING_ADMIN = ServiceAccount("agent", impersonation=True, admin=True)
USERS = Group("Users", builtin=True, assignable=False)
LENIENT = Policy(min_admins=1, max_removals=Limit(count=1000))
ACME_ONLY = replace(LENIENT, domains=frozenset({"acme.io", "acme.com"}))
FEW = replace(LENIENT, max_write_gains=1)
Resources = tuple[Resource, ...]


def refusal(guard: Guard, kind: Kind, *names: str, subject: str | None = None, limit: str = "") -> Refusal:
    return Refusal(guard=guard, kind=kind, names=names, count=len(names), subject=subject, limit=limit)


MEMBER, ACCOUNT, RULE = Kind.MEMBER, Kind.SERVICE_ACCOUNT, Kind.ACCESS_RULE
STARTS, RUN_BY_ADMIN = Guard.IMPERSONATION, Guard.ADMIN_IMPERSONATION

CASES: dict[str, tuple[Resources, Resources, Policy, list[Refusal]]] = {
    "nothing": ((TOM, AGENT), (TOM, AGENT), LENIENT, []),
    "members made admins": (
        (admin("tom@acme.io"), admin("zed@acme.io")), (TOM,), LENIENT,
        [refusal(Guard.NEW_ADMIN, MEMBER, "tom@acme.io", "zed@acme.io")],
    ),
    "an admin made a user": ((TOM,), (admin("tom@acme.io"),), LENIENT, []),
    "a consumer made a user": ((TOM,), (Member("tom@acme.io", Role.CONSUMER),), LENIENT, []),
    "an account made an admin": ((ADMIN,), (AGENT,), LENIENT, [refusal(Guard.NEW_ADMIN, ACCOUNT, "agent")]),
    "an account that is new and an admin": ((ADMIN,), (), LENIENT, [refusal(Guard.NEW_ADMIN, ACCOUNT, "agent")]),
    "a member and an account made admins": (
        (admin("tom@acme.io"), ADMIN), (TOM, AGENT), LENIENT,
        [refusal(Guard.NEW_ADMIN, MEMBER, "tom@acme.io"), refusal(Guard.NEW_ADMIN, ACCOUNT, "agent")],
    ),
    "an account no admin any more": ((AGENT,), (ADMIN,), LENIENT, []),
    "an account may run tasks": ((RUNS, BOT), (AGENT, BOT), LENIENT, [refusal(STARTS, ACCOUNT, "agent")]),
    "an account may not any more": ((AGENT,), (RUNS,), LENIENT, []),
    "an admin account may run tasks": (
        (RUNNING_ADMIN,), (ADMIN,), LENIENT,
        [refusal(STARTS, ACCOUNT, "agent"), refusal(RUN_BY_ADMIN, ACCOUNT, "agent", subject="agent")],
    ),
    "an account that may run tasks made an admin": (
        (RUNNING_ADMIN,), (RUNS,), LENIENT,
        [refusal(Guard.NEW_ADMIN, ACCOUNT, "agent"), refusal(RUN_BY_ADMIN, ACCOUNT, "agent", subject="agent")],
    ),
    "an admin account that ran tasks before": (
        (RUNNING_ADMIN, BOT, group("ops", accounts=["agent"])), (RUNNING_ADMIN, BOT, group("ops")), LENIENT, [],
    ),
    "a project opens": (
        (TOM, USERS, rule("r", groups=["users"], permission=Permission.READ)), (TOM, USERS, rule("r", "tom@acme.io")),
        LENIENT, [refusal(Guard.EVERYONE, RULE, "project Vision", subject="project Vision")],
    ),
    "a vault with secrets reaches everybody": (
        (USERS, vault("v", "Users", "aws.secret: hunter2")), (USERS,),
        LENIENT, [refusal(Guard.EVERYONE, Kind.VAULT, "v → Users", subject="v → Users")],
    ),
    "a vault with secrets reaches nobody any more": (
        (USERS, vault("w", "Users", "a: 1")),
        (USERS, vault("v", "Users", "aws.secret: hunter2"), vault("w", "Users", "a: 1")), LENIENT, [],
    ),
    "a vault with secrets is switched on for everybody": (
        (USERS, vault("v", "Users", "aws.secret: hunter2")), (USERS, vault("v", "Users", "aws.secret: hunter2", enabled=False)),
        LENIENT, [refusal(Guard.EVERYONE, Kind.VAULT, "v → Users", subject="v → Users")],
    ),
    "a vault with secrets is turned towards everybody's clients": (
        (USERS, vault("v", "Users", "aws.secret: hunter2")), (USERS, vault("v", "Users", "aws.secret: hunter2", target="ui")),
        LENIENT, [refusal(Guard.EVERYONE, Kind.VAULT, "v → Users", subject="v → Users")],
    ),
    "a vault with secrets is switched off for everybody": (
        (USERS, vault("v", "Users", "aws.secret: hunter2", enabled=False)), (USERS, vault("v", "Users", "aws.secret: hunter2")),
        LENIENT, [],
    ),
    "a vault without secrets reaches everybody": ((USERS, vault("v", "Users", "a: 1")), (USERS,), LENIENT, []),
    "people of elsewhere": (
        (Member("a@acme.io"), Member("b@acme.com"), Member("c@evil.io"), Member("d@acme.io.evil.io")), (), ACME_ONLY,
        [refusal(Guard.FOREIGN_DOMAIN, MEMBER, "c@evil.io", "d@acme.io.evil.io", limit="acme.com, acme.io")],
    ),
    "people of elsewhere who are there already": ((Member("c@evil.io"),), (Member("c@evil.io"),), ACME_ONLY, []),
    "people of anywhere": ((Member("c@evil.io"),), (), LENIENT, []),
    "as many who come to write as may": (
        (TOM, ZED, rule("r", "tom@acme.io", "zed@acme.io")), (TOM, ZED, rule("r", "zed@acme.io")), FEW, [],
    ),
    "more who come to write": (
        (TOM, ZED, BOT, rule("r", "tom@acme.io", "zed@acme.io", accounts=["bot"])), (TOM, ZED, BOT, rule("r", "zed@acme.io")),
        FEW, [refusal(Guard.WRITE_GAINS, RULE, "tom@acme.io", "bot", limit="1")],
    ),
    "more who come to read": (
        (TOM, ZED, rule("r", "tom@acme.io", "zed@acme.io", permission=Permission.READ), rule("s", "root@acme.io")),
        (TOM, ZED, rule("s", "root@acme.io")), FEW, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("declared", "existing", "policy", "expected"), CASES.values(), ids=CASES.keys())
def test_gains_that_are_refused(
    declared: Resources, existing: Resources, policy: Policy, expected: list[Refusal], parser: DocumentParser
) -> None:
    wanted = desired(ROOT, *declared, policy=policy)
    found = planned(wanted, live(ROOT, *existing), parser, allow=(Guard.EMPTY_KIND, Guard.EMPTY_GROUP)).plan.refused
    assert sorted(found, key=str) == sorted(expected, key=str)
