"""Names as identities: fit to be shown, none twice, none of the server's own, renames that lead somewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from reconciler.declaration.context import NOUNS, Context, shown
from reconciler.errors import Problem
from reconciler.model.resources import RETIRING_MARK, UNDELIVERED_MARK, Kind
from reconciler.model.text import fold, is_harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.declaration.declaration import Entry
    from reconciler.declaration.models import ServiceAccountEntry

LONGEST_NAME: Final = 200
LONGEST_EMAIL: Final = 254
LONGEST_DESCRIPTION: Final = 2000
QUEUE_ADMINS: Final = fold("Queue admins")
FIXED_GROUPS: Final = frozenset({fold("Users"), fold("Admins")})
"""The built-in groups that no declaration can change."""

_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_](?:[\w-]{0,61}[^\W_])?")
_LOCAL_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@localhost")


def is_builtin_group(name: str) -> bool:
    """Return whether the server brings a group of this name along."""
    return fold(name) in FIXED_GROUPS | {QUEUE_ADMINS}


def name_fault(text: str, longest: int = LONGEST_NAME) -> str | None:
    """Return what is wrong with a name, as the end of a sentence, or ``None``."""
    if not text.strip():
        return "is empty"
    if len(text) > longest:
        return f"is longer than {longest} characters"
    if not is_harmless(text):
        return "holds a line break, or a control, invisible or direction-changing character"
    return "begins or ends with a space" if text != text.strip() else None


def email_fault(text: str) -> str | None:
    """Return what is wrong with an e-mail, as the end of a sentence, or ``None``."""
    if len(text) <= LONGEST_EMAIL and is_harmless(text) and (_EMAIL.fullmatch(text) or _LOCAL_EMAIL.fullmatch(text)):
        return None
    return name_fault(text, LONGEST_EMAIL) or "is not an e-mail"


def fault_of(kind: Kind, text: str) -> str | None:
    """Return what is wrong with what identifies a resource of a kind, as the end of a sentence, or ``None``."""
    return email_fault(text) if kind is Kind.MEMBER else name_fault(text)


def label_fault(text: str) -> str | None:
    """Return what is wrong with a credential's label, as the end of a sentence, or ``None``."""
    if text.endswith((UNDELIVERED_MARK, RETIRING_MARK)):
        return "ends in a mark that apply uses for credentials in progress"
    return name_fault(text)


def description_fault(text: str) -> str | None:
    """Return what is wrong with a description, as the end of a sentence, or ``None``."""
    if len(text) > LONGEST_DESCRIPTION:
        return f"is longer than {LONGEST_DESCRIPTION} characters"
    return None if all(map(is_harmless, text.split("\n"))) else "holds a control or invisible character"


def check_names(context: Context) -> Iterator[Problem]:
    """Check every name that a file gives: invalid-email, invalid-name, invalid-description."""
    declaration = context.declaration
    for member in declaration.members or ():
        if fault := email_fault(member.item.email):
            yield Problem("invalid-email", f"{shown(member.item.email)} {fault}", member.place("email"))
        if member.item.name is not None and (fault := name_fault(member.item.name)):
            yield _named(member, member.item.name, fault)
    for account in declaration.service_accounts or ():
        yield from _account_names(account)
    described: tuple[Entry[Any], ...] = (*(declaration.groups or ()), *(declaration.access_rules or ()))
    for entry in (*described, *(declaration.vaults or ())):
        if fault := name_fault(entry.item.name):
            yield _named(entry, entry.item.name, fault)
    for entry in described:
        if fault := description_fault(entry.item.description or ""):
            yield Problem("invalid-description", f"the description {fault}", entry.place("description"))


def _account_names(account: Entry[ServiceAccountEntry]) -> Iterator[Problem]:
    if fault := name_fault(account.item.name):
        yield _named(account, account.item.name, fault)
    for index, credential in enumerate(account.item.credentials or ()):
        if fault := label_fault(credential.label):
            place = account.place("credentials", index, "label")
            yield Problem("invalid-name", f"the label {shown(credential.label)} {fault}", place)
    own = account.item.vault
    if own is not None and own.name is not None and (fault := name_fault(own.name)):
        yield _named(account, own.name, fault, "vault", "name")


def _named(entry: Entry[Any], name: str, fault: str, *steps: str) -> Problem:
    return Problem("invalid-name", f"the name {shown(name)} {fault}", entry.place(*(steps or ("name",))))


