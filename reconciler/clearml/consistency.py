"""Do the lists that were read fit together? If not, one of them is not whole, and nothing may follow from it.

What can be confined to one resource is (:mod:`reconciler.clearml.assemble` notes it as unreadable); here is the rest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from msgspec import field

from reconciler.clearml.decode import read
from reconciler.clearml.failures import shown
from reconciler.clearml.messages import BUILTIN_GROUPS, GROUP_SCOPE, USERS_GROUP_ID
from reconciler.frozen import Frozen
from reconciler.model.resources import Kind
from reconciler.model.text import fold
from reconciler.model.unreadable import Lost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.clearml.messages import (
        CredentialsAnswer,
        GroupMessage,
        GroupsAnswer,
        RulesAnswer,
        ServiceUserMessage,
        ServiceUsersAnswer,
        SettingsAnswer,
        VaultsAnswer,
    )
    from reconciler.clearml.paging import Users


class Readings(Frozen):
    """Everything that was read, as the server told it. ``credentials`` and ``account_vaults`` are by account id.

    ``lost`` are the lists that were not read, or not as a whole; ``moved`` says that one changed while it was read.
    """

    users: Users
    service: ServiceUsersAnswer
    groups: GroupsAnswer
    settings: SettingsAnswer
    vaults: VaultsAnswer
    rules: RulesAnswer
    credentials: Mapping[str, CredentialsAnswer] = field(default_factory=dict)
    account_vaults: Mapping[str, VaultsAnswer] = field(default_factory=dict)
    lost: tuple[Lost, ...] = ()
    moved: bool = False

    @property
    def accounts(self) -> tuple[ServiceUserMessage, ...]:
        """The service accounts."""
        return self.service.users or ()

    def knows(self, kind: Kind) -> bool:
        """Return whether the list of a kind was read as a whole."""
        return all(item.kind is not kind for item in self.lost)


def users_group(groups: Iterable[GroupMessage]) -> GroupMessage | None:
    """Return the built-in group that everyone is in."""
    found = list(groups)
    by_id = next((group for group in found if group.id == USERS_GROUP_ID), None)
    return by_id or next((group for group in found if group.builtin and fold(group.name or "") == "users"), None)


def everyone(readings: Readings) -> frozenset[str] | None:
    """Return the ids of all users, as the built-in group Users has them; ``None`` if it does not say."""
    group = users_group(readings.groups.groups or ())
    return group.user_ids or None if group is not None else None


def contradictions(readings: Readings) -> tuple[Lost, ...]:
    """Return the lists that cannot be whole, and why.

    Every check rests on two lists that the reference says agree, and costs no call of its own: the built-in group
    Users has everyone in it, a service account's ``credentials`` is how many it has, and an id is there only once
    (``docs/explanation/clearml-api.md``).
    """
    return (*_repeated(readings), *_people(readings), *_counts(readings))


def doubtful(readings: Readings) -> bool:
    """Return whether something moved between two calls, perhaps: then it is worth reading all of it once more."""
    return bool(gone_groups(readings) or hidden_memberships(readings) or _not_in_users(readings))


def _counts(readings: Readings) -> Iterator[Lost]:
    for account in readings.accounts:
        answer, counted = readings.credentials.get(account.id), read(account.credentials)
        if answer is None or counted is None:
            continue
        listed = len(answer.credentials or ()) + len(answer.unread)
        if listed != counted and not (answer.credentials is None and counted):
            yield Lost(
                Kind.CREDENTIAL,
                f"auth.get_credentials lists {listed} credentials of {shown(account.name or account.id)}, "
                f"users.get_service_users counts {counted}",
            )


def _repeated(readings: Readings) -> Iterator[Lost]:
    own = [
        vault.id
        for account, answer in readings.account_vaults.items()
        for vault in answer.vaults or ()
        if vault.is_own(account)
    ]
    held = [item.access_key for answer in readings.credentials.values() for item in answer.credentials or ()]
    lists = (
        (Kind.SERVICE_ACCOUNT, "users.get_service_users", [account.id for account in readings.accounts]),
        (Kind.GROUP, "permissions.get_user_groups", [group.id for group in readings.groups.groups or ()]),
        (Kind.VAULT, "users.get_organization_vaults", [vault.id for vault in readings.vaults.vaults or ()]),
        (Kind.ACCESS_RULE, "permissions.get_access_rules", [rule.id for rule in readings.rules.rules or ()]),
        (Kind.CREDENTIAL, "auth.get_credentials", held),
        (Kind.VAULT, "users.get_vaults", own),
    )
    for kind, endpoint, ids in lists:
        twice = [identifier for identifier, times in Counter(ids).items() if times > 1]
        if twice:
            yield Lost(kind, f"{endpoint} lists {shown(twice[0], limit=80)} more than once")


def _people(readings: Readings) -> Iterator[Lost]:
    groups = readings.groups
    if groups.groups is not None and users_group(groups.groups) is None and not groups.unread:
        reason = "permissions.get_user_groups does not list the built-in group Users, which always exists"
        yield Lost(Kind.GROUP, reason)
    if not (readings.knows(Kind.MEMBER) and readings.knows(Kind.SERVICE_ACCOUNT)):
        return
    listed = {user.id for user in readings.users.told} | {account.id for account in readings.accounts}
    listed |= {item.id for item in (*readings.users.unread, *readings.service.unread) if item.id is not None}
    unlisted = (everyone(readings) or frozenset()) - listed
    nameless = sum(item.id is None for item in (*readings.users.unread, *readings.service.unread))
    if len(unlisted) > nameless:
        yield Lost(
            Kind.MEMBER,
            f"{_some(unlisted)} in the built-in group Users, but neither users.get_all_ex nor "
            "users.get_service_users lists them",
        )


def _not_in_users(readings: Readings) -> bool:
    inside = everyone(readings)
    return inside is not None and any(user.email and user.id not in inside for user in readings.users.told)


def gone_groups(readings: Readings) -> dict[str, tuple[str | None, str]]:
    """Return the groups that something names and no list has, by id: the name where it is told, and who names them."""
    if not readings.knows(Kind.GROUP):
        return {}
    known = {group.id for group in readings.groups.groups or ()}
    found: dict[str, tuple[str | None, str]] = {}
    for vault in readings.vaults.vaults or ():
        if vault.scope in (None, GROUP_SCOPE) and vault.group and vault.group not in known:
            found.setdefault(vault.group, (vault.group_name, "users.get_organization_vaults has a vault of it"))
    for rule in readings.rules.rules or ():
        for group in sorted(rule.group_ids - known):
            found.setdefault(group, (None, "permissions.get_access_rules has it in a rule"))
    names = {_plain(group.name or "") for group in readings.groups.groups or ()} | BUILTIN_GROUPS
    for told, users in told_groups(readings).items():
        if told not in known and _plain(told) not in names:
            found.setdefault(told, (None, f"users.get_all_ex has {shown(min(users), limit=80)} in it"))
    return found


def hidden_memberships(readings: Readings) -> dict[str, str]:
    """Return the groups that users say they are in and that do not have them, by id, with one such user."""
    found: dict[str, str] = {}
    told = told_groups(readings)
    names = {_plain(name): users for name, users in told.items()}
    for group in readings.groups.groups or ():
        if not group.builtin:
            claimed = {*told.get(group.id, ()), *names.get(_plain(group.name or ""), ())}
            strangers = claimed - group.user_ids
            if strangers:
                found[group.id] = min(strangers)
    return found


def told_groups(readings: Readings) -> Mapping[str, list[str]]:
    """Return the users that say so of themselves by group: its id, or its name."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for user in readings.users.told:
        for told in user.sec_groups or ():
            found[told].append(user.id)
    return found


def _plain(name: str) -> str:
    """Return a group's name as servers spell it among a user's groups: ``queue_admins`` is Queue admins."""
    return fold(name.replace("_", " "))


def _some(ids: Iterable[str]) -> str:
    ordered = sorted(ids)
    first = shown(ordered[0], limit=80)
    return f"{first} is" if len(ordered) == 1 else f"{first} and {len(ordered) - 1} more are"
