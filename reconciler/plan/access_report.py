"""What somebody may do and why, and who reaches an entity and how, from one snapshot."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.model.access import ALL, EntityType, Permission
from reconciler.model.resources import Address, Kind, Member, MemberState, ServiceAccount
from reconciler.plan.access_facts import NOTHING, UNKNOWN, Fact, Through
from reconciler.plan.impact.access import ADMINISTERED, ADMINS, EVERYONE, members_of
from reconciler.plan.impact.report import Aspect
from reconciler.plan.impact.side import PRINCIPALS, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import timedelta

    from reconciler.model.access import Entity
    from reconciler.model.live import CredentialFacts
    from reconciler.model.resources import AccessRule, Credential, Vault
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.impact.side import Content

_WRITE = Permission.READ_WRITE.value


class AccessBook:
    """The access of one snapshot: indexed once, asked for principals and entities.

    ``content`` counts the values of a vault; ``credentials`` holds what only a server knows of credentials.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        content: Callable[[Vault], Content],
        credentials: Mapping[Address, CredentialFacts] | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._side = Side(snapshot, content)
        self._table = self._side.access
        self._facts = credentials or {}
        self._ways: dict[Address, list[tuple[AccessRule, str | None]]] = defaultdict(list)
        for _, rule in sorted(snapshot.access_rules.items()):
            for principal, via in self._table.named(rule):
                self._ways[principal].append((rule, via[1] if len(via) > 1 else None))
        self._vaults: dict[Address | None, list[Vault]] = defaultdict(list)
        for address, vault in sorted(snapshot.vaults.items()):
            if vault.enabled:
                self._vaults[address.owner].append(vault)
        self._credentials: dict[Address | None, list[Credential]] = defaultdict(list)
        for address, credential in sorted(snapshot.credentials.items()):
            self._credentials[address.owner].append(credential)

    @property
    def principals(self) -> list[Address]:
        """Everybody who is in the workspace, and whom only a group or a rule names: people first, then accounts."""
        known = {address for address in self._snapshot.resources if address.kind in PRINCIPALS}
        known |= self._ways.keys() - {EVERYONE}
        known.update(principal for group in self._snapshot.groups.values() for principal in members_of(group))
        return sorted(known, key=lambda address: (PRINCIPALS.index(address.kind), address.key))

    @property
    def entities(self) -> list[Entity]:
        """The entities that any rule is about."""
        return [entity for _, entity in sorted(self._table.entities.items())]

    def of_principal(self, principal: Address, *, closed: bool = True) -> tuple[Fact, ...]:
        """Return all that somebody has; with ``closed`` also the entities that rules keep this one out of."""
        return (
            *self._standing(principal),
            *self._groups(principal),
            *self._access(principal),
            *(self._closed(principal) if closed else ()),
            *self._reaching_vaults(principal),
            *self._keys(principal),
        )

    def of_entity(self, entity: Entity) -> tuple[Fact, ...]:
        """Return who reaches an entity, and each way how: everyone first, then admins, then whom rules name."""
        rules = self._table.rules_about(entity)
        if not rules:
            everyone = Fact(None, "everyone", Aspect.ACCESS, entity.title, _WRITE, Through.DEFAULT)
        else:
            everyone = Fact(None, "everyone", Aspect.ACCESS, entity.title, NOTHING, Through.RULE)
        named: list[Fact] = []
        to_all: list[Fact] = []
        for rule in rules:
            for principal, via in self._table.named(rule):
                fact = self._granted(principal, rule, via[1] if len(via) > 1 else None, entity)
                (to_all if principal == EVERYONE else named).append(fact)
        named.sort(key=lambda fact: (fact.principal, fact.level != _WRITE))
        admins = self._admins(entity) if entity.type in ADMINISTERED else ()
        return (*(to_all or [everyone]), *admins, *named)

    def _standing(self, principal: Address) -> Iterator[Fact]:
        resource = self._snapshot.get(principal)
        if isinstance(resource, Member):
            if resource.state is MemberState.INVITED:
                yield self._fact(principal, Aspect.WORKSPACE, "workspace", "invited")
            yield self._fact(principal, Aspect.ROLE, "role", resource.role.value if resource.role else UNKNOWN)
        elif isinstance(resource, ServiceAccount):
            yield self._fact(principal, Aspect.ADMIN, "admin", _yes_or_no(resource.admin))
            yield self._fact(principal, Aspect.IMPERSONATION, "impersonation", _yes_or_no(resource.impersonation))
        else:
            yield self._fact(principal, Aspect.WORKSPACE, "workspace", UNKNOWN)

    def _groups(self, principal: Address) -> Iterator[Fact]:
        yield self._fact(principal, Aspect.GROUP, "Users", "member", Through.EVERYONE)
        if self._table.is_admin(principal):
            yield self._fact(principal, Aspect.GROUP, "Admins", "member", Through.ADMIN)
        for group in self._own_groups(principal):
            yield self._fact(principal, Aspect.GROUP, self._side.title(group), "member")

    def _own_groups(self, principal: Address) -> list[Address]:
        return sorted(self._side.groups(principal) - {EVERYONE, ADMINS})

    def _access(self, principal: Address) -> Iterator[Fact]:
        if self._table.is_admin(principal):
            yield self._fact(principal, Aspect.ACCESS, "everything but queues", _WRITE, Through.ADMIN)
        facts = [self._granted(principal, rule, group, rule.entity) for rule, group in self._ways.get(principal, ())]
        facts += [
            self._granted(EVERYONE, rule, None, rule.entity, principal) for rule, _ in self._ways.get(EVERYONE, ())
        ]
        yield from sorted(facts, key=lambda fact: (fact.subject, fact.level != _WRITE))
        restricted = {entity.type for entity in self._table.entities.values() if entity.id == ALL}
        told = restricted | (ADMINISTERED if self._table.is_admin(principal) else frozenset())
        if len(told) < len(EntityType):
            but = ", ".join(f"{_noun(entity_type)}s" for entity_type in EntityType if entity_type in restricted)
            subject = f"everything else but {but}" if but else "everything else"
            yield self._fact(principal, Aspect.ACCESS, subject, _WRITE, Through.DEFAULT)

    def _closed(self, principal: Address) -> Iterator[Fact]:
        admin = self._table.is_admin(principal)
        ways = (*self._ways.get(principal, ()), *self._ways.get(EVERYONE, ()))
        reached = {rule.entity.identity for rule, _ in ways}
        for entity in self.entities:
            general = (entity.type.value, ALL)
            if not (reached & {entity.identity, general} or (admin and entity.type in ADMINISTERED)):
                yield self._fact(principal, Aspect.ACCESS, entity.title, NOTHING, Through.RULE)

    def _granted(
        self,
        granted: Address,
        rule: AccessRule,
        group: str | None,
        entity: Entity,
        principal: Address | None = None,
    ) -> Fact:
        to_all = granted == EVERYONE
        kind, title = self._named(principal or granted)
        return Fact(
            kind,
            title,
            Aspect.ACCESS,
            entity.title,
            rule.permission.value,
            Through.EVERYONE if to_all else Through.RULE,
            rule=rule.name,
            group="Users" if to_all else group,
        )

    def _admins(self, entity: Entity) -> Iterator[Fact]:
        for principal in self.principals:
            if self._table.is_admin(principal):
                yield self._fact(principal, Aspect.ACCESS, entity.title, _WRITE, Through.ADMIN)

    def _reaching_vaults(self, principal: Address) -> Iterator[Fact]:
        owners = [(EVERYONE, Through.EVERYONE)]
        if self._table.is_admin(principal):
            owners.append((ADMINS, Through.ADMIN))
        owners += [(group, Through.GROUP) for group in self._own_groups(principal)]
        if principal.kind is Kind.SERVICE_ACCOUNT:
            owners.append((principal, Through.ITSELF))
        for owner, through in owners:
            for vault in self._vaults.get(owner, ()):
                content = self._side.content(vault)
                kind, title = self._named(principal)
                yield Fact(
                    kind,
                    title,
                    Aspect.VAULT,
                    vault.name,
                    "reached",
                    through,
                    group=None if through is Through.ITSELF else self._side.title(owner),
                    values=content.paths,
                    secrets=content.secrets,
                )

    def _keys(self, principal: Address) -> Iterator[Fact]:
        kind, title = self._named(principal)
        for credential in self._credentials.get(principal, ()):
            ends = self._end(credential)
            yield Fact(kind, title, Aspect.CREDENTIAL, credential.label, "works", ends=ends)

    def _end(self, credential: Credential) -> str | None:
        facts = self._facts.get(credential.address)
        if facts is not None:
            return None if facts.expires is None else f"{facts.expires:%Y-%m-%d}"
        return None if credential.lifetime is None else f"after {_duration(credential.lifetime)}"

    def _fact(
        self, principal: Address, aspect: Aspect, subject: str, level: str, through: Through = Through.ITSELF
    ) -> Fact:
        kind, title = self._named(principal)
        return Fact(kind, title, aspect, subject, level, through)

    def _named(self, principal: Address) -> tuple[Kind | None, str]:
        return (None, "everyone") if principal == EVERYONE else (principal.kind, self._side.title(principal))


def _noun(entity_type: EntityType) -> str:
    return "app categorie" if entity_type is EntityType.APP_CATEGORY else entity_type.value


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def _duration(value: timedelta) -> str:
    minutes = int(value.total_seconds() // 60)
    if minutes % (24 * 60) == 0:
        return f"{minutes // (24 * 60)}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"
