"""The difference between two states of an access rule, and the ids of the entities that rules name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.errors import Problem
from reconciler.frozen import Frozen
from reconciler.model.access import Candidates, Entity
from reconciler.model.edits import FieldEdit, SetEdit
from reconciler.model.resources import AccessRule, Kind
from reconciler.model.snapshot import Snapshot
from reconciler.model.text import harmless
from reconciler.plan.access.index import EVERYONE, gives_more, permission_of
from reconciler.plan.changes import Warned
from reconciler.plan.edits import description_edits, field_edits, set_edits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.model.desired import Desired
    from reconciler.model.edits import Edit
    from reconciler.model.live import Live
    from reconciler.plan.access.index import AccessIndex

GRANTEES = {"members": Kind.MEMBER, "service_accounts": Kind.SERVICE_ACCOUNT, "groups": Kind.GROUP}
"""The fields of a rule that say whom it gives access to."""


class RuleDifference(Frozen):
    """How a rule differs.

    ``waiting`` are the e-mails of those who get it once they have accepted their invitations. ``staying`` are those who
    keep the rule while its permission or its entity changes: what it gives them changes too.
    """

    edits: tuple[Edit, ...]
    waiting: tuple[str, ...]
    staying: tuple[tuple[Kind, str], ...] = ()

    @property
    def gives_nothing(self) -> bool:
        """Whether a new rule would have nobody in it yet."""
        return not any(isinstance(edit, SetEdit) for edit in self.edits)


def rule_difference(
    wanted: AccessRule, existing: AccessRule | None, is_active: Callable[[str], bool]
) -> RuleDifference:
    """Compare a rule with what there is; ``is_active`` tells whether a member has signed in, by folded e-mail."""
    present = {field: getattr(existing, field) if existing else frozenset[str]() for field in GRANTEES}
    waiting = frozenset(email for email in wanted.members - present["members"] if not is_active(email))
    after = {field: getattr(wanted, field) for field in GRANTEES} | {"members": wanted.members - waiting}
    if existing is None:
        edits = field_edits(
            ("description", None, wanted.description or None),
            ("resource", None, wanted.entity.title),
            ("permission", None, wanted.permission),
        )
    else:
        edits = (
            *field_edits(("name", existing.name, wanted.name)),
            *description_edits(existing.description, wanted.description),
            *_entity_edits(existing.entity, wanted.entity),
            *field_edits(("permission", existing.permission, wanted.permission)),
        )
    affected = existing is not None and any(
        isinstance(edit, FieldEdit) and edit.field in ("resource", "permission") for edit in edits
    )
    staying = tuple(
        (kind, name) for field, kind in GRANTEES.items() for name in sorted(present[field] & after[field]) if affected
    )
    sets = tuple(edit for field in GRANTEES for edit in set_edits(present[field], after[field], field))
    return RuleDifference((*edits, *sets), tuple(sorted(waiting)), staying)


def final_edits(existing: AccessRule) -> tuple[Edit, ...]:
    """Return what is lost with a rule that goes."""
    nobody: frozenset[str] = frozenset()
    gone = field_edits(("resource", existing.entity.title, None), ("permission", existing.permission, None))
    return gone + tuple(edit for field in GRANTEES for edit in set_edits(getattr(existing, field), nobody, field))


def _entity_edits(existing: Entity, wanted: Entity) -> tuple[Edit, ...]:
    if existing.identity == wanted.identity:
        return ()
    before, after = existing.title, wanted.title
    if before == after:
        before, after = f"{before} (id {existing.id})", f"{after} (id {wanted.id})"
    return field_edits(("resource", before, after))


def with_entity_ids(desired: Desired, live: Live) -> Desired:
    """Return the declaration with the id of every entity that a look-up found exactly once."""
    if not desired.snapshot.access_rules:
        return desired
    resources = {
        address: _with_id(resource, live) if isinstance(resource, AccessRule) else resource
        for address, resource in desired.snapshot.resources.items()
    }
    return replace(desired, snapshot=Snapshot(MappingProxyType(resources)))


def _with_id(rule: AccessRule, live: Live) -> AccessRule:
    found = live.entities.get(rule.entity)
    if not rule.entity.by_name or found is None or len(found.ids) != 1:
        return rule
    return replace(rule, entity=replace(rule.entity, id=found.ids[0]))


def unknown_entities(desired: Desired, live: Live) -> Iterator[Problem]:
    """Return a problem for every entity whose name leads to none, or to several: with what it could be."""
    for address, rule in desired.snapshot.access_rules.items():
        if rule.entity.by_name:
            found = live.entities.get(rule.entity, Candidates(()))
            kind, title = rule.entity.type.value, harmless(rule.entity.title)
            if found.ids:
                ids = ", ".join(harmless(identifier) for identifier in found.ids)
                message = f"access rule {rule.name}: {len(found.ids)} of them are called {title} (ids {ids})"
                hint = f"say which one: resource: {{{kind}: {{id: …}}}}"
                yield Problem("ambiguous-entity", message, desired.places.get(address), hint)
            else:
                names = " or ".join(harmless(name) for name in found.near)
                hint = f"did you mean {names}?" if names else f"make the {kind} first, or name it as the server does"
                message = f"access rule {rule.name}: the workspace has no {title}"
                yield Problem("unknown-entity", message, desired.places.get(address), hint)


_NO_EFFECT = (
    "gives access to nobody that they do not have already, by the server's default rules or as an admin; "
    "rules add up and never take access away, so it restricts nobody"
)


def rules_without_effect(declared: Snapshot, index: AccessIndex) -> Iterator[Warned]:
    """Warn of every declared rule that gives nobody more than the server's own rules do, as they will be then.

    Whoever wrote it meant to restrict. ``index`` is that of the workspace with all that is declared.
    """
    default = index.by_default()
    for _, rule in sorted(declared.access_rules.items()):
        given = permission_of(rule)
        if gives_more(given, default.permission(EVERYONE, rule.entity)):
            named = [who for who, _ in index.named_in(rule)]
            if not named or any(gives_more(given, default.permission(who, rule.entity)) for who in named):
                continue
        yield Warned(kind=Kind.ACCESS_RULE, title=rule.title, rule="rule-without-effect", message=_NO_EFFECT)
