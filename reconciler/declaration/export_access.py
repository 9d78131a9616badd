"""From live access rules to declared ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.declaration.check_names import description_fault, fault_of
from reconciler.model.access import ALL, NAMED_BY_ID, Candidates, Entity
from reconciler.model.resources import Address, Kind
from reconciler.model.text import is_harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.live import Live
    from reconciler.model.resources import AccessRule


def named_entities(live: Live) -> frozenset[Entity]:
    """Return the entities of all rules that the server tells names of, to be looked up: a name may not be the only."""
    entities = (rule.entity for rule in live.snapshot.access_rules.values())
    return frozenset(Entity(entity.type, name=entity.name) for entity in entities if entity.name is not None)


def titles_of(live: Live, kind: Kind, names: Iterable[str]) -> list[str] | None:
    """Return resources as people write them, sorted; ``None`` if one of them cannot be declared."""
    resources = [live.snapshot.get(Address(kind, (name,))) for name in sorted(names)]
    titles = [resource.title for resource in resources if resource is not None]
    return titles if len(titles) == len(resources) and not any(fault_of(kind, title) for title in titles) else None


def rule_entry(rule: AccessRule, live: Live) -> dict[str, object] | str:
    """Return a rule as it is declared, or why it cannot be."""
    resource = entity_reference(rule.entity, live)
    if resource is None:
        return f"{rule.entity.title} cannot be declared"
    entry: dict[str, object] = {"name": rule.name}
    if rule.description and description_fault(rule.description) is None:
        entry["description"] = rule.description
    entry |= {"resource": {rule.entity.type.value: resource}, "permission": rule.permission.value}
    for field, kind, names in (
        ("members", Kind.MEMBER, rule.members),
        ("service_accounts", Kind.SERVICE_ACCOUNT, rule.service_accounts),
        ("groups", Kind.GROUP, rule.groups),
    ):
        titles = titles_of(live, kind, names)
        if titles is None:
            return f"not all of its {field} can be declared"
        entry |= {field: titles} if titles else {}
    return entry if rule.members or rule.service_accounts or rule.groups else "it gives access to nobody"


def entity_reference(entity: Entity, live: Live) -> str | dict[str, str] | None:
    """Return what stands for an entity in the file: its name if that leads to it alone, otherwise its id."""
    if entity.id is None or not is_harmless(entity.id) or entity.id != entity.id.strip():
        return None
    if entity.id == ALL:
        return ALL
    if entity.type in NAMED_BY_ID:
        return entity.id
    name = entity.name
    found = live.entities.get(Entity(entity.type, name=name), Candidates(()))
    if name is not None and found.ids == (entity.id,) and is_harmless(name) and name == name.strip() and name != ALL:
        return name
    return {"id": entity.id}
