"""What entries say of each other: groups of their members, vaults of their groups, policies of what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.declaration.check_names import FIXED_GROUPS, QUEUE_ADMINS, email_fault, name_fault
from reconciler.declaration.context import NOUNS, Context, shown, warning
from reconciler.errors import Problem
from reconciler.model.desired import Management
from reconciler.model.resources import Kind, Role
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.declaration.declaration import Entry
    from reconciler.errors import Place

_BUILTIN_GROUPS: Final = FIXED_GROUPS | {QUEUE_ADMINS}
_LISTS: Final = {
    Kind.MEMBER: "members",
    Kind.SERVICE_ACCOUNT: "service_accounts",
    Kind.GROUP: "groups",
    Kind.ACCESS_RULE: "access_rules",
}
_OTHER: Final = {Kind.MEMBER: Kind.SERVICE_ACCOUNT, Kind.SERVICE_ACCOUNT: Kind.MEMBER}


def check_memberships(context: Context) -> Iterator[Problem]:
    """Check whom groups name: unknown-member, unknown-service-account, duplicate-membership, invalid names."""
    for group in context.declaration.groups or ():
        for kind in (Kind.MEMBER, Kind.SERVICE_ACCOUNT):
            names = getattr(group.item, _LISTS[kind])
            if names:
                yield from check_named(context, group, kind, names, where="group")


def check_named(context: Context, entry: Entry[Any], kind: Kind, names: list[str], *, where: str) -> Iterator[Problem]:
    """Check one list of names in an entry, which ``where`` calls by its noun."""
    folded = list(map(fold, names))
    strict = context.must_be_declared(kind)
    unique = set(folded)
    known = context.known(kind) | _BUILTIN_GROUPS if kind is Kind.GROUP else context.known(kind)
    if len(unique) == len(folded) and unique <= known:
        return
    firsts: dict[str, int] = {}
    for index, (name, key) in enumerate(zip(names, folded, strict=True)):
        place = entry.place(_LISTS[kind], index)
        first = firsts.setdefault(key, index)
        if first != index:
            before = entry.place(_LISTS[kind], first)
            message = f"{shown(name)} is named twice in this {where}, first at {before}"
            yield Problem("duplicate-membership", message, place)
        elif key not in known:
            yield from _stranger(context, kind, name, place, strict=strict)


def _stranger(context: Context, kind: Kind, name: str, place: Place, *, strict: bool) -> Iterator[Problem]:
    """Tell what is wrong with a name that is not declared; it need not be, where others are left alone."""
    fault = email_fault(name) if kind is Kind.MEMBER else name_fault(name)
    if not strict and fault:
        rule = "invalid-email" if kind is Kind.MEMBER else "invalid-name"
        yield Problem(rule, f"{shown(name)} {fault}", place)
    elif strict:
        folded = fold(name)
        other = _OTHER.get(kind)
        if other is not None and folded in context.known(other):
            hint = f"it is a {NOUNS[other]}: name it under `{_LISTS[other]}`"
        else:
            hint = context.nearest(kind, folded) or f"declare it under `{_LISTS[kind]}`"
        rule = f"unknown-{kind.value.replace('_', '-')}"
        yield Problem(rule, f"{shown(name)} is not a declared {NOUNS[kind]}", place, hint)


def check_vault_owners(context: Context) -> Iterator[Problem]:
    """Check that the groups of vaults are declared, or the server's own: unknown-group."""
    for vault in context.declaration.vaults or ():
        name = vault.item.group
        folded = fold(name)
        if folded in context.known(Kind.GROUP) or folded in _BUILTIN_GROUPS:
            continue
        if context.must_be_declared(Kind.GROUP):
            hint = context.nearest(Kind.GROUP, folded) or "declare it under `groups`"
            yield Problem("unknown-group", f"{shown(name)} is not a declared group", vault.place("group"), hint)
        elif fault := name_fault(name):
            yield Problem("invalid-name", f"{shown(name)} {fault}", vault.place("group"))


