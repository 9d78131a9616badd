"""One method for each reading call, from plain arguments to records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.clearml.large_answers import GroupsAnswer, UsersAnswer
from reconciler.clearml.records import (
    AccountList,
    ActivityRecord,
    CredentialRecord,
    EntityRecord,
    GroupRecord,
    RuleRecord,
    SignUpRecord,
    UserRecord,
    VaultOperationRecord,
    VaultRecord,
)
from reconciler.clearml.wire import Node
from reconciler.errors import CallRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reconciler.clearml.claims import Claims
    from reconciler.clearml.transport import ReadTransport

PAGE_SIZE = 500
"""The most that a page can hold: the server cuts a larger one and shifts the offset.

Source: ``docs/explanation/clearml-wire.md, Paging``.
"""

_UNKNOWN_ID = (400, 10)
_UNKNOWN_ACCESS_KEY = (400, 75)


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

    async def users_page(self, page: int) -> list[UserRecord]:
        """Return one page of users, by id so that pages do not overlap when someone joins meanwhile."""
        return await self._users({"include_auth": True, "order_by": ["id"], "page": page, "page_size": PAGE_SIZE})

    async def user(self, user_id: str) -> UserRecord | None:
        """Return one user, if there is such a one."""
        return next((user for user in await self.users([user_id]) if user.id == user_id), None)

    async def users(self, user_ids: Sequence[str]) -> list[UserRecord]:
        """Return those of some users that there are; at most :data:`PAGE_SIZE` can be asked for."""
        return await self._users({"include_auth": True, "id": list(user_ids), "page": 0, "page_size": PAGE_SIZE})

    async def _users(self, body: Mapping[str, object]) -> list[UserRecord]:
        data = await self._transport.read("users.get_all_ex", body, UsersAnswer)
        if isinstance(data, UsersAnswer):
            return data.records()
        return [UserRecord.of(item) for item in Node("users.get_all_ex", data).nodes("users")]

    async def service_users(self) -> AccountList:
        """Return all service accounts and the workspace's limits for them."""
        return AccountList.of(await self._get("users.get_service_users", {}))

    async def settings(self) -> SignUpRecord:
        """Return who is invited."""
        return SignUpRecord.of(await self._get("login.get_settings", {}))

    async def groups(self) -> list[GroupRecord]:
        """Return all groups with their members."""
        data = await self._transport.read("permissions.get_user_groups", {}, GroupsAnswer)
        if isinstance(data, GroupsAnswer):
            return data.records()
        return [GroupRecord.of(item) for item in Node("permissions.get_user_groups", data).nodes("groups")]

    async def group(self, group_id: str) -> GroupRecord | None:
        """Return one group with its members, if there is such a one (an unknown id may be 400/10)."""
        node = await self._find("permissions.get_user_groups", {"groups": [group_id]})
        found = [GroupRecord.of(item) for item in node.nodes("groups")] if node else []
        return next((group for group in found if group.id == group_id), None)

    async def access_rules(self) -> list[RuleRecord]:
        """Return all access rules, the server's own too."""
        node = await self._get("permissions.get_access_rules", {})
        return [RuleRecord.of(item) for item in node.nodes("rules")]

    async def access_rule(self, rule_id: str) -> RuleRecord | None:
        """Return one access rule, if there is such a one (an unknown id may be 400/10)."""
        node = await self._find("permissions.get_access_rules", {"rules": [rule_id]})
        found = [RuleRecord.of(item) for item in node.nodes("rules")] if node else []
        return next((rule for rule in found if rule.id == rule_id), None)

    async def entities(self, endpoint: str, answer: str, pattern: str | None) -> list[EntityRecord]:
        """Return the entities whose name matches a regular expression, or all; one page of them."""
        body: dict[str, object] = {"only_fields": ["id", "name"], "page": 0, "page_size": PAGE_SIZE}
        node = await self._get(endpoint, body if pattern is None else body | {"name": pattern})
        return [EntityRecord.of(item) for item in node.nodes(answer)]

    async def organization_vaults(self) -> list[VaultRecord]:
        """Return the administrator vaults of all groups, with their whole text."""
        node = await self._get("users.get_organization_vaults", {"preview_data": False})
        return [VaultRecord.of(item) for item in node.nodes("vaults")]

    async def account_vaults(self, account_id: str) -> list[VaultRecord]:
        """Return a service account's own vaults (those of its groups, which it sees too, are left out).

        How an admin reads them is not documented: by impersonation, as ``docs/explanation/clearml-api.md, Vaults``
        says.
        """
        node = await self._get("users.get_vaults", {"preview_data": False}, impersonate=account_id)
        vaults = [VaultRecord.of(item) for item in node.nodes("vaults")]
        return [vault for vault in vaults if vault.scope == "user" and vault.user in (None, account_id)]

    async def last_vault_operation(self, vault_id: str, since: datetime | None) -> VaultOperationRecord | None:
        """Return the newest entry of a vault's log, a removed one's too; ``since`` leaves out what is older.

        The answer does not name the vault, so that there is one call for each.
        """
        body: dict[str, object] = {"vaults": [vault_id], "order": "desc", "page": 0, "page_size": 1}
        if since is not None:
            body["from_timestamp"] = int(since.timestamp())
        node = await self._get("users.get_vault_operations_log", body)
        found = [VaultOperationRecord.of(item) for item in node.nodes("operations")]
        return found[0] if found else None

    async def activity(self, user_ids: Sequence[str]) -> list[ActivityRecord]:
        """Return when users were last seen; the server tells only of as many as fit into a page."""
        body = {"id": list(user_ids)[:PAGE_SIZE], "include_activity": True, "page": 0, "page_size": PAGE_SIZE}
        node = await self._get("users.get_all_ex", body)
        return [ActivityRecord.of(item) for item in node.nodes("users")]

    async def credentials(self, account_id: str) -> list[CredentialRecord]:
        """Return the credentials of a service account."""
        node = await self._get("auth.get_credentials", {}, impersonate=account_id)
        return [CredentialRecord.of(item) for item in node.nodes("credentials")]

    async def credential_holder(self, access_key: str) -> str | None:
        """Return the id of the user whose a credential is, if there is such a one."""
        node = await self._find("auth.locate_credentials", {"access_key": access_key})
        return node.identifier("user") if node else None

    async def _find(self, endpoint: str, body: Mapping[str, object]) -> Node | None:
        """Ask for one thing by what identifies it; ``None`` if the server says that there is no such one."""
        try:
            return await self._get(endpoint, body)
        except CallRefusedError as error:
            if (error.code, error.subcode) in (_UNKNOWN_ID, _UNKNOWN_ACCESS_KEY):
                return None
            raise

    async def _get(self, endpoint: str, body: Mapping[str, object], *, impersonate: str | None = None) -> Node:
        return Node(endpoint, await self._transport.call(endpoint, body, impersonate=impersonate))
