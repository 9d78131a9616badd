"""The words that several views share: what a guard says, what waits, what is left alone."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.model.resources import Kind
from reconciler.model.text import harmless
from reconciler.plan.changes import Guard, LeftAlone, Refusal, Waiting, Warned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.model.unreadable import Unreadable
    from reconciler.plan.acting import ActingChange

_SHOWN_NAMES = 5
_REASONS = {
    "not_declared": "not declared here",
    "kind_not_managed": "the declaration does not mention this kind",
    "fixed_by_server": "the server does not let them be removed",
    "made_by_server": "created by the server",
}


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural where it belongs."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def kind_name(kind: Kind) -> str:
    """Return a kind as people say it."""
    return kind.value.replace("_", " ")


def heading(*texts: str) -> str:
    """Return foreign texts as the first line of a text, which no workflow may take for a command to it."""
    line = "   ".join(harmless(text) for text in texts)
    return f'"{line}"' if line.lstrip().startswith(("::", "##[")) else line


def listed(names: Sequence[str], shown: int = _SHOWN_NAMES, *, show: Callable[[str], str] = harmless) -> str:
    """Return names in one line, the first few of many; ``show`` makes each fit for where it will stand."""
    head = ", ".join(show(name) for name in names[:shown])
    return f"{head} and {len(names) - shown} more" if len(names) > shown else head


def refusal_sentence(refusal: Refusal, show: Callable[[str], str] = harmless) -> str:
    """Say which rule stops the plan and what would have happened; ``show`` makes names fit for where they stand."""
    return f"{refusal.guard.value}: {_what(refusal, show)}"


def _what(refusal: Refusal, show: Callable[[str], str]) -> str:
    names, kind = listed(refusal.names, show=show), kind_name(refusal.kind)
    subject = show(refusal.subject or "")
    match refusal.guard:
        case Guard.OWN_IDENTITY:
            return f"{subject} is the identity of this run; it would be removed, demoted or cut off"
        case Guard.PROTECT:
            return f"{kind} {subject} is protected by the policy; it would be {refusal.limit or 'removed'}"
        case Guard.MIN_ADMINS:
            left = "no admin" if refusal.count <= 0 else counted(refusal.count, "admin")
            return f"{left} would be left, the minimum is {refusal.limit} (no longer admin: {names})"
        case Guard.EMPTY_KIND | Guard.EMPTY_GROUP | Guard.MAX_REMOVALS | Guard.REVOCATION:
            return _removal(refusal, subject, names)
        case Guard.POLICY:
            return f"{show(refusal.message or '')} (rule {show(refusal.rule or '')})"
        case Guard.POLICY_LOOSENED:
            guard = Guard(refusal.rule or Guard.PROTECT)
            return f"the policy last applied refuses it ({refusal_sentence(replace(refusal, guard=guard), show)})"
        case Guard.STILL_USED:
            users = "vaults that belong to it" if refusal.limit == "vaults" else "access rules that name it"
            return f"group {subject} would be removed, but this declaration leaves alone {users} ({names})"
        case Guard.SERVER_LIMIT:
            return _server_limit(refusal, names)
        case _:
            return _gain(refusal, names)


def _removal(refusal: Refusal, subject: str, names: str) -> str:
    kind, of = kind_name(refusal.kind), f"{refusal.count} of {refusal.total}"
    match refusal.guard:
        case Guard.EMPTY_KIND:
            which = f"the only {kind}" if refusal.total == 1 else f"all {counted(refusal.total, kind)}"
            return f"{which} would be removed ({names})"
        case Guard.EMPTY_GROUP:
            return f"everyone in {kind} {subject} would leave it ({names})"
        case Guard.MAX_REMOVALS:
            what = (
                f"grants of {kind} {subject}"
                if refusal.kind is Kind.ACCESS_RULE
                else f"memberships of {kind} {subject}"
            )
            what = what if refusal.subject else f"{kind}s"
            share = f" is {100 * refusal.count / refusal.total:.0f} %" if "%" in refusal.limit and refusal.total else ""
            return f"{of} {what}{share}, the limit is {refusal.limit} ({names})"
        case _:
            keys = counted(refusal.count, "working key")
            return f"{keys} of service account {subject} would stop working" + (f" ({names})" if names else "")


def _gain(refusal: Refusal, names: str) -> str:
    what = counted(refusal.count, kind_name(refusal.kind))
    match refusal.guard:
        case Guard.NEW_ADMIN:
            return f"{what} would become admin ({names})"
        case Guard.IMPERSONATION:
            return f"{what} could run tasks as their owners ({names})"
        case Guard.ADMIN_IMPERSONATION:
            return f"service account {names} would be admin and could run tasks as their owners"
        case Guard.IDENTITY_CHANGED:
            are, ones = ("is", "another one") if refusal.count == 1 else ("are", "others")
            return (
                f"{what} {are} there under the same name but {ones} by the server's id: deleted and created again, or "
                f"taken over, since the last apply; check who or what it is ({names})"
            )
        case Guard.EVERYONE:
            return f"{names} would open to everyone in the workspace"
        case Guard.FOREIGN_DOMAIN:
            return f"{what} would be invited from outside {harmless(refusal.limit)} ({names})"
        case _:
            return f"{refusal.count} would gain write access, the limit is {refusal.limit} ({names})"


def _server_limit(refusal: Refusal, names: str) -> str:
    if refusal.limit == "admins":
        return f"this server allows no admin service accounts ({names})"
    return f"{refusal.count} service accounts would be more than the server's maximum of {refusal.limit} ({names})"


def refusal_remedy(refusal: Refusal) -> str:
    """Say how to allow it on purpose, or what to do where that is not possible."""
    if refusal.liftable:
        return f"--allow {shlex.quote(_allowance(refusal))}"
    if refusal.guard is Guard.OWN_IDENTITY:
        return "cannot be allowed: declare it, or run as somebody else"
    if refusal.guard is Guard.POLICY:
        return f"cannot be allowed: change the declaration, or the rule at {harmless(refusal.rule_place or '')}"
    return "cannot be allowed: change the declaration"


def _allowance(refusal: Refusal) -> str:
    """Return the narrowest allowance that lifts a refusal and can be written by what it says."""
    guard = refusal.guard
    writable = refusal.subject is not None and harmless(refusal.subject) == refusal.subject
    if writable and guard in (Guard.MAX_REMOVALS, Guard.EMPTY_GROUP, Guard.REVOCATION):
        return f"{guard.value}={refusal.kind.value}:{refusal.subject}"
    if guard in (Guard.MAX_REMOVALS, Guard.EMPTY_KIND):
        return f"{guard.value}={refusal.kind.value}"
    return guard.value


def acting_sentence(change: ActingChange, show: Callable[[str], str] = harmless) -> str:
    """Say what will act, or judge, otherwise than when the declaration was last applied."""
    before, after = (show(side) if side is not None else "nothing" for side in (change.before, change.after))
    return f"{show(change.what)}: {before} → {after}"


def warning_subject(warning: Warned, show: Callable[[str], str] = harmless) -> str:
    """Say what a warning is about, with a colon; nothing where its message is an organization's own, which names it."""
    return "" if warning.rule.startswith("policy/") else f"{kind_name(warning.kind)} {show(warning.title)}: "


