"""Access rules: whom they name, what they are about, and that they give somebody something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.declaration.check_names import name_fault
from reconciler.declaration.check_references import check_named
from reconciler.declaration.context import Context, shown
from reconciler.errors import Problem
from reconciler.model.resources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.declaration.declaration import Entry

_LONGEST_ENTITY = 1000


def check_access_rules(context: Context) -> Iterator[Problem]:
    """Check rules: unknown-member, -service-account, -group, duplicate-membership, empty-access-rule, invalid-name."""
    for rule in context.declaration.access_rules or ():
        item = rule.item
        yield from _entity(rule)
        if not (item.members or item.service_accounts or item.groups):
            message = f"the access rule {shown(item.name)} gives access to nobody"
            hint = "name `members`, `service_accounts` or `groups`, or remove the rule"
            yield Problem("empty-access-rule", message, rule.place(), hint)
        for kind, names in (
            (Kind.MEMBER, item.members),
            (Kind.SERVICE_ACCOUNT, item.service_accounts),
            (Kind.GROUP, item.groups),
        ):
            if names:
                yield from check_named(context, rule, kind, names, where="access rule")


def _entity(rule: Entry[Any]) -> Iterator[Problem]:
    """Check the name, or the id, of what a rule is about: it may be longer than other names, for a path may be."""
    resource = rule.item.resource
    text = resource.reference.text or resource.reference.id
    fault = name_fault(text, _LONGEST_ENTITY)
    if fault:
        place = rule.place("resource", resource.type.value)
        yield Problem("invalid-name", f"the {resource.type.value} {shown(text)} {fault}", place)
