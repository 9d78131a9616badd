"""Random workspaces and declarations that have much in common, from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from reconciler.model.access import ALL, Entity, EntityType, Permission
from reconciler.model.desired import Desired, Limit, Policy
from reconciler.model.live import Live
from reconciler.model.resources import AccessRule, Address, Group, Member, MemberState, Resource, Role, ServiceAccount
from tests.build import account_vault, admin, credential, desired, group, invited, live, rule, vault

ROOT = admin("root@acme.io")
ADMINS = Group("Admins", builtin=True, assignable=False)
USERS = Group("Users", builtin=True, assignable=False)
ENTITIES = (
    Entity(EntityType.PROJECT, "id-vision", "vision"),
    Entity(EntityType.PROJECT, "id-robots", "vision/robots"),
    Entity(EntityType.PROJECT, "id-audio", "audio"),
    Entity(EntityType.QUEUE, "id-gpu", "gpu"),
)
UNLIMITED = Policy(min_admins=2, max_removals=Limit(count=10_000))


@dataclass(frozen=True)
class Pair:
    wanted: Desired
    existing: Live


def random_pair(seed: int) -> Pair:
    """Return a live workspace and a declaration that differs from it in all sorts of ways."""
    choose = random.Random(seed)
    people = [f"p{number}@acme.io" for number in range(choose.randint(2, 9))]
    accounts = [f"agent-{number}" for number in range(choose.randint(0, 4))]
    groups = [f"group-{number}" for number in range(choose.randint(0, 5))]
    before = _workspace(choose, people, accounts, groups)
    after = _workspace(choose, people, accounts, groups)
    before = [resource for resource in before if not (isinstance(resource, Member) and choose.random() < 0.1)]
    existing = live(
        ROOT, ADMINS, USERS, *_consistent(_with_invitations(choose, before)), server_rules=_server_rules(seed)
    )
    active = {member.email for member in existing.snapshot.members.values() if member.state is MemberState.ACTIVE}
    wanted = [_only(active | _emails(after), resource) for resource in after]
    names = {resource.name for resource in wanted if isinstance(resource, ServiceAccount)}
    renames = _renames(choose, existing, {resource.name for resource in wanted if isinstance(resource, Group)})
    return Pair(
        desired(ROOT, *wanted, policy=UNLIMITED, credentials_of=names, vaults_of=names, renames=renames), existing
    )


def _workspace(choose: random.Random, people: list[str], accounts: list[str], groups: list[str]) -> list[Resource]:
    present = [email for email in people if choose.random() < 0.8]
    roles = (Role.ADMIN, Role.USER, Role.USER, Role.CONSUMER)
    resources: list[Resource] = [Member(email, choose.choice(roles)) for email in present]
    named = [name for name in accounts if choose.random() < 0.7]
    for name in named:
        resources.append(ServiceAccount(name, choose.random() < 0.5, choose.random() < 0.2))
        resources += [credential(name, label) for label in ("ci", "k8s") if choose.random() < 0.5]
        if choose.random() < 0.4:
            resources.append(account_vault(name, f"a: {choose.randint(1, 2)}"))
    made = [name for name in groups if choose.random() < 0.7]
    resources += _rules(choose, present, named, made)
    for name in made:
        joined = [email for email in [*present, "root@acme.io"] if choose.random() < 0.5]
        resources.append(group(name, *joined, accounts=[one for one in named if choose.random() < 0.5]))
        if choose.random() < 0.5:
            resources.append(vault(f"v-{name}", name, f"a: {choose.randint(1, 3)}"))
    return resources


def _rules(choose: random.Random, people: list[str], accounts: list[str], groups: list[str]) -> list[Resource]:
    return [
        rule(
            f"rule-{number}",
            "root@acme.io",
            *(email for email in people if choose.random() < 0.3),
            accounts=[name for name in accounts if choose.random() < 0.3],
            groups=[name for name in [*groups, ADMINS.name] if choose.random() < 0.5],
            entity=choose.choice(ENTITIES),
            permission=choose.choice(list(Permission)),
        )
        for number in range(4)
        if choose.random() < 0.6
    ]


def _server_rules(seed: int) -> dict[str, AccessRule]:
    """Return the server's own rules: for routes, with which no other rule has to do, and for more in two of three."""
    permissions = [{}, {EntityType.PROJECT: Permission.READ}, dict.fromkeys(EntityType, Permission.READ_WRITE)][
        seed % 3
    ]
    permissions = {EntityType.ROUTE: Permission.READ} | permissions
    return {
        f"server-{kind.value}": rule(f"all {kind.value}", groups=["Users"], entity=Entity(kind, ALL), permission=given)
        for kind, given in permissions.items()
    }


def _with_invitations(choose: random.Random, resources: list[Resource]) -> list[Resource]:
    return [
        invited(resource.email) if isinstance(resource, Member) and choose.random() < 0.15 else resource
        for resource in resources
    ]


def _emails(resources: Iterable[Resource]) -> set[str]:
    return {resource.email for resource in resources if isinstance(resource, Member)}


def _consistent(resources: list[Resource]) -> list[Resource]:
    active = {
        resource.email
        for resource in resources
        if isinstance(resource, Member) and resource.state is MemberState.ACTIVE
    }
    return [_only(active | {"root@acme.io"}, resource) for resource in resources]


def _only(emails: set[str], resource: Resource) -> Resource:
    if isinstance(resource, AccessRule):
        return replace(resource, members=resource.members & (emails | {"root@acme.io"}))
    if not isinstance(resource, Group):
        return resource
    kept = (resource.members or frozenset()) & (emails | {"root@acme.io"})
    return group(resource.name, *kept, accounts=resource.service_accounts or ())


def _renames(choose: random.Random, existing: Live, wanted: set[str]) -> dict[Address, Address]:
    ours = (at.key[0] for at, found in existing.snapshot.groups.items() if not found.builtin)
    gone = sorted(name for name in ours if name not in wanted)
    new = sorted(name for name in wanted if Address.group(name) not in existing.snapshot)
    if gone and new and choose.random() < 0.5:
        return {Address.group(new[0]): Address.group(gone[0])}
    return {}
