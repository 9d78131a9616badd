"""Do the lists that were read fit together? If not, one of them is not whole, and nothing may follow from it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from msgspec import field

from reconciler.clearml.failures import shown
from reconciler.clearml.messages import GROUP_SCOPE, USERS_GROUP_ID
from reconciler.frozen import Frozen
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.clearml.messages import (
        CredentialMessage,
        GroupMessage,
        RuleMessage,
        ServiceUsersAnswer,
        SettingsAnswer,
        UserMessage,
        VaultMessage,
    )


class Readings(Frozen):
    """Everything that was read, as the server told it. ``credentials`` and ``account_vaults`` are by account id."""

    users: tuple[UserMessage, ...]
    service: ServiceUsersAnswer
    groups: tuple[GroupMessage, ...]
    settings: SettingsAnswer
    vaults: tuple[VaultMessage, ...]
    rules: tuple[RuleMessage, ...] = ()
    credentials: Mapping[str, tuple[CredentialMessage, ...]] = field(default_factory=dict)
    account_vaults: Mapping[str, tuple[VaultMessage, ...]] = field(default_factory=dict)


def users_group(groups: Iterable[GroupMessage]) -> GroupMessage | None:
    """Return the built-in group that everyone is in."""
    found = list(groups)
    by_id = next((group for group in found if group.id == USERS_GROUP_ID), None)
    return by_id or next((group for group in found if group.builtin and fold(group.name) == "users"), None)


def inconsistency(readings: Readings) -> str | None:
    """Return why the lists cannot all be whole, or ``None``.

    Every check rests on two lists that the reference says agree, and costs no call of its own: the built-in group
    Users has everyone in it, a user's ``sec_groups`` are groups, a vault's group is a group, so are an access rule's,
    a service account's ``credentials`` is how many it has, and an id is there only once
    (``docs/explanation/clearml-api.md``).
    """
    return next(_contradictions(readings), None)


def _contradictions(readings: Readings) -> Iterator[str]:
    yield from _repeated(readings)
    yield from _people(readings)
    yield from _groups(readings)
    for account in readings.service.users:
        listed = readings.credentials.get(account.id)
        if listed is not None and len(listed) != account.credentials:
            yield (
                f"auth.get_credentials lists {len(listed)} credentials of {shown(account.name)}, "
                f"users.get_service_users counts {account.credentials}"
            )


def _repeated(readings: Readings) -> Iterator[str]:
    lists = (
        ("users.get_service_users", [account.id for account in readings.service.users]),
        ("permissions.get_user_groups", [group.id for group in readings.groups]),
        ("users.get_organization_vaults", [vault.id for vault in readings.vaults]),
        ("permissions.get_access_rules", [rule.id for rule in readings.rules]),
        ("auth.get_credentials", [item.access_key for items in readings.credentials.values() for item in items]),
        ("users.get_vaults", [vault.id for vaults in readings.account_vaults.values() for vault in vaults]),
    )
    for endpoint, ids in lists:
        twice = [identifier for identifier, times in Counter(ids).items() if times > 1]
        if twice:
            yield f"{endpoint} lists {shown(twice[0], limit=80)} more than once"


def _people(readings: Readings) -> Iterator[str]:
    everyone = users_group(readings.groups)
    if everyone is None:
        yield "permissions.get_user_groups does not list the built-in group Users, which always exists"
        return
    accounts = {account.id for account in readings.service.users}
    listed = {user.id for user in readings.users if not _without_sign_in(user, everyone)}
    unlisted = everyone.user_ids - listed - accounts
    if unlisted:
        yield (
            f"{_some(unlisted)} in the built-in group Users, but neither users.get_all_ex nor "
            "users.get_service_users lists them"
        )
    extra = (listed | accounts) - everyone.user_ids
    if extra:
        yield f"{_some(extra)} listed, but the built-in group Users, which has everyone in it, does not have them"
    for user in readings.users:
        if user.id in listed - accounts and (not user.email or user.known_role is None):
            yield (
                f"users.get_all_ex lists {shown(user.id, limit=80)} without e-mail or role, "
                "and users.get_service_users does not list it as a service account"
            )


def _without_sign_in(user: UserMessage, everyone: GroupMessage) -> bool:
    """Whether this is the entry of someone removed, or one of the server's own users.

    Removing a person removes only their sign-in: the entry stays, without an e-mail and outside Users.
    """
    return not user.email and user.id not in everyone.user_ids


def _groups(readings: Readings) -> Iterator[str]:
    groups = {group.id: group for group in readings.groups}
    names = {group.name for group in readings.groups}
    for told, users in _told_groups(readings).items():
        group = groups.get(told)
        if group is not None:
            if not group.builtin and not group.user_ids.issuperset(users):
                stranger = min(user for user in users if user not in group.user_ids)
                yield (
                    f"users.get_all_ex has {shown(stranger, limit=80)} in the group {shown(group.name, limit=80)}, "
                    "permissions.get_user_groups does not"
                )
        elif told not in names:
            yield (
                f"users.get_all_ex has {shown(min(users), limit=80)} in the group {shown(told, limit=80)}, "
                "which permissions.get_user_groups does not list"
            )
    for vault in readings.vaults:
        if vault.scope == GROUP_SCOPE and vault.group not in groups:
            yield (
                f"users.get_organization_vaults has a vault of the group {shown(vault.group or 'nobody', limit=80)}, "
                "which permissions.get_user_groups does not list"
            )
    for rule in readings.rules:
        unlisted = rule.group_ids - groups.keys()
        if unlisted:
            yield (
                f"permissions.get_access_rules has the group {shown(min(unlisted), limit=80)} in a rule, "
                "which permissions.get_user_groups does not list"
            )


def _told_groups(readings: Readings) -> Mapping[str, list[str]]:
    """Return the users that say so of themselves by group."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for user in readings.users:
        for told in user.sec_groups or ():
            found[told].append(user.id)
    return found


def _some(ids: Iterable[str]) -> str:
    ordered = sorted(ids)
    first = shown(ordered[0], limit=80)
    return f"{first} is" if len(ordered) == 1 else f"{first} and {len(ordered) - 1} more are"