def waiting_sentence(waiting: Sequence[Waiting], show: Callable[[str], str] = harmless) -> str:
    """Say what waits and for whom; ``show`` makes names fit for where they stand."""
    memberships = sum(item.group is not None for item in waiting)
    rules = sum(item.rule is not None for item in waiting)
    counts = {"membership": memberships, "access rule": rules, "name": len(waiting) - memberships - rules}
    parts = [counted(count, noun) for noun, count in counts.items() if count]
    people = sorted({item.member for item in waiting})
    verb = "accepts the invitation" if len(people) == 1 else "accept their invitations"
    what = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    return f"{what}, until {listed(people, show=show)} {verb}"


def unreadable_sentence(item: Unreadable, show: Callable[[str], str] = harmless) -> str:
    """Say what could not be read and why; ``show`` makes names fit for where they stand."""
    known = f" (id {show(item.id)})" if item.id not in (None, item.title) else ""
    subject = f"{kind_name(item.kind)} {show(item.title)}{known}"
    if item.declared:
        return f"{subject} is not created: {show(item.reason)}"
    accepted = " (accepted)" if item.accepted else ""
    field = f", {item.field.replace('_', ' ')}" if item.field is not None else ""
    return f"{subject}{field}: {show(item.reason)}{accepted}"


def left_alone_sentence(item: LeftAlone) -> str:
    """Say how many resources are left alone and why."""
    return f"{counted(item.count, kind_name(item.kind))} ({_REASONS[item.reason]})"
