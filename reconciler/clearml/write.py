"""One method for each writing call: plain arguments in, checked answers out.

The rule for answers that say that nothing was done: an edit that changed nothing is fine (it was so already, see
``docs/explanation/clearml-wire.md, Users``); a removal that removed nothing is refused, since nobody may be told that
an access is gone while it may not be. An answer that cannot be understood is a lost answer: the caller settles it by
reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.clearml.claims import INVITATION_ROLES_SINCE
from reconciler.clearml.messages import (
    GROUP_SCOPE,
    USER_SCOPE,
    AddedAnswer,
    DeletedAnswer,
    NewCredentialAnswer,
    NewServiceUserAnswer,
    RemovedAnswer,
    RevokedAnswer,
    UpdatedAnswer,
    UserDeletedAnswer,
    VaultWrittenAnswer,
    WrittenAnswer,
)
from reconciler.errors import AnswerLostError, CallRefusedError, ServerError
from reconciler.model.live import cannot_be_invited
from reconciler.model.resources import OwnerKind, Role
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import timedelta

    from reconciler.clearml.messages import NewCredentialMessage
    from reconciler.clearml.transport import Transport
    from reconciler.model.resources import AccessRule, Vault
    from reconciler.model.secret import Secret


class Writer:
    """Changes a workspace. Needs a transport that can write; whoever only plans never holds one."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def invite(self, email: str, role: Role) -> bool:
        """Invite a person; ``False`` if the server says that the entry was there already.

        A server before API 2.37 ignores ``role`` without a word, so that it is sent ``is_admin``. Raises
        :class:`~reconciler.errors.ServerError` if it cannot be told of the role: nobody is invited then.
        """
        claims = await self._transport.claims()
        if role not in claims.invitation_roles:
            raise ServerError(cannot_be_invited(email, role))
        told = {"role": role.value} if claims.speaks(INVITATION_ROLES_SINCE) else {"is_admin": role is Role.ADMIN}
        body = {"emails": [email]} | told
        answer = await self._transport.call("login.add_whitelist_entries", body, AddedAnswer)
        return fold(email) in {fold(added) for added in answer.added}

    async def cancel_invitation(self, email: str) -> None:
        """Take back an invitation; refused if it is not pending any more (the person may have joined meanwhile)."""
        endpoint = "login.remove_whitelist_entries"
        answer = await self._transport.call(endpoint, {"emails": [email]}, RemovedAnswer)
        _require_removed(endpoint, fold(email) in {fold(removed) for removed in answer.removed})

    async def set_role(self, user_id: str, role: Role) -> bool:
        """Give a member or service account a role; ``False`` if it had it already."""
        return await self._update("users.set_role", {"user": user_id, "role": role.value})

    async def rename_user(self, user_id: str, name: str) -> bool:
        """Set a member's name; ``False`` if it was so already."""
        return await self._update("users.update", {"user": user_id, "name": name})

    async def delete_user(self, user_id: str) -> None:
        """Remove a member or service account with all its credentials; its tasks stay."""
        answer = await self._transport.call("auth.delete_user", {"user": user_id}, UserDeletedAnswer)
        _require_removed("auth.delete_user", answer.deleted)

    async def create_service_account(
        self, name: str, impersonation: bool, lifetime: timedelta | None = None
    ) -> NewServiceUserAnswer:
        """Create a service account. Names are not unique on the server: a repeat creates a second one."""
        body: dict[str, object] = {"name": name, "allow_running_as_owner": impersonation}
        if lifetime is not None:
            body["credentials_expiration_sec"] = _seconds(lifetime)
        return await self._transport.call("auth.create_service_user", body, NewServiceUserAnswer)

    async def update_service_account(
        self, account_id: str, *, name: str | None = None, impersonation: bool | None = None
    ) -> bool:
        """Rename a service account or set its impersonation; ``False`` if nothing changed."""
        body: dict[str, object] = {"user": account_id}
        if name is not None:
            body["name"] = name
        if impersonation is not None:
            body["allow_running_as_owner"] = impersonation
        return await self._update("users.update_service_user", body)

    async def create_credential(
        self, account_id: str, label: str | None, lifetime: timedelta | None = None
    ) -> NewCredentialMessage:
        """Create a credential of a service account; a repeat creates a second one."""
        body: dict[str, object] = {}
        if label is not None:
            body["label"] = label
        if lifetime is not None:
            body["expiration_sec"] = _seconds(lifetime)
        answer = await self._transport.call(
            "auth.create_credentials", body, NewCredentialAnswer, impersonate=account_id
        )
        return answer.credentials

    async def label_credential(self, account_id: str, access_key: str, label: str) -> bool:
        """Set a credential's label; ``False`` if it was so already."""
        body = {"access_key": access_key, "label": label}
        return await self._update("auth.edit_credentials", body, impersonate=account_id)

    async def revoke_credential(self, account_id: str, access_key: str) -> None:
        """Revoke a credential of a service account."""
        endpoint, body = "auth.revoke_credentials", {"access_key": access_key}
        answer = await self._transport.call(endpoint, body, RevokedAnswer, impersonate=account_id)
        _require_removed(endpoint, answer.revoked)

    async def create_group(self, group_id: str, name: str, description: str, users: Collection[str]) -> None:
        """Create a group under a fresh id that the caller chose, so that a repeat does no harm.

        Source: ``docs/explanation/clearml-api.md, Groups``.
        """
        await self._put_group(group_id, name, description, users)

    async def update_group(self, group_id: str, name: str, description: str, users: Collection[str]) -> None:
        """Set a group's name, description and its whole list of user ids, which replaces the one before."""
        await self._put_group(group_id, name, description, users)

    async def delete_group(self, group_id: str) -> None:
        """Remove a group; what was granted through it alone is lost."""
        await self._delete("permissions.delete_user_groups", {"groups": [group_id]})

    async def create_vault(self, vault: Vault, owner_id: str, text: Secret) -> str:
        """Create a vault of the group or service account with this id; return its id. A repeat creates a second one.

        ``text`` is what is stored; the vault's own document is not looked at.
        """
        return _created("users.add_or_update_vault", await self._put_vault(vault, owner_id, text))

    async def update_vault(self, vault_id: str, vault: Vault, owner_id: str, text: Secret) -> None:
        """Set everything about a vault: a write replaces all of it.

        Source: ``docs/explanation/clearml-api.md, Vaults``.
        """
        answered = await self._put_vault(vault, owner_id, text, {"id": vault_id})
        _require_same("users.add_or_update_vault", vault_id, answered)

    async def delete_vault(self, vault_id: str) -> None:
        """Remove a vault."""
        await self._delete("users.delete_vaults", {"vaults": [vault_id]})

    async def create_rule(
        self, rule_id: str, rule: AccessRule, users: Collection[str], groups: Collection[str]
    ) -> None:
        """Create an access rule under a fresh id that the caller chose, so that a repeat does no harm.

        Whom the rule itself names is not looked at: the server knows ids only.
        Source: ``docs/explanation/clearml-api.md, Access rules``.
        """
        answered = await self._put_rule(rule_id, rule, users, groups)
        _require_same("permissions.add_or_update_access_rule", rule_id, answered)

    async def update_rule(
        self, rule_id: str, rule: AccessRule, users: Collection[str], groups: Collection[str]
    ) -> None:
        """Set everything about an access rule: a write replaces all of it.

        Source: ``docs/explanation/clearml-api.md, Access rules``.
        """
        answered = await self._put_rule(rule_id, rule, users, groups)
        _require_same("permissions.add_or_update_access_rule", rule_id, answered)

    async def delete_rule(self, rule_id: str) -> None:
        """Remove an access rule; what it alone gave is lost."""
        await self._delete("permissions.delete_access_rules", {"rules": [rule_id]})

    async def _put_rule(
        self, rule_id: str, rule: AccessRule, users: Collection[str], groups: Collection[str]
    ) -> str | None:
        body: dict[str, object] = {
            "id": rule_id,
            "name": rule.name,
            "description": rule.description or "",
            "entity_type": rule.entity.type.value,
            "entity_id": rule.entity.id,
            "access_permission": rule.permission.value,
            "users": sorted(users),
            "groups": sorted(groups),
        }
        endpoint = "permissions.add_or_update_access_rule"
        return (await self._transport.call(endpoint, body, WrittenAnswer)).id

    async def _put_group(self, group_id: str, name: str, description: str, users: Collection[str]) -> None:
        endpoint = "permissions.add_or_update_user_group"
        body = {"id": group_id, "name": name, "description": description, "users": sorted(users)}
        _require_same(endpoint, group_id, (await self._transport.call(endpoint, body, WrittenAnswer)).id)

    async def _put_vault(
        self, vault: Vault, owner_id: str, text: Secret, identity: Mapping[str, object] | None = None
    ) -> str | None:
        in_group = vault.owner_kind is OwnerKind.GROUP
        content = {
            "description": vault.name,
            "data": text.reveal(),
            "format": vault.format.value,
            "type": vault.target,
            "scope": GROUP_SCOPE if in_group else USER_SCOPE,
            "enabled": vault.enabled,
        }
        body = {"vault": content | dict(identity or {}), "group" if in_group else "user": owner_id}
        answer = await self._transport.call("users.add_or_update_vault", body, VaultWrittenAnswer, document=text)
        return answer.vault

    async def _update(self, endpoint: str, body: Mapping[str, object], *, impersonate: str | None = None) -> bool:
        return (await self._transport.call(endpoint, body, UpdatedAnswer, impersonate=impersonate)).updated != 0

    async def _delete(self, endpoint: str, body: Mapping[str, object]) -> None:
        _require_removed(endpoint, (await self._transport.call(endpoint, body, DeletedAnswer)).deleted)


def _seconds(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds())


def _created(endpoint: str, answered: str | None) -> str:
    if answered is None:
        raise AnswerLostError(f"{endpoint}: the answer has no id of what was created")
    return answered


def _require_same(endpoint: str, sent: str, answered: str | None) -> None:
    if answered not in (sent, None):
        raise AnswerLostError(f"{endpoint}: the server answers for another object than the one that was sent")


def _require_removed(endpoint: str, removed: int) -> None:
    if not removed:
        raise CallRefusedError(endpoint, 200, 0, "it answers that nothing was removed")
