"""The one index of who reaches what and through what, over one snapshot; every other module asks it.

**Grants add up.** What somebody may do with an entity is the most that any rule gives: the rules on the entity itself,
on the projects above it (``A`` and ``A/B`` are above ``A/B/C``) and on all of its type (``*``), the server's own rules
included. No rule takes anything away. Admins read and write everything but queues. These are the published facts
(``docs/explanation/clearml-api.md, Access rules``; ``docs/explanation/decisions.md, 19``). Where ClearML publishes
nothing, an answer says so:

- The project that holds a task, model, dataset or dataview is not known here, so rules on projects *may* reach it; so
  may rules on application categories reach an application.
- A rule on a project of which only the id is known, or on the top level of projects, may be above any project.
- Queue admins create, delete and rename queues; whether they may use them is not said.
- A rule with members or groups that could not be read may give access to anybody.
- Without a server (``server_rules`` is ``None``) anybody may have anything by the server's own rules.
"""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import field
from msgspec.structs import replace

from reconciler.frozen import Frozen
from reconciler.model.access import ALL, Entity, EntityType, Permission
from reconciler.model.resources import AccessRule, Address, Group, Kind, Member, Role, ServiceAccount, Vault
from reconciler.model.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.model.live import Live

_GIVING = (Kind.ACCESS_RULE, Kind.GROUP)
"""The kinds that give people access: what is not known of them may give more."""

PRINCIPALS = (Kind.MEMBER, Kind.SERVICE_ACCOUNT)

EVERYONE = Address.group("Users")
"""The built-in group that everyone is in, service accounts too (``docs/explanation/clearml-api.md, Groups``)."""

ADMINS = Address.group("Admins")
"""The built-in group that every admin is in, and nobody else; the server lists its members, nobody declares them."""

QUEUE_ADMINS = Address.group("Queue admins")
"""The built-in group of those who create, delete and rename queues; its membership is declared."""

TITLES = {EVERYONE: "Users", ADMINS: "Admins"}

SERVER_DEFAULT = ("the server's default rules",)
"""What a grant of the server's own rules comes through; no rule of that name is meant."""

ADMINISTERED = frozenset(EntityType) - {EntityType.QUEUE}
"""The types of which admins may do everything with each entity, whatever the rules say."""

_CONTENTS = frozenset({EntityType.TASK, EntityType.MODEL, EntityType.DATASET, EntityType.DATAVIEW})
"""What projects hold: access to a project is access to it."""

_TOP_LEVEL = (EntityType.PROJECT.value,)
_RANK = {None: 0, Permission.READ: 1, Permission.READ_WRITE: 2}

Identity = tuple[str, ...]


class Through(StrEnum):
    """Why somebody has something.

    ``ITSELF``: it is said of this one alone. ``GROUP``: this one is in a group. ``RULE``: an access rule names this
    one, or a group that this one is in. ``EVERYONE``: all have it. ``ADMIN``: admins have it. ``DEFAULT``: a rule that
    the server made itself gives it. ``UNKNOWN``: nothing published says whom it reaches.
    """

    ITSELF = "itself"
    GROUP = "group"
    RULE = "rule"
    EVERYONE = "everyone"
    ADMIN = "admin"
    DEFAULT = "default"
    UNKNOWN = "unknown"


class Grant(Frozen):
    """A permission and the names of what it comes through: rules, and the groups that they name."""

    permission: Permission
    via: tuple[str, ...]


class Way(Frozen):
    """One way by which ``principal`` reaches an entity: a rule, and the group in it that this one is in.

    ``default`` marks the server's own rules. What is not ``certain`` may be a way or not: see the module.
    """

    principal: Address
    rule: AccessRule
    group: Address | None = None
    default: bool = False
    certain: bool = True

    @property
    def permission(self) -> Permission:
        """What it gives."""
        return permission_of(self.rule)


class ReachingVault(Frozen):
    """A vault that reaches somebody, enabled or not; ``group`` is the title of the group that it does so through."""

    vault: Vault
    through: Through
    group: str | None = None


