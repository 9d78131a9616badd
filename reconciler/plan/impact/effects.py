"""What one principal gains and loses between two access indexes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.access import Permission
from reconciler.model.resources import Address, Member, Role, ServiceAccount, Vault
from reconciler.plan.access.index import ADMINISTERED, EVERYONE, QUEUE_ADMINS, Through, gives_more
from reconciler.plan.impact.report import Aspect, Effect, Weight

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from reconciler.model.access import Entity
    from reconciler.model.resources import Resource
    from reconciler.plan.access.index import AccessIndex, Grant
    from reconciler.plan.impact.content import Content

_HEAVIEST = {weight: position for position, weight in enumerate(Weight)}


class Sides(Frozen):
    """The access before and after, and what counts the values of a vault."""

    before: AccessIndex
    after: AccessIndex
    content: Callable[[Vault], Content]


def effects_on(principal: Address, sides: Sides, entities: Collection[Entity]) -> tuple[Effect, ...]:
    """Return all effects on a principal, heaviest first. ``entities`` are those at which its access differs."""
    before, after = sides.before, sides.after
    effects = [
        *_standing(before.snapshot.get(principal), after.snapshot.get(principal)),
        *_groups(principal, before, after),
        *_access(principal, before, after, entities),
        *_vaults(principal, sides),
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


def _groups(principal: Address, before: AccessIndex, after: AccessIndex) -> Iterator[Effect]:
    had, has = set(before.groups(principal)), set(after.groups(principal))
    for group in sorted(had ^ has):
        side = before if group in had else after
        weight = Weight.SENSITIVE if group == QUEUE_ADMINS else Weight.ROUTINE
        yield _membership(side.title(group), weight, joins=group in has)


@lru_cache(maxsize=4096)
def _membership(group: str, weight: Weight, *, joins: bool) -> Effect:
    """Return an effect that is the same for everyone who joins or leaves the group."""
    before, after = (None, "member") if joins else ("member", None)
    return Effect(aspect=Aspect.GROUP, subject=group, before=before, after=after, weight=weight)


def differs(principal: Address, entity: Entity, before: AccessIndex, after: AccessIndex) -> bool:
    """Return whether somebody, or everyone, may do more or less with an entity than before.

    What somebody gains or loses by becoming an admin, or ceasing to be one, is told as that; and by coming or going,
    only where it is not what everyone has.
    """
    if before.is_admin(principal) != after.is_admin(principal) and entity.type in ADMINISTERED:
        return False
    had, has = (side.permission(principal if _is_in(principal, side) else EVERYONE, entity) for side in (before, after))
    return had is not has


def _grant(side: AccessIndex, principal: Address, entity: Entity) -> Grant | None:
    return side.grant(principal, entity) if _is_in(principal, side) else None


def _is_in(principal: Address, side: AccessIndex) -> bool:
    return principal == EVERYONE or side.has(principal)


def _access(
    principal: Address, before: AccessIndex, after: AccessIndex, entities: Collection[Entity]
) -> Iterator[Effect]:
    """Compare access by rules. What an admin has beside them, and what everyone has, is told elsewhere."""
    for entity in entities:
        had, has = _grant(before, principal, entity), _grant(after, principal, entity)
        writes = Permission.READ_WRITE in (_permission(had), _permission(has))
        source = has or had
        yield Effect(
            aspect=Aspect.ACCESS,
            subject=entity.title,
            before=had.permission.value if had else None,
            after=has.permission.value if has else None,
            via=source.via if source else (),
            weight=Weight.SENSITIVE if writes else Weight.ROUTINE,
            at_least=gives_more(_permission(had), _permission(has)) and after.at_least(principal, entity),
        )


def _permission(grant: Grant | None) -> Permission | None:
    return grant.permission if grant is not None else None


def _vaults(principal: Address, sides: Sides) -> Iterator[Effect]:
    """Compare the vaults that reach somebody. What reaches everyone is told elsewhere."""
    had, has = (
        {
            item.vault.address: item
            for item in side.vaults(principal)
            if item.vault.enabled and item.through is not Through.EVERYONE
        }
        for side in (sides.before, sides.after)
    )
    for address in sorted(had.keys() ^ has.keys()):
        item = had.get(address) or has[address]
        through = () if item.group is None else (item.group,)
        yield _reach(item.vault.name, through, sides.content(item.vault), reached=address in has)


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
