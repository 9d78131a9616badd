"""From the two sides of a plan to its impact. Near linear: only principals that a change can touch are compared."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.model.edits import DocumentEdit
from reconciler.model.resources import AccessRule, Address, Group, Kind, Member, MemberState, Vault, is_servers_own
from reconciler.plan.changes import Action, Change
from reconciler.plan.impact.access import EVERYONE, members_of
from reconciler.plan.impact.effects import QUEUE_ADMINS, effects_on
from reconciler.plan.impact.report import Aspect, Effect, Headline, HeadlineType, Impact, PrincipalImpact, Weight
from reconciler.plan.impact.side import PRINCIPALS, Content, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.model.access import Entity
    from reconciler.model.resources import Resource
    from reconciler.model.snapshot import Snapshot

_HEAVIEST = {weight: position for position, weight in enumerate(Weight)}


def assess(changes: Sequence[Change], live: Snapshot, desired: Snapshot, content: Callable[[Vault], Content]) -> Impact:
    """Return who gains and loses what by these changes. ``desired`` has what is left alone copied in."""
    if not changes:
        return Impact()
    before, after = Side(live, content), Side(desired, content)
    entities = _changed_entities(before, after)
    principals = tuple(_principals(changes, before, after, entities))
    headlines = [
        *_openings(before, after, entities),
        *_vaults(changes, before, after),
        *_last_of_their_kind(live, desired),
        *_emptied_groups(changes, before, after),
    ]
    touched = {(principal.kind, principal.title) for principal in principals}
    headlines += _without_effect(changes, headlines, touched, entities, before, after)
    headlines.sort(key=lambda line: (_HEAVIEST[line.weight], line.type, line.kind, line.subject))
    return Impact(headlines=tuple(headlines), principals=tuple(sorted(principals, key=_order)))


def _order(principal: PrincipalImpact) -> tuple[int, str, str]:
    return _HEAVIEST[principal.weight], principal.kind, principal.title


def _changed_entities(before: Side, after: Side) -> tuple[Entity, ...]:
    """Return the entities whose reach differs, however it came about: by a rule or by a group that it names."""
    entities = before.access.entities | after.access.entities
    return tuple(
        entity for _, entity in sorted(entities.items()) if before.access.reach(entity) != after.access.reach(entity)
    )


def _principals(
    changes: Sequence[Change], before: Side, after: Side, entities: Sequence[Entity]
) -> Iterator[PrincipalImpact]:
    credentials = _credential_effects(changes)
    near = _granted(before, after, entities)
    candidates = _candidates(changes, near, before, after)
    for principal in sorted(candidates | credentials.keys()):
        own = effects_on(principal, before, after, near.get(principal, ()))
        effects = (*own, *credentials.get(principal, ()))
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


def _granted(before: Side, after: Side, entities: Sequence[Entity]) -> dict[Address, list[Entity]]:
    """Return the entities that each principal has a grant of its own for; what happens to everyone is a headline."""
    found: defaultdict[Address, list[Entity]] = defaultdict(list)
    for entity in entities:
        for principal in before.access.reach(entity).grants.keys() | after.access.reach(entity).grants.keys():
            found[principal].append(entity)
    return found


def _candidates(changes: Sequence[Change], granted: Iterable[Address], before: Side, after: Side) -> set[Address]:
    found = set(granted)
    for change in changes:
        if change.kind in PRINCIPALS:
            found.add(change.address)
        elif change.kind is Kind.GROUP:
            found.update(_people_of(change.address, before, after))
        elif change.kind is Kind.VAULT and change.address.owner is not None:
            owner = change.address.owner
            found.update((owner,) if owner.kind in PRINCIPALS else _people_of(owner, before, after))
    return {principal for principal in found if before.has(principal) or after.has(principal)}


def _people_of(group: Address, before: Side, after: Side) -> Iterable[Address]:
    if group == EVERYONE:
        return ()
    return {principal for side in (before, after) for principal in side.access.people_in(group)}


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
            before=None if made else "works",
            after=None if gone else "works" if made else "replaced",
            weight=Weight.CRITICAL if gone else Weight.SENSITIVE,
        )
        found.setdefault(owner, []).append(effect)
    return found


def _openings(before: Side, after: Side, entities: Sequence[Entity]) -> Iterator[Headline]:
    for entity in entities:
        had, has = before.access.reach(entity).everyone, after.access.reach(entity).everyone
        old, new = had.permission if had else None, has.permission if has else None
        if old is new:
            continue
        opens = old is None or new == "read_write"
        keep = () if opens else sorted(after.title(principal) for principal in after.access.reach(entity).grants)
        yield Headline(
            type=HeadlineType.OPENS_TO_EVERYONE if opens else HeadlineType.CLOSES_TO_EVERYONE,
            kind=Kind.ACCESS_RULE,
            subject=entity.title,
            weight=Weight.CRITICAL,
            level=new.value if new else None,
            names=tuple(keep),
            count=len(keep),
        )


def _vaults(changes: Sequence[Change], before: Side, after: Side) -> Iterator[Headline]:
    """Say whom each changed vault reaches; what reaches everyone is critical if it holds secrets."""
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
            isinstance(vault, Vault) and _is_whole(change) and side.content(vault).secrets > 0
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
    """Tell whether all of a vault comes or goes, not only what is edited: one that is switched on comes too."""
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


def _emptied_groups(changes: Sequence[Change], before: Side, after: Side) -> Iterator[Headline]:
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
    entities: Sequence[Entity],
    before: Side,
    after: Side,
) -> Iterator[Headline]:
    """Name the changes that nobody gains or loses anything by."""
    told = {(line.kind, line.subject) for line in headlines} | touched
    moved = {entity.identity for entity in entities}
    for change in changes:
        if (change.kind, change.title) in told or change.kind is Kind.CREDENTIAL:
            continue
        if change.kind is Kind.GROUP and (change.edited_set("members") or change.edited_set("service_accounts")):
            continue
        if change.kind is Kind.ACCESS_RULE and _entities_of(change, before, after) & moved:
            continue
        yield Headline(type=HeadlineType.NO_EFFECT, kind=change.kind, subject=change.title, weight=Weight.ROUTINE)


def _entities_of(change: Change, before: Side, after: Side) -> set[tuple[str, ...]]:
    found = set()
    for side in (before, after):
        rule = side.snapshot.get(change.address)
        if isinstance(rule, AccessRule):
            found.add(rule.entity.identity)
    return found
