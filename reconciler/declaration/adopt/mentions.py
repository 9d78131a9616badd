"""Where entries name others: taken away with what is removed, and renamed with what is renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.declaration.adopt.copy import LISTS
from reconciler.model.resources import Kind
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.declaration.adopt.copy import Plain, WorkingCopy
    from reconciler.model.resources import Address

_GRANTEES = ("members", "service_accounts", "groups")


def mentioning_lists(copy: WorkingCopy, kind: Kind) -> Iterator[tuple[Kind, Plain, list[str]]]:
    """Iterate over all lists of names of a kind, with the entry of a group or rule that each is part of."""
    key = LISTS.get(kind)
    holders = (Kind.ACCESS_RULE,) if kind is Kind.GROUP else (Kind.GROUP, Kind.ACCESS_RULE)
    if kind not in (Kind.MEMBER, Kind.SERVICE_ACCOUNT, Kind.GROUP) or key is None:
        return
    for holder in holders:
        for entry in copy.all(holder):
            names = entry.get(key)
            if isinstance(names, list):
                yield holder, entry, names


def remove_mentions(copy: WorkingCopy, address: Address) -> None:
    """Take a name out of all groups and rules; a rule that then gives access to nobody goes too, as do its vaults."""
    name = address.key[0]
    for holder, entry, names in list(mentioning_lists(copy, address.kind)):
        if any(fold(other) == name for other in names):
            names[:] = [other for other in names if fold(other) != name]
            if holder is Kind.ACCESS_RULE and gives_nothing(entry):
                copy.remove(Kind.ACCESS_RULE, entry)
    if address.kind is Kind.GROUP:
        for vault in [entry for entry in copy.all(Kind.VAULT) if fold(entry["group"]) == name]:
            copy.remove(Kind.VAULT, vault)


def left_empty(copy: WorkingCopy, address: Address) -> Iterator[str]:
    """Iterate over the names of the rules that would give nobody anything without what is at an address."""
    for holder, entry, names in mentioning_lists(copy, address.kind):
        if holder is Kind.ACCESS_RULE and names:
            others = sum(len(entry.get(key) or ()) for key in _GRANTEES) - len(names)
            if not others and all(fold(other) == address.key[0] for other in names):
                yield entry["name"]


def gives_nothing(rule: Plain) -> bool:
    """Return whether a rule names nobody."""
    return not any(rule.get(key) for key in _GRANTEES)


def rename_mentions(copy: WorkingCopy, address: Address, name: str) -> None:
    """Write another name wherever the resource at an address is named."""
    for _, _, names in mentioning_lists(copy, address.kind):
        _rename(names, address.key[0], name)
    if address.kind is Kind.GROUP:
        for vault in copy.all(Kind.VAULT):
            if fold(vault["group"]) == address.key[0]:
                vault["group"] = name
    protect: Any = copy.files[copy.declaration.top_file].yaml.values.get("policy", {}).get("protect", {})
    if address.kind in LISTS and address.kind is not Kind.VAULT:
        _rename(protect.get(LISTS[address.kind], []), address.key[0], name)
    owner = {Kind.GROUP: "group", Kind.SERVICE_ACCOUNT: "service_account"}.get(address.kind)
    for vault in protect.get("vaults", []):
        if owner is not None and fold(vault.get(owner) or "") == address.key[0]:
            vault[owner] = name


def _rename(names: list[str], old: str, new: str) -> None:
    for index, name in enumerate(names):
        if fold(name) == old:
            names[index] = new