def check_policy(context: Context) -> Iterator[Problem]:
    """Check that the policy can hold: too-few-admins, and warnings for protected things that nobody declares."""
    declaration = context.declaration
    top = context.declaration.trees[declaration.top_file]
    if declaration.management(Kind.MEMBER) is Management.ALL and "members" not in context.damaged:
        admins = sum(entry.item.role is Role.ADMIN for entry in declaration.members or ())
        wanted = declaration.top.policy.min_admins
        if admins < wanted and context.must_be_declared(Kind.MEMBER):
            count = "no admin is" if admins == 0 else "1 admin is" if admins == 1 else f"{admins} admins are"
            place: Place | None = top.place(("policy", "min_admins"))
            if "min_admins" not in declaration.top.policy.model_fields_set:
                place = _members_place(context)
            message = f"{count} declared, `policy.min_admins` wants at least {wanted}"
            yield Problem("too-few-admins", message, place, "give more members `role: admin`")
    protect = declaration.top.policy.protect
    for kind, names in (
        (Kind.MEMBER, protect.members),
        (Kind.SERVICE_ACCOUNT, protect.service_accounts),
        (Kind.GROUP, protect.groups),
        (Kind.ACCESS_RULE, protect.access_rules),
    ):
        for index, name in enumerate(names):
            place = top.place(("policy", "protect", _LISTS[kind], index))
            yield from _protected(context, kind, name, place)
    yield from _protected_credentials(context)


def _members_place(context: Context) -> Place | None:
    trees = context.declaration.trees.values()
    return next((tree.place(("members",), key=True) for tree in trees if "members" in tree.root), None)


def _protected(context: Context, kind: Kind, name: str, place: Place) -> Iterator[Problem]:
    folded = fold(name)
    if folded in context.known(kind) or (kind is Kind.GROUP and folded in _BUILTIN_GROUPS):
        return
    if context.must_be_declared(kind):
        message = f"the protected {NOUNS[kind]} {shown(name)} is not declared: a plan would have to remove it"
        yield warning("protected-undeclared", message, place, f"declare it under `{_LISTS[kind]}`")


def _protected_credentials(context: Context) -> Iterator[Problem]:
    """Warn of a protected credential that its account, which lists credentials, does not list."""
    declaration = context.declaration
    top = declaration.trees[declaration.top_file]
    accounts = {fold(entry.item.name): entry.item for entry in declaration.service_accounts or ()}
    for index, one in enumerate(declaration.top.policy.protect.credentials):
        place = top.place(("policy", "protect", "credentials", index))
        account = accounts.get(fold(one.service_account))
        if account is None:
            yield from _protected(context, Kind.SERVICE_ACCOUNT, one.service_account, place)
            continue
        labels = None if account.credentials is None else {fold(key.label) for key in account.credentials}
        if labels is not None and fold(one.label) not in labels:
            name = shown(f"{one.service_account} / {one.label}")
            message = f"the protected credential {name} is not declared: a plan would have to revoke it"
            yield warning("protected-undeclared", message, place, "declare it under `credentials` of its account")


def check_management(context: Context) -> Iterator[Problem]:
    """Warn of a kind whose extent is given although no file lists it: manage-without-list."""
    declaration = context.declaration
    kinds = {"members": Kind.MEMBER, "service_accounts": Kind.SERVICE_ACCOUNT, "groups": Kind.GROUP}
    for field, kind in {**kinds, "vaults": Kind.VAULT, "access_rules": Kind.ACCESS_RULE}.items():
        given = field in declaration.top.manage.model_fields_set
        if given and declaration.management(kind) is Management.NONE and field not in context.damaged:
            place = declaration.trees[declaration.top_file].place(("manage", field), key=True)
            message = f"no file lists {field}, so they are not managed, whatever this says"
            yield warning("manage-without-list", message, place)
