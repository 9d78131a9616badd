"""Who may do what with an entity, from the access rules of one snapshot.

**An assumption.** The API reference (``docs/explanation/clearml-api.md, Access rules``) says that everyone has read and
write on everything by rules that the server makes itself, and that rules name who else has access. It does not say what
a first declared rule does to everybody else. This module takes the most specific rules to decide: an entity with rules
of its own is open to those whom they name; without, the rules for all entities of its type (``*``) decide; without
those, it is open to everyone. Rules for all of a type hold beside an entity's own. Admins may do everything but use
queues. The sandbox makes the same choice, in words of its own, and the tests compare the two.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.access import ALL, EntityType, Permission
from reconciler.model.resources import Address, Group, Kind, Member, ServiceAccount
from reconciler.model.resources import Role as MemberRole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.model.access import Entity
    from reconciler.model.resources import AccessRule
    from reconciler.model.snapshot import Snapshot

EVERYONE = Address.group("Users")
"""The built-in group that everyone is in, service accounts too."""

ADMINS = Address.group("Admins")
"""The built-in group that every admin is in, and nobody else; the server lists its members, nobody declares them."""

TITLES = {EVERYONE: "Users", ADMINS: "Admins"}

SERVER_DEFAULT = ("the server's default",)
"""What everyone has access through to what no rule restricts; no rule of that name is meant."""

_RANK = {None: 0, Permission.READ: 1, Permission.READ_WRITE: 2}
ADMINISTERED = frozenset(EntityType) - {EntityType.QUEUE}
"""The types of which admins may do everything with each entity, whatever the rules say."""


class Grant(Frozen):
    """A permission and the names of what it comes through: rules, and the groups that they name."""

    permission: Permission
    via: tuple[str, ...]


class Reach(Frozen):
    """Who reaches one entity: everyone with a permission (or ``None``), and some with one of their own."""

    everyone: Grant | None
    grants: Mapping[Address, Grant]

    def of(self, principal: Address) -> Grant | None:
        """Return what a principal has through rules, the better of its own and everyone's."""
        return _better(self.grants.get(principal), self.everyone)


def _better(one: Grant | None, other: Grant | None) -> Grant | None:
    if one is None or other is None:
        return one or other
    return one if _RANK[one.permission] >= _RANK[other.permission] else other


class AccessTable:
    """The access of one side: made once, asked often."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._rules: dict[tuple[str, ...], list[AccessRule]] = defaultdict(list)
        self.entities: dict[tuple[str, ...], Entity] = {}
        for _, rule in sorted(snapshot.access_rules.items()):
            self._rules[rule.entity.identity].append(rule)
            self.entities[rule.entity.identity] = rule.entity
        self._reaches: dict[tuple[str, ...], Reach] = {}
        self._admins: list[Address] | None = None

    def reach(self, entity: Entity) -> Reach:
        """Return who reaches an entity through rules, or because nothing restricts it."""
        if entity.identity not in self._reaches:
            self._reaches[entity.identity] = self._reach(entity)
        return self._reaches[entity.identity]

    def level(self, principal: Address, entity: Entity) -> Grant | None:
        """Return what a principal may do with an entity, as admin or through rules; ``None`` for nothing."""
        if self.is_admin(principal) and entity.type in ADMINISTERED:
            return Grant(Permission.READ_WRITE, (TITLES[ADMINS],))
        return self.reach(entity).of(principal)

    def is_admin(self, principal: Address) -> bool:
        """Tell whether a principal is an admin."""
        resource = self._snapshot.get(principal)
        if isinstance(resource, Member):
            return resource.role is MemberRole.ADMIN
        return isinstance(resource, ServiceAccount) and resource.admin

    def people_in(self, group: Address) -> list[Address]:
        """Return the principals in a group, in a stable order: those it names, or in Admins whoever is one.

        It is not for :data:`EVERYONE`.
        """
        if group == ADMINS:
            if self._admins is None:
                principals = (*self._snapshot.members, *self._snapshot.service_accounts)
                self._admins = [principal for principal in sorted(principals) if self.is_admin(principal)]
            return self._admins
        resource = self._snapshot.get(group)
        return members_of(resource) if isinstance(resource, Group) else []

    def rules_about(self, entity: Entity) -> list[AccessRule]:
        """Return the rules that decide about an entity: its own, and those for all of its type."""
        own = self._rules.get(entity.identity, [])
        general = self._rules.get((entity.type.value, ALL), []) if entity.id != ALL else []
        return [*own, *general]

    def _reach(self, entity: Entity) -> Reach:
        rules = self.rules_about(entity)
        if not rules:
            return Reach(Grant(Permission.READ_WRITE, SERVER_DEFAULT), {})
        everyone: Grant | None = None
        grants: dict[Address, Grant] = {}
        for rule in rules:
            for principal, via in self.named(rule):
                grant = Grant(rule.permission, via)
                if principal == EVERYONE:
                    everyone = _better(everyone, grant)
                else:
                    grants[principal] = _better(grants.get(principal), grant) or grant
        return Reach(everyone, grants)

    def named(self, rule: AccessRule) -> Iterable[tuple[Address, tuple[str, ...]]]:
        """Return whom a rule gives access, each with what it comes through: the rule, or the rule and a group.

        :data:`EVERYONE` stands for all. Somebody whom it names several times comes several times.
        """
        for name in sorted(rule.members):
            yield Address(Kind.MEMBER, (name,)), (rule.name,)
        for name in sorted(rule.service_accounts):
            yield Address(Kind.SERVICE_ACCOUNT, (name,)), (rule.name,)
        for name in sorted(rule.groups):
            address = Address(Kind.GROUP, (name,))
            if address == EVERYONE:
                yield EVERYONE, (rule.name,)
                continue
            for principal in self.people_in(address):
                yield principal, (rule.name, self.title(address))

    def title(self, address: Address) -> str:
        """Return a resource as people write it."""
        resource = self._snapshot.get(address)
        return resource.title if resource is not None else TITLES.get(address) or " / ".join(address.key)


def members_of(group: Group) -> list[Address]:
    """Return the principals in a group, in a stable order."""
    people = [Address(Kind.MEMBER, (name,)) for name in sorted(group.members or ())]
    return people + [Address(Kind.SERVICE_ACCOUNT, (name,)) for name in sorted(group.service_accounts or ())]
