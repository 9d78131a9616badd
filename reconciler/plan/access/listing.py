"""What somebody may do and why, and who reaches an entity and how: the access index as facts.

A fact is one thing that somebody has, and one way that it comes about. Two rules that give the same person the same
entity are two facts, so that an auditor sees what is left when one of them goes; what somebody may do in the end is
the most of them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import field
from msgspec.structs import replace

from reconciler.frozen import Frozen
from reconciler.model.access import ALL, EntityType, Permission
from reconciler.model.resources import Address, Credential, Kind, Member, MemberState, ServiceAccount
from reconciler.model.text import duration
from reconciler.plan.access.index import ADMINISTERED, EVERYONE, TITLES, AccessIndex, Through, Way, gives_more
from reconciler.plan.impact.report import Aspect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.model.access import Entity
    from reconciler.model.live import CredentialFacts
    from reconciler.model.resources import Vault
    from reconciler.plan.access.index import Identity
    from reconciler.plan.impact.content import Content

NOTHING = "none"
"""The level of a fact that says that no rule gives somebody anything."""

UNKNOWN = "unknown"
"""The level of what nobody says: a role that the server does not tell, somebody who is not declared."""

_WRITE = Permission.READ_WRITE.value
_ORDER = (Through.EVERYONE, Through.ADMIN, Through.GROUP, Through.ITSELF)
_MOST_EXCEPTIONS = 3


class Fact(Frozen):
    """One thing that somebody has, or has not.

    ``kind`` is ``None`` for everyone. ``values`` and ``secrets`` count what a vault brings: no value is in a fact.
    ``ends`` says when a credential ends: a date (``2026-03-01``) where it is known, otherwise how long it is to live.
    ``rule_on`` is what the rule is about, where that is not ``subject`` but something that it is in: a project above
    it, or all of the type. A fact that is not ``certain`` may hold or not, since not all is known.
    """

    kind: Kind | None
    principal: str
    aspect: Aspect
    subject: str
    level: str
    through: Through = Through.ITSELF
    rule: str | None = None
    group: str | None = None
    values: int = 0
    secrets: int = 0
    ends: str | None = None
    rule_on: str | None = None
    certain: bool = True


class AccessReport(Frozen):
    """What is told of a principal, of an entity, or of everybody (``subject`` is ``None``).

    ``not_said`` names the kinds that the declaration does not speak for as a whole: there may be more in the workspace.
    ``beside_defaults`` says that the server's own rules are not known, and give what they give beside all this;
    ``incomplete`` that rules could not be read, or not as a whole, which may give more.
    """

    subject: str | None
    facts: tuple[Fact, ...]
    about_entity: bool = False
    not_said: tuple[Kind, ...] = ()
    beside_defaults: bool = False
    incomplete: bool = False


class Listing(Frozen):
    """Lists the access of one index.

    ``content`` counts the values of a vault; ``credentials`` holds what only a server knows of credentials.
    """

    index: AccessIndex
    content: Callable[[Vault], Content]
    credentials: Mapping[Address, CredentialFacts] = field(default_factory=dict)

    def report(
        self, subject: str | None, facts: Iterable[Fact], not_said: tuple[Kind, ...], *, about_entity: bool = False
    ) -> AccessReport:
        """Return facts as a report, with what is to be known beside them."""
        index = self.index
        return AccessReport(
            subject,
            tuple(facts),
            about_entity,
            not_said,
            beside_defaults=index.server_rules is None,
            incomplete=not index.complete or bool(index.part_read),
        )

    def of_principal(self, principal: Address, *, closed: bool = True) -> tuple[Fact, ...]:
        """Return all that somebody has; with ``closed`` also the entities that rules are about and that it has not."""
        return (
            *self._standing(principal),
            *self._groups(principal),
            *self._access(principal, closed=closed),
            *self._vaults(principal),
            *self._keys(principal),
        )

    def of_entity(self, entity: Entity) -> tuple[Fact, ...]:
        """Return who reaches an entity, and each way how: everyone first, then admins, then whom rules name."""
        index = self.index
        ways = list(index.ways_to(entity))
        to_all = [self._granted(way, entity) for way in ways if way.principal == EVERYONE and way.certain]
        named = [self._granted(way, entity) for way in ways if way.principal != EVERYONE and way.certain]
        for fact in self._perhaps(ways, entity):
            (to_all if fact.kind is None else named).append(fact)
        named.sort(key=lambda fact: (fact.principal, not fact.certain, fact.rule_on is not None, fact.level != _WRITE))
        if not any(fact.certain for fact in to_all):
            to_all.insert(0, self._nothing(EVERYONE, entity))
        admins = [who for who in index.principals if index.is_admin(who)] if entity.type in ADMINISTERED else []
        return (*to_all, *(self._as_admin(who, entity.title) for who in admins), *named)

    def _standing(self, principal: Address) -> Iterator[Fact]:
        resource = self.index.snapshot.get(principal)
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
        if self.index.is_admin(principal):
            yield self._fact(principal, Aspect.GROUP, "Admins", "member", Through.ADMIN)
        for group in sorted(self.index.groups(principal)):
            yield self._fact(principal, Aspect.GROUP, self.index.title(group), "member")

    def _access(self, principal: Address, *, closed: bool) -> Iterator[Fact]:
        """List access by the entities that rules name this one, or everyone, for; it holds for what is in them."""
        index = self.index
        if index.is_admin(principal):
            yield self._as_admin(principal, "everything but queues")
        yield from self._usual(principal)
        own: defaultdict[Identity, list[Way]] = defaultdict(list)
        for way in (*index.ways_of(principal), *index.ways_of(EVERYONE)):
            own[way.rule.entity.identity].append(way)
        for scope, entity in sorted(index.entities.items(), key=lambda item: item[1].title):
            direct = [way for way in own.get(scope, ()) if not _is_usual(way)]
            if direct or (closed and index.grant(principal, entity) is None):
                above = [way for up in index.scopes(entity)[1:] for way in own.get(up, ()) if not _is_usual(way)]
                facts = [self._granted(way, entity, principal) for way in (*direct, *above)]
                facts += self._perhaps(self._possible(entity, own), entity, principal)
                facts.sort(key=lambda fact: (not fact.certain, fact.rule_on is not None, fact.level != _WRITE))
                yield from facts or (self._nothing(principal, entity),)

    def _usual(self, principal: Address) -> Iterator[Fact]:
        """Tell what the server's own rules give to everyone of whole types: in one line where that is nearly all."""
        levels: defaultdict[str, list[Way]] = defaultdict(list)
        for way in filter(_is_usual, self.index.ways_of(EVERYONE)):
            levels[way.permission.value].append(way)
        for level, ways in sorted(levels.items()):
            types = {way.rule.entity.type for way in ways}
            missing = [f"{_noun(entity_type)}s" for entity_type in EntityType if entity_type not in types]
            if len(missing) > _MOST_EXCEPTIONS:
                yield from (self._granted(way, way.rule.entity, principal) for way in ways)
                continue
            subject = f"everything but {', '.join(missing)}" if missing else "everything"
            fact = self._fact(principal, Aspect.ACCESS, subject, level, Through.DEFAULT)
            yield replace(fact, group=TITLES[EVERYONE])

    def _possible(self, entity: Entity, own: Mapping[Identity, Sequence[Way]]) -> Iterator[Way]:
        for scope in self.index.possible_scopes(entity):
            yield from (replace(way, certain=False) for way in own.get(scope, ()))

    def _perhaps(self, ways: Iterable[Way], entity: Entity, principal: Address | None = None) -> list[Fact]:
        """Return the most that each may have beside what is certain, if that would be more."""
        most: dict[Address, Way] = {}
        for way in ways:
            known = self.index.permission(principal or way.principal, entity)
            sofar = most[way.principal].permission if way.principal in most else known
            if not way.certain and gives_more(way.permission, sofar):
                most[way.principal] = way
        return [self._granted(way, entity, principal) for way in most.values()]

    def _granted(self, way: Way, entity: Entity, principal: Address | None = None) -> Fact:
        to_all = way.principal == EVERYONE
        kind, title = self._named(principal or way.principal)
        through = Through.DEFAULT if way.default else Through.EVERYONE if to_all else Through.RULE
        about = way.rule.entity
        return Fact(
            kind,
            title,
            Aspect.ACCESS,
            entity.title,
            way.permission.value,
            through,
            rule=way.rule.name,
            group=TITLES[EVERYONE] if to_all else None if way.group is None else self.index.title(way.group),
            rule_on=None if about.identity == entity.identity else about.title,
            certain=way.certain,
        )

    def _nothing(self, principal: Address, entity: Entity) -> Fact:
        fact = self._fact(principal, Aspect.ACCESS, entity.title, NOTHING, Through.RULE)
        return replace(fact, certain=not self.index.at_least(principal, entity))

    def _as_admin(self, principal: Address, subject: str) -> Fact:
        return self._fact(principal, Aspect.ACCESS, subject, _WRITE, Through.ADMIN)

    def _vaults(self, principal: Address) -> Iterator[Fact]:
        reaching = [item for item in self.index.vaults(principal) if item.vault.enabled]
        for item in sorted(reaching, key=lambda item: (_ORDER.index(item.through), item.vault.address)):
            content = self.content(item.vault)
            fact = self._fact(principal, Aspect.VAULT, item.vault.name, "reached", item.through)
            yield replace(fact, group=item.group, values=content.paths, secrets=content.secrets)

    def _keys(self, principal: Address) -> Iterator[Fact]:
        for resource in sorted(self.index.snapshot.owned_by(principal), key=lambda resource: resource.address):
            if isinstance(resource, Credential):
                fact = self._fact(principal, Aspect.CREDENTIAL, resource.label, "works")
                yield replace(fact, ends=self._end(resource))

    def _end(self, credential: Credential) -> str | None:
        facts = self.credentials.get(credential.address)
        if facts is not None:
            return None if facts.expires is None else f"{facts.expires:%Y-%m-%d}"
        return None if credential.lifetime is None else f"after {duration(credential.lifetime)}"

    def _fact(
        self, principal: Address, aspect: Aspect, subject: str, level: str, through: Through = Through.ITSELF
    ) -> Fact:
        kind, title = self._named(principal)
        return Fact(kind, title, aspect, subject, level, through)

    def _named(self, principal: Address) -> tuple[Kind | None, str]:
        return (None, "everyone") if principal == EVERYONE else (principal.kind, self.index.title(principal))


def _is_usual(way: Way) -> bool:
    """Return whether a way is one that the server itself made for everyone, to all of a type."""
    return way.default and way.principal == EVERYONE and way.rule.entity.id == ALL


def _noun(entity_type: EntityType) -> str:
    return "app categorie" if entity_type is EntityType.APP_CATEGORY else entity_type.value


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"
