"""The impact of a plan: the difference of two access indexes.

Near linear: only principals that a change can touch are compared, and only at the entities that rules name them for.
What a principal has of an entity without a rule of its own follows from what it has of all above it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.model.edits import DocumentEdit
from reconciler.model.resources import AccessRule, Address, Group, Kind, Member, MemberState, Vault, is_servers_own
from reconciler.plan.access.index import EVERYONE, PRINCIPALS, QUEUE_ADMINS, AccessIndex, gives_more, members_of
from reconciler.plan.changes import Action, Change, Reason
from reconciler.plan.impact.effects import Sides, differs, effects_on
from reconciler.plan.impact.report import Aspect, Effect, Headline, HeadlineType, Impact, PrincipalImpact, Weight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from reconciler.model.access import Entity
    from reconciler.model.resources import Resource
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.access.index import Identity
    from reconciler.plan.impact.content import Content

_HEAVIEST = {weight: position for position, weight in enumerate(Weight)}


def assess(
    changes: Sequence[Change], before: AccessIndex, after: AccessIndex, content: Callable[[Vault], Content]
) -> Impact:
    """Return who gains and loses what by these changes; ``after`` has what is left alone copied in."""
    if not changes:
        return Impact()
    sides = Sides(before, after, content)
    moved = _moved(before, after)
    to_all = moved.pop(EVERYONE, [])
    principals = tuple(_principals(changes, sides, moved))
    headlines = [
        *(_opening(entity, before, after) for entity in to_all),
        *_vaults(changes, sides),
        *_last_of_their_kind(before.snapshot, after.snapshot),
        *_emptied_groups(changes, before, after),
    ]
    touched = {(principal.kind, principal.title) for principal in principals}
    entities = {entity.identity for found in (to_all, *moved.values()) for entity in found}
    headlines += _without_effect(changes, headlines, touched, entities, before, after)
    headlines.sort(key=lambda line: (_HEAVIEST[line.weight], line.type, line.kind, line.subject))
    return Impact(headlines=tuple(headlines), principals=tuple(sorted(principals, key=_order)))


def _order(principal: PrincipalImpact) -> tuple[int, str, str]:
    return _HEAVIEST[principal.weight], principal.kind, principal.title


def _moved(before: AccessIndex, after: AccessIndex) -> dict[Address, list[Entity]]:
    """Return at which entities each principal has more or less than before, of those that rules name it for.

    :data:`EVERYONE` is one of the principals: what happens to everyone is a headline.
    """
    entities = before.entities | after.entities
    changed = {scope: who for scope in entities if (who := _changed(scope, before, after))}
    found: defaultdict[Address, list[Entity]] = defaultdict(list)
    for scope, entity in sorted(entities.items()):
        movers = {who for up in (*before.scopes(entity), *after.scopes(entity)) for who in changed.get(up, ())}
        if movers:
            named = before.direct(scope).keys() | after.direct(scope).keys()
            for principal in _may_differ(named, movers):
                if differs(principal, entity, before, after):
                    found[principal].append(entity)
    return found


def _may_differ(named: AbstractSet[Address], movers: AbstractSet[Address]) -> AbstractSet[Address]:
    """Return for whom an entity may differ otherwise than all above it, if rules on it are about those ``named``.

    ``movers`` are those to whom it, or something above it, gives something else.
    """
    concerned = named if EVERYONE in movers else named & movers
    return concerned | movers if EVERYONE in named else concerned


def _changed(scope: Identity, before: AccessIndex, after: AccessIndex) -> set[Address]:
    """Return those to whom the rules on an entity give something else; nobody if they are the same rules and groups."""
    if before.basis(scope) == after.basis(scope):
        return set()
    had, has = before.direct(scope), after.direct(scope)
    return {who for who in had.keys() | has.keys() if had.get(who) != has.get(who)}


def _principals(
    changes: Sequence[Change], sides: Sides, moved: Mapping[Address, Sequence[Entity]]
) -> Iterator[PrincipalImpact]:
    before, after = sides.before, sides.after
    credentials = _credential_effects(changes)
    for principal in sorted(_candidates(changes, moved, before, after) | credentials.keys()):
        effects = (*effects_on(principal, sides, moved.get(principal, ())), *credentials.get(principal, ()))
        if effects:
            resource = after.snapshot.get(principal) or before.snapshot.get(principal)
            yield PrincipalImpact(
                kind=principal.kind,
                title=resource.title if resource is not None else principal.key[0],
                weight=min((effect.weight for effect in effects), key=_HEAVIEST.__getitem__),
                effects=effects,
                invitation=_is_invited(resource) or (not before.has(principal) and principal.kind is Kind.MEMBER),
            )


def _is_invited(resource: Resource | None) -> bool:
    return isinstance(resource, Member) and resource.state is MemberState.INVITED


def _candidates(
    changes: Sequence[Change], moved: Iterable[Address], before: AccessIndex, after: AccessIndex
) -> set[Address]:
    found = set(moved)
    for change in changes:
        if change.kind in PRINCIPALS:
            found.add(change.address)
        elif change.kind is Kind.GROUP:
            found.update(_people_of(change.address, before, after))
        elif change.kind is Kind.VAULT and change.address.owner is not None:
            owner = change.address.owner
            found.update((owner,) if owner.kind in PRINCIPALS else _people_of(owner, before, after))
    return {principal for principal in found if before.has(principal) or after.has(principal)}


def _people_of(group: Address, before: AccessIndex, after: AccessIndex) -> Iterable[Address]:
    if group == EVERYONE:
        return ()
    return {principal for side in (before, after) for principal in side.people_in(group)}


def _credential_effects(changes: Sequence[Change]) -> dict[Address, list[Effect]]:
    """Return what happens to the keys of service accounts; destroying one is critical, whoever uses it."""
    found: dict[Address, list[Effect]] = {}
    for change in changes:
        owner = change.address.owner
        if change.kind is not Kind.CREDENTIAL or owner is None or change.action is Action.UPDATE:
            continue
        gone, made = change.action is Action.DELETE, change.action is Action.CREATE
        effect = Effect(
            aspect=Aspect.CREDENTIAL,
            subject=change.address.key[-1],
            before=None if made else "expired" if change.reason is Reason.EXPIRED else "works",
            after=None if gone else "works" if made else "replaced",
            weight=_credential_weight(change),
        )
        found.setdefault(owner, []).append(effect)
    return found


def _credential_weight(change: Change) -> Weight:
    if change.action is not Action.DELETE:
        return Weight.SENSITIVE
    return Weight.ROUTINE if change.reason is Reason.EXPIRED else Weight.CRITICAL


def _opening(entity: Entity, before: AccessIndex, after: AccessIndex) -> Headline:
    """Say that everyone gets more of an entity, or less: and then who keeps more than the others."""
    old, new = before.permission(EVERYONE, entity), after.permission(EVERYONE, entity)
    opens = gives_more(new, old)
    holders = {principal for scope in after.scopes(entity) for principal in after.direct(scope)} - {EVERYONE}
    keep = [principal for principal in holders if gives_more(after.permission(principal, entity), new)]
    return Headline(
        type=HeadlineType.OPENS_TO_EVERYONE if opens else HeadlineType.CLOSES_TO_EVERYONE,
        kind=Kind.ACCESS_RULE,
        subject=entity.title,
        weight=Weight.CRITICAL,
        level=new.value if new else None,
        names=() if opens else tuple(sorted(map(after.title, keep))),
        count=0 if opens else len(keep),
        at_least=not opens and after.at_least(EVERYONE, entity),
    )


def _vaults(changes: Sequence[Change], sides: Sides) -> Iterator[Headline]:
    """Say whom each changed vault reaches; what reaches everyone is critical if it holds secrets."""
    before, after = sides.before, sides.after
    for change in changes:
        if change.kind is not Kind.VAULT:
            continue
        reached = max(before.reached_by(change.address), after.reached_by(change.address))
        if not reached:
            continue
        edits = [edit for edit in change.edits if isinstance(edit, DocumentEdit)]
        side = after if change.address in after.snapshot else before
        vault = side.snapshot.get(change.address)
        secrets = any(edit.secret for edit in edits) or (
            isinstance(vault, Vault) and _is_whole(change) and sides.content(vault).secrets > 0
        )
        weight = Weight.SENSITIVE if secrets else Weight.ROUTINE
        if change.address.owner == EVERYONE:
            weight = Weight.CRITICAL if secrets else Weight.SENSITIVE
        yield Headline(
            type=HeadlineType.VAULT_CHANGES,
            kind=Kind.VAULT,
            subject=change.title,
            weight=weight,
            level=change.action.value,
            names=tuple(edit.path for edit in edits),
            count=reached,
        )


def _is_whole(change: Change) -> bool:
    """Return whether all of a vault comes or goes, not only what is edited: one that is switched on comes too."""
    enabled = change.edited("enabled")
    is_switched_on = enabled is not None and enabled.after is True
    return change.action is not Action.UPDATE or is_switched_on or change.edited("target") is not None


def _last_of_their_kind(live: Snapshot, desired: Snapshot) -> Iterator[Headline]:
    for kind in Kind:
        before = {address for address, item in live.of_kind(kind).items() if not is_servers_own(item)}
        if before and not any(not is_servers_own(item) for item in desired.of_kind(kind).values()):
            yield Headline(
                type=HeadlineType.LAST_OF_ITS_KIND,
                kind=kind,
                subject=kind.value,
                weight=Weight.CRITICAL,
                count=len(before),
            )


def _emptied_groups(changes: Sequence[Change], before: AccessIndex, after: AccessIndex) -> Iterator[Headline]:
    for change in changes:
        old, new = before.snapshot.get(change.address), after.snapshot.get(change.address)
        if isinstance(old, Group) and isinstance(new, Group) and members_of(old) and not members_of(new):
            yield Headline(
                type=HeadlineType.EMPTIED_GROUP,
                kind=Kind.GROUP,
                subject=change.title,
                weight=Weight.CRITICAL if change.address == QUEUE_ADMINS else Weight.SENSITIVE,
                count=len(members_of(old)),
            )


def _without_effect(
    changes: Sequence[Change],
    headlines: Sequence[Headline],
    touched: set[tuple[Kind, str]],
    moved: set[Identity],
    before: AccessIndex,
    after: AccessIndex,
) -> Iterator[Headline]:
    """Name the changes that nobody gains or loses anything by."""
    told = {(line.kind, line.subject) for line in headlines} | touched
    for change in changes:
        if (change.kind, change.title) in told or change.kind is Kind.CREDENTIAL:
            continue
        if change.kind is Kind.GROUP and (change.edited_set("members") or change.edited_set("service_accounts")):
            continue
        if change.kind is Kind.ACCESS_RULE and _entities_of(change, before, after) & moved:
            continue
        yield Headline(type=HeadlineType.NO_EFFECT, kind=change.kind, subject=change.title, weight=Weight.ROUTINE)


def _entities_of(change: Change, before: AccessIndex, after: AccessIndex) -> set[Identity]:
    found = set()
    for side in (before, after):
        rule = side.snapshot.get(change.address)
        if isinstance(rule, AccessRule):
            found.add(rule.entity.identity)
    return found
