"""Words for single effects and headlines; names go through ``show``, which makes them fit for where they will stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.resources import Kind
from reconciler.plan.access.index import SERVER_DEFAULT
from reconciler.plan.impact.report import Aspect, Effect, Headline, HeadlineType
from reconciler.views.sentences import counted, kind_name, listed

if TYPE_CHECKING:
    from collections.abc import Callable

    Show = Callable[[str], str]

_UNLESS = ", unless something that holds it gives more"
_CAN = {"read": "read", "read_write": "write to"}


def effect_words(effect: Effect, show: Show, *, plural: bool, invited: bool) -> str:
    """Say what one or several principals gain, lose or have otherwise: the sentence after their names.

    ``invited`` ones have not accepted their invitations.
    """
    match effect.aspect:
        case Aspect.WORKSPACE:
            return _workspace(effect, plural=plural, invited=invited)
        case Aspect.ROLE:
            return _role(effect, plural=plural)
        case Aspect.ADMIN:
            return _admin(is_admin=effect.after is not None, plural=plural)
        case Aspect.IMPERSONATION:
            return f"may {'now' if effect.after else 'no longer'} run tasks as their owners (impersonation)"
        case Aspect.CREDENTIAL:
            return _credential(effect, show, plural=plural)
        case Aspect.GROUP:
            verb = _verb(plural, "joins", "join") if effect.after else _verb(plural, "leaves", "leave")
            return f"{verb} group {show(effect.subject)}"
        case Aspect.ACCESS:
            return _access(effect, show)
        case Aspect.VAULT:
            return _vault(effect, show, plural=plural)


def _verb(plural: bool, one: str, many: str) -> str:
    return many if plural else one


def _workspace(effect: Effect, *, plural: bool, invited: bool) -> str:
    be = _verb(plural, "is", "are")
    if effect.after == "service account":
        return _verb(plural, "is a new service account", "are new service accounts")
    if effect.after is not None:
        return f"{be} invited to the workspace as {effect.after}"
    if invited:
        return f"{be} no longer invited to the workspace"
    return f"{be} removed from the workspace ({effect.before})"


def _role(effect: Effect, *, plural: bool) -> str:
    if "admin" in (effect.before, effect.after):
        return _admin(is_admin=effect.after == "admin", plural=plural)
    return f"{_verb(plural, 'changes', 'change')} role from {effect.before} to {effect.after or 'none'}"


def _admin(*, is_admin: bool, plural: bool) -> str:
    if is_admin:
        return _verb(plural, "becomes an admin", "become admins")
    return _verb(plural, "is no longer an admin", "are no longer admins")


def _credential(effect: Effect, show: Show, *, plural: bool) -> str:
    name = show(effect.subject)
    if effect.after is None:
        end = "has expired" if effect.before == "expired" else "stops working"
        return f"{_verb(plural, 'loses', 'lose')} credential {name}, which {end}"
    if effect.after == "replaced":
        return f"{_verb(plural, 'gets', 'get')} a new key for credential {name}"
    return f"{_verb(plural, 'gets', 'get')} credential {name}"


def _access(effect: Effect, show: Show) -> str:
    entity = show(effect.subject)
    if effect.is_gain:
        words = f"can now {_CAN.get(effect.after or '', 'reach')} {entity}"
    elif effect.after is not None:
        words = f"can only {_CAN.get(effect.after, 'reach')} {entity} now"
    else:
        can = "read or write" if effect.before == "read_write" else "read"
        words = f"can no longer {can} {entity}"
    through = f", by {SERVER_DEFAULT[0]}" if effect.via == SERVER_DEFAULT else _through(effect.via, show)
    return words + through + (_UNLESS if effect.at_least else "")


def _through(via: tuple[str, ...], show: Show) -> str:
    if not via:
        return ""
    rule, *groups = via
    by_group = f" and group {show(groups[0])}" if groups else ""
    return f", through rule {show(rule)}{by_group}"


def _vault(effect: Effect, show: Show, *, plural: bool) -> str:
    verb = _verb(plural, "gets", "get") if effect.after else _verb(plural, "loses", "lose")
    content = [counted(effect.paths, "value")] if effect.paths else []
    content += [counted(effect.secrets, "secret")] if effect.secrets else []
    brings = f" ({', '.join(content)})" if content else ""
    through = f" through group {show(effect.via[0])}" if effect.via else ""
    return f"{verb} vault {show(effect.subject)}{brings}{through}"


def headline_words(line: Headline, show: Show) -> str:
    """Say what happens to everyone, to a group as a whole, or to the workspace."""
    subject = show(line.subject)
    match line.type:
        case HeadlineType.OPENS_TO_EVERYONE:
            return f"everyone can now {_CAN.get(line.level or '', 'reach')} {subject}"
        case HeadlineType.CLOSES_TO_EVERYONE:
            return _closes(line, show)
        case HeadlineType.LAST_OF_ITS_KIND:
            noun = kind_name(Kind(line.kind))
            return f"no {noun} is left: {_all_of(line.count, noun)}"
        case HeadlineType.EMPTIED_GROUP:
            return f"nobody is left in group {subject}"
        case HeadlineType.CREDENTIALS_DESTROYED:
            return f"{counted(line.count, 'credential')} of {subject} {_verb(line.count != 1, 'stops', 'stop')} working"
        case HeadlineType.VAULT_CHANGES:
            return _vault_changes(line, show)
        case HeadlineType.NO_EFFECT:
            return f"{kind_name(line.kind)} {subject} has no effect on access"


def _all_of(count: int, noun: str) -> str:
    return f"the only {noun} is removed" if count == 1 else f"all {counted(count, noun)} are removed"


def _closes(line: Headline, show: Show) -> str:
    subject, keep = show(line.subject), listed(line.names, show=show)
    if line.level is None:
        words = f"{subject} closes to everyone{f' but {keep}' if keep else ''}"
    else:
        others = f"; {keep} may have more through rules" if keep else ""
        words = f"everyone can only {_CAN.get(line.level, 'reach')} {subject} now{others}"
    return words + (_UNLESS if line.at_least else "")


def _vault_changes(line: Headline, show: Show) -> str:
    subject = show(line.subject)
    whom = "1 person or account" if line.count == 1 else f"{line.count} people and accounts"
    if line.level == "create":
        return f"new vault {subject} reaches {whom}"
    if line.level == "delete":
        return f"vault {subject} no longer reaches {whom}"
    paths = f": {listed(line.names, show=show)}" if line.names else ""
    return f"vault {subject} changes for {whom}{paths}"