class AccessIndex(Frozen, dict=True):
    """Who reaches what in one snapshot: made once, asked often.

    ``server_rules`` are those that the server made itself, ``None`` where no server was asked. ``names`` are those of
    entities that rules may know by their ids alone. ``part_read`` are rules that give access to more than could be
    read, and ``complete`` is false where there are rules that could not be read at all.
    """

    snapshot: Snapshot
    server_rules: tuple[AccessRule, ...] | None = None
    names: Mapping[Identity, str] = field(default_factory=dict)
    part_read: frozenset[Address] = frozenset()
    complete: bool = True

    @staticmethod
    def of_live(live: Live, snapshot: Snapshot | None = None) -> AccessIndex:
        """Return the index of a workspace as it was read, or as it will be with ``snapshot`` in its place."""
        rules = (*live.snapshot.access_rules.values(), *live.server_rules.values())
        names = {rule.entity.identity: rule.entity.name for rule in rules if rule.entity.name is not None}
        for entity, found in live.entities.items():
            if entity.name is not None and len(found.ids) == 1:
                names[entity.type.value, found.ids[0]] = entity.name
        in_part = [item.address for item in live.unreadable if item.field is not None]
        uncertain: list[Kind] = [address.kind for address in live.ambiguous if address.kind is Kind.ACCESS_RULE]
        uncertain += [Kind.ACCESS_RULE for _ in live.lost]
        uncertain += [item.kind for item in live.unreadable if item.field is None]
        return AccessIndex(
            snapshot=live.snapshot if snapshot is None else snapshot,
            server_rules=tuple(rule for _, rule in sorted(live.server_rules.items())),
            names=names,
            part_read=frozenset(address for address in (*live.strangers, *in_part) if address.kind is Kind.ACCESS_RULE),
            complete=not any(kind in _GIVING for kind in uncertain),
        )

    def by_default(self) -> AccessIndex:
        """Return the index of the same people with the server's own rules alone."""
        others = (resource for resource in self.snapshot if not isinstance(resource, AccessRule))
        return replace(self, snapshot=Snapshot.of(others))

    # Who there is, and the groups that they are in.

    def has(self, principal: Address) -> bool:
        """Return whether a principal is in the workspace, invited or joined."""
        return principal in self.snapshot

    def is_admin(self, principal: Address) -> bool:
        """Return whether a principal is an admin."""
        resource = self.snapshot.get(principal)
        if isinstance(resource, Member):
            return resource.role is Role.ADMIN
        return isinstance(resource, ServiceAccount) and resource.admin

    @cached_property
    def principals(self) -> tuple[Address, ...]:
        """Everybody who is in the workspace, and whom only a group or a rule names: people first, then accounts."""
        known = {address for address in self.snapshot.resources if address.kind in PRINCIPALS}
        known.update(Address(kind, (name,)) for kind, groups in self._groups.items() for name in groups)
        known.update(self._ways.keys() - {EVERYONE})
        return tuple(sorted(known, key=lambda address: (PRINCIPALS.index(address.kind), address.key)))

    def groups(self, principal: Address) -> tuple[Address, ...]:
        """Return the groups that a principal is in by name; not the ones of everybody and of all admins."""
        return tuple(self._groups[principal.kind].get(principal.key[0], ()))

    def people_in(self, group: Address) -> tuple[Address, ...]:
        """Return the principals in a group, in a stable order: those it names, or in Admins whoever is one.

        It is not for :data:`EVERYONE`.
        """
        if group == ADMINS:
            return self._admins
        if group not in self._people:
            resource = self.snapshot.get(group)
            self._people[group] = members_of(resource) if isinstance(resource, Group) else ()
        return self._people[group]

    def title(self, address: Address) -> str:
        """Return a resource as people write it."""
        resource = self.snapshot.get(address)
        return resource.title if resource is not None else TITLES.get(address) or " / ".join(address.key)

    # Vaults.

    def vaults(self, principal: Address) -> tuple[ReachingVault, ...]:
        """Return the vaults that reach a principal, in the snapshot's order, an account's own one last."""
        owners = {EVERYONE: Through.EVERYONE} | ({ADMINS: Through.ADMIN} if self.is_admin(principal) else {})
        owners |= dict.fromkeys(self.groups(principal), Through.GROUP)
        found = sorted((item, owner) for owner in owners for item in self._vaults.get(owner, ()))
        through = [
            ReachingVault(self.snapshot.vaults[address], owners[owner], self.title(owner))
            for (_, address), owner in found
        ]
        own = self._vaults.get(principal, ()) if principal.kind is Kind.SERVICE_ACCOUNT else ()
        return (*through, *(ReachingVault(self.snapshot.vaults[address], Through.ITSELF) for _, address in own))

    def reached_by(self, vault: Address) -> int:
        """Count the principals that a vault reaches."""
        resource = self.snapshot.get(vault)
        owner = vault.owner
        if not isinstance(resource, Vault) or not resource.enabled or owner is None:
            return 0
        if owner == EVERYONE:
            return len(self.snapshot.members) + len(self.snapshot.service_accounts)
        if owner.kind is Kind.GROUP:
            return sum(map(self.has, self.people_in(owner)))
        return 1 if self.has(owner) else 0

    def unknown_groups(self, principal: Address) -> tuple[str, ...]:
        """Return the groups with vaults of which nobody says whether this principal is in them."""
        owners = {address.owner: vault.owner for address, vault in self.snapshot.vaults.items()}
        return tuple(title for owner, title in owners.items() if owner is not None and self._unknown(principal, owner))

    def _unknown(self, principal: Address, owner: Address) -> bool:
        if owner == EVERYONE or owner.kind is not Kind.GROUP:
            return False
        if owner == ADMINS:
            return not self.has(principal) and owner not in self.snapshot
        group = self.snapshot.groups.get(owner)
        people = None if group is None else group.members if principal.kind is Kind.MEMBER else group.service_accounts
        return people is None

    # Entities.

    @cached_property
    def entities(self) -> dict[Identity, Entity]:
        """The entities that any rule is about, each once, with its name if any rule knows it."""
        found: dict[Identity, Entity] = {}
        for scope, rules in self._rules.items():
            named = [rule.entity for rule, _ in rules if rule.entity.name is not None]
            found[scope] = self._named((*named, rules[0][0].entity)[0])
        return dict(sorted(found.items()))

    def grant(self, principal: Address, entity: Entity) -> Grant | None:
        """Return the most that somebody (or :data:`EVERYONE`) surely has of an entity; ``None`` for nothing."""
        if entity.type in ADMINISTERED and self.is_admin(principal):
            return Grant(Permission.READ_WRITE, (TITLES[ADMINS],))
        found: Grant | None = None
        for who in dict.fromkeys((principal, EVERYONE)):
            for scope in self.scopes(entity):
                found = _more(found, self.direct(scope).get(who))
        return found

    def permission(self, principal: Address, entity: Entity) -> Permission | None:
        """Return what somebody surely may do with an entity."""
        grant = self.grant(principal, entity)
        return grant.permission if grant is not None else None

    def at_least(self, principal: Address, entity: Entity) -> bool:
        """Return whether somebody may be able to do more with an entity than :meth:`permission` says."""
        known = self.permission(principal, entity)
        return known is not Permission.READ_WRITE and gives_more(self._possibly(principal, entity), known)

    def direct(self, scope: Identity) -> Mapping[Address, Grant]:
        """Return the most that the rules on exactly one entity give to each whom they name."""
        if scope not in self._grants:
            grants: dict[Address, Grant] = {}
            for rule, default in self._rules.get(scope, ()):
                for group, people in self._holders(rule):
                    via = (rule.name,) if group is None else (rule.name, self.title(group))
                    grant = Grant(permission_of(rule), SERVER_DEFAULT if default else via)
                    for principal in people:
                        grants[principal] = _more(grants.get(principal), grant) or grant
            self._grants[scope] = grants
        return self._grants[scope]

    def basis(self, scope: Identity) -> tuple[object, ...]:
        """Return what :meth:`direct` follows from: the rules, and the groups in them."""
        rules = self._rules.get(scope, ())
        groups = [Address(Kind.GROUP, (name,)) for rule, _ in rules for name in rule.groups]
        return rules, [self.people_in(ADMINS) if group == ADMINS else self.snapshot.get(group) for group in groups]

    def scopes(self, entity: Entity) -> tuple[Identity, ...]:
        """Return all that gives access to an entity: itself, the projects above it, nearest first, all of its type."""
        above = [next(iter(found)) for found in self._above(entity) if len(found) == 1]
        return tuple(dict.fromkeys((entity.identity, *above, (entity.type.value, ALL))))

    def ways_to(self, entity: Entity) -> Iterator[Way]:
        """Return every way by which anybody reaches an entity through a rule, those that are certain first."""
        for scope in self.scopes(entity):
            yield from self._ways_at(scope)
        for scope in self.possible_scopes(entity):
            yield from (replace(way, certain=False) for way in self._ways_at(scope))

    def rules_on(self, scope: Identity) -> tuple[AccessRule, ...]:
        """Return the rules of people on exactly one entity."""
        return tuple(rule for rule, default in self._rules.get(scope, ()) if not default)

    def rules_of(self, group: Address) -> tuple[AccessRule, ...]:
        """Return the rules of people that name a group."""
        return tuple(self._rules_of_groups.get(group.key[0], ()))

    def ways_of(self, principal: Address) -> tuple[Way, ...]:
        """Return every way by which the rules that name a principal, or a group with it, give it something."""
        return tuple(self._ways.get(principal, ()))

    def _above(self, entity: Entity) -> Iterator[set[Identity]]:
        """Return the projects above one, nearest first: those of each name that rules are about."""
        name = self._named(entity).name
        if entity.type is EntityType.PROJECT and entity.id != ALL and name is not None:
            while "/" in name:
                name = name.rpartition("/")[0]
                if name in self._projects:
                    yield self._projects[name]

    def _named(self, entity: Entity) -> Entity:
        """Return an entity with its name, where anybody knows it."""
        name = entity.name or self.names.get(entity.identity)
        return entity if name == entity.name else replace(entity, name=name)

    def _ways_at(self, scope: Identity) -> Iterator[Way]:
        for rule, default in self._rules.get(scope, ()):
            yield from (Way(who, rule, group, default) for who, group in self.named_in(rule))

    def _possibly(self, principal: Address, entity: Entity) -> Permission | None:
        """Return what somebody may be able to do for all that is known, beside what is certain."""
        if self.server_rules is None or not self.complete:
            return Permission.READ_WRITE
        if entity.type is EntityType.QUEUE and principal in self.people_in(QUEUE_ADMINS):
            return Permission.READ_WRITE
        possible = self.possible_scopes(entity)
        given = [self._part_read.get(scope) for scope in (*possible, *self.scopes(entity))]
        for who in (principal, EVERYONE):
            given += [grant.permission for scope in possible if (grant := self.direct(scope).get(who)) is not None]
        return max(given, key=_RANK.__getitem__, default=None)

    def possible_scopes(self, entity: Entity) -> tuple[Identity, ...]:
        """Return what may be above an entity or not: see the module."""
        if entity.type in _CONTENTS:
            all_projects = (EntityType.PROJECT.value, ALL)
            return (all_projects,) if entity.id == ALL else (*self._of_type(EntityType.PROJECT), all_projects)
        if entity.id == ALL or entity.identity == _TOP_LEVEL:
            return ()
        if entity.type is EntityType.APP:
            return (*self._of_type(EntityType.APP_CATEGORY), (EntityType.APP_CATEGORY.value, ALL))
        if entity.type is not EntityType.PROJECT:
            return ()
        if self._named(entity).name is None:
            return tuple(scope for scope in self._of_type(EntityType.PROJECT) if scope != entity.identity)
        ambiguous = (scope for found in self._above(entity) if len(found) > 1 for scope in sorted(found))
        return (*ambiguous, *(scope for scope in self._unplaced if scope != entity.identity))

    def _of_type(self, kind: EntityType) -> tuple[Identity, ...]:
        return self._single.get(kind, ())

    # What is worked out once.

    @cached_property
    def _rules(self) -> dict[Identity, list[tuple[AccessRule, bool]]]:
        """The rules on each entity with whether the server made them: those of people first, by name."""
        found: defaultdict[Identity, list[tuple[AccessRule, bool]]] = defaultdict(list)
        for _, rule in sorted(self.snapshot.access_rules.items()):
            found[rule.entity.identity].append((rule, False))
        for rule in self.server_rules or ():
            found[rule.entity.identity].append((rule, True))
        return dict(found)

    @cached_property
    def _rules_of_groups(self) -> dict[str, list[AccessRule]]:
        found: defaultdict[str, list[AccessRule]] = defaultdict(list)
        for rule in self.snapshot.access_rules.values():
            for name in rule.groups:
                found[name].append(rule)
        return found

    @cached_property
    def _people(self) -> dict[Address, tuple[Address, ...]]:
        """What :meth:`people_in` has worked out so far."""
        return {}

    @cached_property
    def _grants(self) -> dict[Identity, dict[Address, Grant]]:
        """What :meth:`direct` has worked out so far: few entities of many are ever asked for."""
        return {}

    def named_in(self, rule: AccessRule) -> Iterator[tuple[Address, Address | None]]:
        """Return whom a rule gives access, each with the group that it comes through, if it is one.

        :data:`EVERYONE` stands for all. Somebody whom it names several times comes several times.
        """
        for group, people in self._holders(rule):
            yield from ((principal, group) for principal in people)

    def _holders(self, rule: AccessRule) -> Iterator[tuple[Address | None, Iterable[Address]]]:
        yield None, [Address(Kind.MEMBER, (name,)) for name in sorted(rule.members)]
        yield None, [Address(Kind.SERVICE_ACCOUNT, (name,)) for name in sorted(rule.service_accounts)]
        for name in sorted(rule.groups):
            group = Address(Kind.GROUP, (name,))
            yield (None, (EVERYONE,)) if group == EVERYONE else (group, self.people_in(group))

    @cached_property
    def _ways(self) -> dict[Address, list[Way]]:
        found: defaultdict[Address, list[Way]] = defaultdict(list)
        for scope in self._rules:
            for way in self._ways_at(scope):
                found[way.principal].append(way)
        return found

    @cached_property
    def _part_read(self) -> dict[Identity, Permission]:
        """What the rules that could be read only in part may give to anybody, by entity."""
        rules = [rule for address, rule in self.snapshot.access_rules.items() if address in self.part_read]
        return {
            rule.entity.identity: permission_of(rule) for rule in sorted(rules, key=lambda rule: _RANK[rule.permission])
        }

    @cached_property
    def _single(self) -> dict[EntityType, tuple[Identity, ...]]:
        """The entities that rules are about one by one, by type."""
        found: defaultdict[EntityType, list[Identity]] = defaultdict(list)
        for scope, entity in self.entities.items():
            if entity.id != ALL:
                found[entity.type].append(scope)
        return {kind: tuple(scopes) for kind, scopes in found.items()}

    @cached_property
    def _projects(self) -> dict[str, set[Identity]]:
        """The projects that rules are about, by name."""
        found: defaultdict[str, set[Identity]] = defaultdict(set)
        for scope in self._of_type(EntityType.PROJECT):
            name = self.entities[scope].name
            if name is not None:
                found[name].add(scope)
        return found

    @cached_property
    def _unplaced(self) -> tuple[Identity, ...]:
        """The projects that rules are about and that may be above any other."""
        return tuple(scope for scope in self._of_type(EntityType.PROJECT) if self.entities[scope].name is None)

    @cached_property
    def _admins(self) -> tuple[Address, ...]:
        principals = (*self.snapshot.members, *self.snapshot.service_accounts)
        return tuple(principal for principal in sorted(principals) if self.is_admin(principal))

    @cached_property
    def _groups(self) -> dict[Kind, dict[str, list[Address]]]:
        """The groups of everybody: by name, since there are many memberships and few of them are ever asked for."""
        found: dict[Kind, dict[str, list[Address]]] = {kind: defaultdict(list) for kind in PRINCIPALS}
        for address, group in self.snapshot.groups.items():
            if not group.builtin or group.assignable:
                for kind, names in zip(PRINCIPALS, (group.members, group.service_accounts), strict=True):
                    for name in names or ():
                        found[kind][name].append(address)
        return found

    @cached_property
    def _vaults(self) -> dict[Address | None, list[tuple[int, Address]]]:
        """The vaults of each owner, with their places in the snapshot."""
        found: defaultdict[Address | None, list[tuple[int, Address]]] = defaultdict(list)
        for place, address in enumerate(self.snapshot.vaults):
            found[address.owner].append((place, address))
        return found


def members_of(group: Group) -> tuple[Address, ...]:
    """Return the principals in a group, in a stable order."""
    people = (Address(Kind.MEMBER, (name,)) for name in sorted(group.members or ()))
    return (*people, *(Address(Kind.SERVICE_ACCOUNT, (name,)) for name in sorted(group.service_accounts or ())))


def _more(one: Grant | None, other: Grant | None) -> Grant | None:
    if one is None or other is None:
        return one or other
    return one if _RANK[one.permission] >= _RANK[other.permission] else other


def permission_of(rule: AccessRule) -> Permission:
    """Return what a rule gives; of a category of applications, reading and writing are the same."""
    return Permission.READ_WRITE if rule.entity.type is EntityType.APP_CATEGORY else rule.permission


def gives_more(one: Permission | None, other: Permission | None) -> bool:
    """Return whether one permission gives more than another; ``None`` is nothing."""
    return _RANK[one] > _RANK[other]
