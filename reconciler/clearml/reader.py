"""One method for each reading call, from plain arguments to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reconciler.clearml.messages import (
    ActivityAnswer,
    CredentialsAnswer,
    GroupsAnswer,
    HolderAnswer,
    RulesAnswer,
    ServiceUsersAnswer,
    SettingsAnswer,
    UsersAnswer,
    VaultOperationsAnswer,
    VaultsAnswer,
    entities_answer,
)
from reconciler.errors import CallRefusedError, UnexpectedAnswerError
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reconciler.clearml.claims import Claims
    from reconciler.clearml.decode import Confined
    from reconciler.clearml.messages import (
        ActivityMessage,
        CredentialMessage,
        EntityMessage,
        EntryMessage,
        GroupMessage,
        RuleMessage,
        ServiceUserMessage,
        UserMessage,
        VaultMessage,
        VaultOperationMessage,
    )
    from reconciler.clearml.transport import ReadTransport

Form = TypeVar("Form")

PAGE_SIZE = 500
"""The most that a page can hold: the server cuts a larger one and shifts the offset.

Source: ``docs/explanation/clearml-wire.md, Paging``.
"""

_VAULT_SCOPES = ["organization", "group", "user", "service_account"]
"""Every scope of the vault log; it leaves out the vaults of users and service accounts unless they are asked for."""

_UNKNOWN_ID = (400, 10)
_UNKNOWN_ACCESS_KEY = (400, 75)


class LookUp(Frozen):
    """A call that finds entities by name: the list in its answer, and what else it is asked."""

    endpoint: str
    answer: str
    asked: Mapping[str, bool]


class Reader:
    """Reads a workspace. Given a :class:`~reconciler.clearml.transport.ReadTransport`, nothing here can write."""

    def __init__(self, transport: ReadTransport) -> None:
        self._transport = transport

    @property
    def server(self) -> str:
        """The address of the server, for messages."""
        return self._transport.server

    @property
    def concurrency(self) -> int:
        """How many calls may be under way at once."""
        return self._transport.concurrency

    @property
    def access_key(self) -> str | None:
        """The access key that this run signs in with; ``None`` if it was given a token."""
        return self._transport.access_key

    async def claims(self) -> Claims:
        """Return who the caller is; signs in if need be."""
        return await self._transport.claims()

    async def users_page(self, page: int) -> UsersAnswer:
        """Return one page of users, by id so that pages do not overlap when someone joins meanwhile."""
        return await self._users({"include_auth": True, "order_by": ["id"], "page": page, "page_size": PAGE_SIZE})

    async def user(self, user_id: str) -> UserMessage | None:
        """Return one user, if there is such a one."""
        answer = await self.users_with([user_id])
        return next((user for user in answer.users or () if user.id == user_id), None)

    async def users_with(self, user_ids: Sequence[str]) -> UsersAnswer:
        """Return those of some users that there are; at most :data:`PAGE_SIZE` can be asked for."""
        return await self._users({"include_auth": True, "id": list(user_ids), "page": 0, "page_size": PAGE_SIZE})

    async def _users(self, body: Mapping[str, object]) -> UsersAnswer:
        return await self._transport.call("users.get_all_ex", body, UsersAnswer)

    async def service_users(self) -> ServiceUsersAnswer:
        """Return all service accounts and the workspace's limits for them."""
        return await self._transport.call("users.get_service_users", {}, ServiceUsersAnswer)

    async def settings(self) -> SettingsAnswer:
        """Return who is invited."""
        return await self._transport.call("login.get_settings", {}, SettingsAnswer)

    async def groups(self) -> GroupsAnswer:
        """Return all groups with their members."""
        return await self._transport.call("permissions.get_user_groups", {}, GroupsAnswer)

    async def group(self, group_id: str) -> GroupMessage | None:
        """Return one group with its members, if there is such a one (an unknown id may be 400/10)."""
        answer = await self._find("permissions.get_user_groups", {"groups": [group_id]}, GroupsAnswer)
        groups = _told("permissions.get_user_groups", answer, answer.groups) if answer else ()
        return next((group for group in groups if group.id == group_id), None)

    async def access_rules(self) -> RulesAnswer:
        """Return all access rules, the server's own too."""
        return await self._transport.call("permissions.get_access_rules", {}, RulesAnswer)

    async def access_rule(self, rule_id: str) -> RuleMessage | None:
        """Return one access rule, if there is such a one (an unknown id may be 400/10)."""
        answer = await self._find("permissions.get_access_rules", {"rules": [rule_id]}, RulesAnswer)
        rules = _told("permissions.get_access_rules", answer, answer.rules) if answer else ()
        return next((rule for rule in rules if rule.id == rule_id), None)

    async def entities(self, call: LookUp, pattern: str | None) -> tuple[EntityMessage, ...]:
        """Return the entities whose name matches a regular expression, or all; one page of them."""
        body: dict[str, object] = {"only_fields": ["id", "name"], "page": 0, "page_size": PAGE_SIZE, **call.asked}
        asked = body if pattern is None else body | {"name": pattern}
        return (await self._transport.call(call.endpoint, asked, entities_answer(call.answer))).entities

    async def organization_vaults(self) -> VaultsAnswer:
        """Return the administrator vaults of all groups, with their whole text."""
        body = {"preview_data": False}
        return await self._transport.call("users.get_organization_vaults", body, VaultsAnswer)

    async def account_vaults(self, account_id: str) -> VaultsAnswer:
        """Return the vaults that a service account sees: its own, and those of its groups.

        How an admin reads them is not documented: by impersonation, as ``docs/explanation/clearml-api.md, Vaults``
        says.
        """
        body = {"preview_data": False}
        return await self._transport.call("users.get_vaults", body, VaultsAnswer, impersonate=account_id)

    async def own_vaults(self, account_id: str) -> tuple[VaultMessage, ...]:
        """Return a service account's own vaults; an answer without a list is an error."""
        answer = await self.account_vaults(account_id)
        vaults = _told("users.get_vaults", answer, answer.vaults)
        return tuple(vault for vault in vaults if vault.is_own(account_id))

    async def listed_vaults(self) -> tuple[VaultMessage, ...]:
        """Return the administrator vaults of all groups; an answer without them is an error."""
        answer = await self.organization_vaults()
        return _told("users.get_organization_vaults", answer, answer.vaults)

    async def listed_accounts(self) -> tuple[ServiceUserMessage, ...]:
        """Return all service accounts; an answer without them is an error."""
        answer = await self.service_users()
        return _told("users.get_service_users", answer, answer.users)

    async def listed_entries(self) -> tuple[EntryMessage, ...]:
        """Return the sign-up list; an answer without it is an error."""
        answer = await self.settings()
        return _told("login.get_settings", answer, answer.whitelist_entries)

    async def last_vault_operation(self, vault_id: str, since: datetime | None) -> VaultOperationMessage | None:
        """Return the newest entry of a vault's log, a removed one's too; ``since`` leaves out what is older.

        The answer does not name the vault, so that there is one call for each.
        """
        body: dict[str, object] = {"vaults": [vault_id], "scope": _VAULT_SCOPES, "group": None}
        body |= {"order": "desc", "page": 0, "page_size": 1}
        if since is not None:
            body["from_timestamp"] = since.isoformat()
        answer = await self._transport.call("users.get_vault_operations_log", body, VaultOperationsAnswer)
        return next(iter(answer.operations or ()), None)

    async def activity(self, user_ids: Sequence[str]) -> tuple[ActivityMessage, ...]:
        """Return when users were last seen; the server tells only of as many as fit into a page."""
        asked = {"include_auth": True, "include_activity": True, "page": 0, "page_size": PAGE_SIZE}
        body = {"id": list(user_ids)[:PAGE_SIZE]} | asked
        return (await self._transport.call("users.get_all_ex", body, ActivityAnswer)).users or ()

    async def credentials(self, account_id: str) -> CredentialsAnswer:
        """Return the credentials of a service account."""
        return await self._transport.call("auth.get_credentials", {}, CredentialsAnswer, impersonate=account_id)

    async def listed_credentials(self, account_id: str) -> tuple[CredentialMessage, ...]:
        """Return the credentials of a service account; an answer without them is an error."""
        answer = await self.credentials(account_id)
        return _told("auth.get_credentials", answer, answer.credentials)

    async def credential_holder(self, access_key: str) -> HolderAnswer | None:
        """Return whose a credential is, and its label, if there is such a one."""
        return await self._find("auth.locate_credentials", {"access_key": access_key}, HolderAnswer)

    async def _find(self, endpoint: str, body: Mapping[str, object], form: type[Form]) -> Form | None:
        """Ask for one thing by what identifies it; ``None`` if the server says that there is no such one."""
        try:
            return await self._transport.call(endpoint, body, form)
        except CallRefusedError as error:
            if (error.code, error.subcode) in (_UNKNOWN_ID, _UNKNOWN_ACCESS_KEY):
                return None
            raise


def _told(endpoint: str, answer: Confined, items: tuple[Form, ...] | None) -> tuple[Form, ...]:
    """Return the list of an answer, or raise :class:`UnexpectedAnswerError` if it is not there."""
    if items is None:
        why = next((item.why for item in answer.unread), "the list in its answer is missing")
        raise UnexpectedAnswerError(f"{endpoint}: {why}")
    return items