def check_duplicates(context: Context) -> Iterator[Problem]:
    """Check that nothing is declared twice: duplicate-member, -service-account, -group, -access-rule, -vault."""
    declaration = context.declaration
    yield from _twice(declaration.members, Kind.MEMBER, context.members, lambda item: fold(item.email))
    accounts = declaration.service_accounts
    yield from _twice(accounts, Kind.SERVICE_ACCOUNT, context.service_accounts, lambda item: fold(item.name))
    yield from _twice(declaration.groups, Kind.GROUP, context.groups, lambda item: fold(item.name))
    rules = declaration.access_rules
    yield from _twice(rules, Kind.ACCESS_RULE, context.access_rules, lambda item: fold(item.name))
    firsts: dict[tuple[str, str], Entry[Any]] = {}
    for vault in declaration.vaults or ():
        identity = (fold(vault.item.group), fold(vault.item.name))
        first = firsts.setdefault(identity, vault)
        if first is not vault:
            what = f"the vault {shown(vault.item.name)} of {shown(vault.item.group)}"
            message = f"{what} is declared twice, first at {first.place('name')}"
            yield Problem("duplicate-vault", message, vault.place("name"))
    for account in accounts or ():
        yield from _labels(account)


def _twice(
    entries: tuple[Entry[Any], ...] | None, kind: Kind, firsts: Mapping[str, Entry[Any]], key: Callable[[Any], str]
) -> Iterator[Problem]:
    if entries is None or len(entries) == len(firsts):
        return
    field = "email" if kind is Kind.MEMBER else "name"
    for entry in entries:
        first = firsts[key(entry.item)]
        if first is not entry:
            text = getattr(entry.item, field)
            message = f"the {NOUNS[kind]} {shown(text)} is declared twice, first at {first.place(field)}"
            yield Problem(f"duplicate-{kind.value.replace('_', '-')}", message, entry.place(field))


def _labels(account: Entry[Any]) -> Iterator[Problem]:
    firsts: dict[str, int] = {}
    for index, credential in enumerate(account.item.credentials or ()):
        first = firsts.setdefault(fold(credential.label), index)
        if first != index:
            before = account.place("credentials", first, "label")
            message = f"the label {shown(credential.label)} is given twice, first at {before}"
            yield Problem("duplicate-label", message, account.place("credentials", index, "label"))


def check_builtins(context: Context) -> Iterator[Problem]:
    """Check that the server's own groups are left as they are: builtin-group."""
    for group in context.declaration.groups or ():
        item = group.item
        folded = fold(item.name)
        if folded in FIXED_GROUPS:
            why = "everyone is in it" if folded == fold("Users") else "who is in it follows from `role: admin`"
            message = f"{shown(item.name)} is a built-in group that cannot be declared: {why}"
            yield Problem("builtin-group", message, group.place("name"), "remove this entry")
        elif folded == QUEUE_ADMINS and item.description is not None:
            message = f"{shown(item.name)} is a built-in group: its description cannot be changed"
            yield Problem("builtin-group", message, group.place("description", key=True))
        if item.was is not None and fold(item.was) in FIXED_GROUPS | {QUEUE_ADMINS}:
            message = f"{shown(item.was)} is a built-in group: it cannot be renamed"
            yield Problem("builtin-group", message, group.place("was"))
        elif item.was is not None and folded == QUEUE_ADMINS:
            message = f"{shown(item.name)} is a built-in group: nothing can be renamed to it"
            yield Problem("builtin-group", message, group.place("was"))


def check_renames(context: Context) -> Iterator[Problem]:
    """Check that each `was` names something that is free: rename-taken, rename-twice."""
    declaration = context.declaration
    accounts, groups = set(context.service_accounts), set(context.groups)
    yield from _renames(declaration.service_accounts, lambda _, name: fold(name), accounts)
    yield from _renames(declaration.groups, lambda _, name: fold(name), groups)
    yield from _renames(declaration.access_rules, lambda _, name: fold(name), set(context.access_rules))
    vaults = {(fold(vault.item.group), fold(vault.item.name)) for vault in declaration.vaults or ()}
    yield from _renames(declaration.vaults, lambda item, name: (fold(item.group), fold(name)), vaults)


def _renames(
    entries: tuple[Entry[Any], ...] | None, identity: Callable[[Any, str], Any], declared: set[Any]
) -> Iterator[Problem]:
    firsts: dict[Any, Entry[Any]] = {}
    for entry in entries or ():
        was = entry.item.was
        if was is None:
            continue
        place = entry.place("was")
        fault = name_fault(was)
        if fault:
            yield Problem("invalid-name", f"the former name {shown(was)} {fault}", place)
            continue
        key = identity(entry.item, was)
        if key == identity(entry.item, entry.item.name):
            yield Problem("rename-taken", f"{shown(was)} is its name already", place, "remove `was`")
        elif key in declared:
            message = f"{shown(was)} is still declared: a rename needs a name that is no longer used"
            yield Problem("rename-taken", message, place, "to swap or chain names, rename in two steps")
        first = firsts.setdefault(key, entry)
        if first is not entry:
            message = f"{shown(was)} was already renamed at {first.place('was')}"
            yield Problem("rename-twice", message, place)
