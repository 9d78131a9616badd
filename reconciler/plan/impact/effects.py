"""What one principal gains and loses between two sides."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.model.access import Permission
from reconciler.model.resources import Address, Kind, Member, Role, ServiceAccount, Vault
from reconciler.plan.impact.access import ADMINISTERED
from reconciler.plan.impact.report import Aspect, Effect, Weight

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.model.access import Entity
    from reconciler.model.resources import Resource
    from reconciler.plan.impact.access import Grant
    from reconciler.plan.impact.side import Content, Side

QUEUE_ADMINS = Address.group("Queue admins")
_HEAVIEST = {weight: position for position, weight in enumerate(Weight)}


def effects_on(principal: Address, before: Side, after: Side, entities: Collection[Entity]) -> tuple[Effect, ...]:
    """Return all effects on a principal, heaviest first. ``entities`` are those whose access may differ."""
    effects = [
        *_standing(before.snapshot.get(principal), after.snapshot.get(principal)),
        *_groups(principal, before, after),
        *_access(principal, before, after, entities),
        *_vaults(principal, before, after),
    ]
    return tuple(sorted(effects, key=lambda effect: (_HEAVIEST[effect.weight], effect.aspect, effect.subject)))


def _standing(before: Resource | None, after: Resource | None) -> Iterator[Effect]:
    """Compare what a principal is: in the workspace at all, its role, its privileges."""
    if before is None or after is None:
        yield _presence(before, after)
    if isinstance(before, Member) and isinstance(after, Member) and before.role not in (None, after.role):
        yield _role(before.role or Role.USER, after.role)
    if isinstance(before or after, ServiceAccount):
        for aspect, name in ((Aspect.ADMIN, "admin"), (Aspect.IMPERSONATION, "impersonation")):
            had, has = bool(getattr(before, name, False)), bool(getattr(after, name, False))
            if had is not has:
                yield Effect(
                    aspect=aspect,
                    subject=name,
                    before=_flag(had),
                    after=_flag(has),
                    weight=Weight.CRITICAL,
                )


def _flag(is_on: bool) -> str | None:
    return "yes" if is_on else None


def _presence(before: Resource | None, after: Resource | None) -> Effect:
    resource = before or after
    level = (resource.role or Role.USER).value if isinstance(resource, Member) else "service account"
    if after is None:
        weight = Weight.CRITICAL
    elif isinstance(resource, Member):
        weights = {Role.ADMIN: Weight.CRITICAL, Role.CONSUMER: Weight.ROUTINE}
        weight = weights.get(resource.role or Role.USER, Weight.SENSITIVE)
    else:
        weight = Weight.SENSITIVE
    return Effect(
        aspect=Aspect.WORKSPACE,
        subject="workspace",
        before=level if after is None else None,
        after=None if after is None else level,
        weight=weight,
    )


def _role(before: Role, after: Role | None) -> Effect:
    weight = Weight.CRITICAL if Role.ADMIN in (before, after) else Weight.SENSITIVE
    return Effect(
        aspect=Aspect.ROLE, subject="role", before=before.value, after=after.value if after else None, weight=weight
    )


def _groups(principal: Address, before: Side, after: Side) -> Iterator[Effect]:
    had, has = before.groups(principal), after.groups(principal)
    for group in sorted(had ^ has):
        side = before if group in had else after
        weight = Weight.SENSITIVE if group == QUEUE_ADMINS else Weight.ROUTINE
        yield _membership(side.title(group), weight, joins=group in has)


@lru_cache(maxsize=4096)
def _membership(group: str, weight: Weight, *, joins: bool) -> Effect:
    """Return an effect that is the same for everyone who joins or leaves the group."""
    before, after = (None, "member") if joins else ("member", None)
    return Effect(aspect=Aspect.GROUP, subject=group, before=before, after=after, weight=weight)


def _access(principal: Address, before: Side, after: Side, entities: Collection[Entity]) -> Iterator[Effect]:
    """Compare access by rules. What an admin has beside them, and what everyone has, is told elsewhere."""
    turns = before.access.is_admin(principal) != after.access.is_admin(principal)
    for entity in entities:
        if turns and entity.type in ADMINISTERED:
            continue
        had = before.access.level(principal, entity) if before.has(principal) else None
        has = after.access.level(principal, entity) if after.has(principal) else None
        if _permission(had) is not _permission(has):
            yield _access_effect(entity, had, has)


def _access_effect(entity: Entity, had: Grant | None, has: Grant | None) -> Effect:
    writes = Permission.READ_WRITE in (_permission(had), _permission(has))
    source = has or had
    return Effect(
        aspect=Aspect.ACCESS,
        subject=entity.title,
        before=had.permission.value if had else None,
        after=has.permission.value if has else None,
        via=source.via if source else (),
        weight=Weight.SENSITIVE if writes else Weight.ROUTINE,
    )


def _permission(grant: Grant | None) -> Permission | None:
    return grant.permission if grant is not None else None


def _vaults(principal: Address, before: Side, after: Side) -> Iterator[Effect]:
    had, has = before.vaults(principal), after.vaults(principal)
    for address in sorted(had.keys() ^ has.keys()):
        side, owner = (before, had[address]) if address in had else (after, has[address])
        vault = side.snapshot.get(address)
        if not isinstance(vault, Vault):
            continue
        through = () if owner.kind is Kind.SERVICE_ACCOUNT else (side.title(owner),)
        yield _reach(vault.name, through, side.content(vault), reached=address in has)


@lru_cache(maxsize=4096)
def _reach(vault: str, through: tuple[str, ...], content: Content, *, reached: bool) -> Effect:
    """Return an effect that is the same for everyone whom the vault reaches, or no longer does, that way."""
    return Effect(
        aspect=Aspect.VAULT,
        subject=vault,
        before=None if reached else "reached",
        after="reached" if reached else None,
        via=through,
        weight=Weight.SENSITIVE if content.secrets else Weight.ROUTINE,
        paths=content.paths,
        secrets=content.secrets,
    )
