"""The words that several views share: what a guard says, what waits, what is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.text import harmless
from reconciler.plan.changes import Guard, LeftAlone, Refusal, Waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.resources import Kind

_SHOWN_NAMES = 5
_REASONS = {
    "not_declared": "not declared here",
    "kind_not_managed": "the declaration does not mention this kind",
    "fixed_by_server": "the server does not let them be removed",
    "made_by_server": "made by the server",
}


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural where it belongs."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def kind_name(kind: Kind) -> str:
    """Return a kind as people say it."""
    return kind.value.replace("_", " ")


def listed(names: Sequence[str], shown: int = _SHOWN_NAMES) -> str:
    """Return names in one line, the first few of many."""
    head = ", ".join(harmless(name) for name in names[:shown])
    return f"{head} and {len(names) - shown} more" if len(names) > shown else head


def refusal_sentence(refusal: Refusal) -> str:
    """Say which rule stops the plan and what would have happened."""
    return f"{refusal.guard.value}: {_what(refusal)}"


def _what(refusal: Refusal) -> str:
    names, kind = listed(refusal.names), kind_name(refusal.kind)
    subject = harmless(refusal.subject or "")
    of = f"{refusal.count} of {refusal.total}"
    match refusal.guard:
        case Guard.OWN_IDENTITY:
            return f"{subject} is the identity of this run; it would be removed, demoted or cut off"
        case Guard.PROTECT:
            return f"{kind} {subject} is protected by the policy; it would be removed or demoted"
        case Guard.MIN_ADMINS:
            left = "no admin" if refusal.count <= 0 else counted(refusal.count, "admin")
            return f"{left} would be left, the least is {refusal.limit} (no longer admin: {names})"
        case Guard.EMPTY_KIND:
            return f"all {counted(refusal.total, kind)} would be removed ({names})"
        case Guard.EMPTY_GROUP:
            return f"everybody would leave group {subject} ({names})"
        case Guard.MAX_REMOVALS:
            what = f"memberships of group {subject}" if refusal.subject else f"{kind}s"
            share = f" is {100 * refusal.count / refusal.total:.0f} %" if "%" in refusal.limit and refusal.total else ""
            return f"{of} {what}{share}, the limit is {refusal.limit} ({names})"
        case Guard.SERVER_LIMIT:
            return _server_limit(refusal, names)


def _server_limit(refusal: Refusal, names: str) -> str:
    if refusal.limit == "vaults":
        subject = harmless(refusal.subject or "")
        return (
            f"group {subject} cannot be removed while vaults point at it that this declaration leaves alone ({names})"
        )
    if refusal.limit == "access_rules":
        subject = harmless(refusal.subject or "")
        return (
            f"group {subject} cannot be removed while access rules name it that this declaration leaves alone ({names})"
        )
    if refusal.limit == "admins":
        return f"this server allows no admin service accounts ({names})"
    return f"{refusal.count} service accounts would be more than the server's maximum of {refusal.limit} ({names})"


def refusal_remedy(refusal: Refusal) -> str:
    """Say how to allow it on purpose, or what to do where that is not possible."""
    if refusal.liftable:
        return f"--allow {refusal.guard.value}"
    if refusal.guard is Guard.OWN_IDENTITY:
        return "cannot be allowed: declare it, or run as somebody else"
    return "cannot be allowed: change the declaration"


def waiting_sentence(waiting: Sequence[Waiting]) -> str:
    """Say what waits and for whom."""
    memberships = sum(item.group is not None for item in waiting)
    rules = sum(item.rule is not None for item in waiting)
    counts = {"membership": memberships, "access rule": rules, "name": len(waiting) - memberships - rules}
    parts = [counted(count, noun) for noun, count in counts.items() if count]
    people = sorted({item.member for item in waiting})
    verb = "accepts the invitation" if len(people) == 1 else "accept their invitations"
    what = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    return f"{what}, until {listed(people)} {verb}"


def left_alone_sentence(item: LeftAlone) -> str:
    """Say how many resources are left alone and why."""
    return f"{counted(item.count, kind_name(item.kind))} ({_REASONS[item.reason]})"
