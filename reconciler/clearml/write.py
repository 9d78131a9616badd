"""One method for each writing call: plain arguments in, checked answers out.

The rule for answers that say that nothing was done: an edit that changed nothing is fine (it was so already, see
``docs/explanation/clearml-wire.md, Users``); a removal that removed nothing is refused, since nobody may be told that
an access is gone while it may not be. An answer that cannot be understood is a lost answer: the caller settles it by
reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.clearml.records import GROUP_SCOPE, USER_SCOPE
from reconciler.clearml.wire import Node
from reconciler.errors import AnswerLostError, CallRefusedError
from reconciler.frozen import Frozen
from reconciler.model.resources import OwnerKind
from reconciler.model.secret import Secret
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime, timedelta

    from reconciler.clearml.transport import Transport
    from reconciler.model.access import Entity, Permission
    from reconciler.model.resources import DocumentFormat, Role


class NewCredential(Frozen):
    """A credential that was just made. Its secret key is told this once and never again."""

    access_key: str
    secret_key: Secret
    label: str | None = None
    expires: datetime | None = None


class CreatedAccount(Frozen):
    """A service account that was just made, with the credential that the server makes unasked."""

    id: str
    credential: NewCredential


class RuleContent(Frozen):
    """All that an access rule says, in server ids; a write replaces all of it.

    Source: ``docs/explanation/clearml-api.md, Access rules``.
    """

    name: str
    description: str
    entity: Entity
    permission: Permission
    users: frozenset[str]
    groups: frozenset[str]


class VaultContent(Frozen):
    """All that a vault says, and the server id of whom it belongs to; a write replaces all of it.

    Source: ``docs/explanation/clearml-api.md, Vaults``.
    """

    name: str
    owner_kind: OwnerKind
    owner_id: str
    text: Secret
    format: DocumentFormat
    target: str = "config"
    enabled: bool = True


class Writer:
    """Changes a workspace. Needs a transport that can write; whoever only plans never holds one."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def invite(self, email: str, role: Role) -> bool:
        """Invite a person; ``False`` if the server says that the entry was there already."""
        node = await self._post("login.add_whitelist_entries", {"emails": [email], "role": role.value})
        return fold(email) in {fold(added) for added in node.texts("added")}

    async def cancel_invitation(self, email: str) -> None:
        """Take back an invitation; refused if it is not pending any more (the person may have joined meanwhile)."""
        node = await self._post("login.remove_whitelist_entries", {"emails": [email]})
        if fold(email) not in {fold(removed) for removed in node.texts("removed")}:
            raise _nothing_removed(node.endpoint)

    async def set_role(self, user_id: str, role: Role) -> bool:
        """Give a member or service account a role; ``False`` if it had it already."""
        return _updated(await self._post("users.set_role", {"user": user_id, "role": role.value}))

    async def rename_user(self, user_id: str, name: str) -> bool:
        """Set a member's name; ``False`` if it was so already."""
        return _updated(await self._post("users.update", {"user": user_id, "name": name}))

    async def delete_user(self, user_id: str) -> None:
        """Remove a member or service account with all its credentials; its tasks stay."""
        node = await self._post("auth.delete_user", {"user": user_id})
        if not node.flag("deleted"):
            raise _nothing_removed(node.endpoint)

    async def create_service_account(
        self, name: str, impersonation: bool, lifetime: timedelta | None = None
    ) -> CreatedAccount:
        """Make a service account. Names are not unique on the server: a repeat makes a second one."""
        body: dict[str, object] = {"name": name, "allow_running_as_owner": impersonation}
        if lifetime is not None:
            body["credentials_expiration_sec"] = _seconds(lifetime)
        node = await self._post("auth.create_service_user", body)
        return CreatedAccount(node.identifier("id"), _new_credential(node.node("credentials")))

    async def update_service_account(
        self, account_id: str, *, name: str | None = None, impersonation: bool | None = None
    ) -> bool:
        """Rename a service account or set its impersonation; ``False`` if nothing changed."""
        body: dict[str, object] = {"user": account_id}
        if name is not None:
            body["name"] = name
        if impersonation is not None:
            body["allow_running_as_owner"] = impersonation
        return _updated(await self._post("users.update_service_user", body))

    async def create_credential(
        self, account_id: str, label: str | None, lifetime: timedelta | None = None
    ) -> NewCredential:
        """Make a credential of a service account; a repeat makes a second one."""
        body: dict[str, object] = {}
        if label is not None:
            body["label"] = label
        if lifetime is not None:
            body["expiration_sec"] = _seconds(lifetime)
        node = await self._post("auth.create_credentials", body, impersonate=account_id)
        return _new_credential(node.node("credentials"))

    async def label_credential(self, account_id: str, access_key: str, label: str) -> bool:
        """Set a credential's label; ``False`` if it was so already."""
        body = {"access_key": access_key, "label": label}
        return _updated(await self._post("auth.edit_credentials", body, impersonate=account_id))

    async def revoke_credential(self, account_id: str, access_key: str) -> None:
        """Revoke a credential of a service account."""
        node = await self._post("auth.revoke_credentials", {"access_key": access_key}, impersonate=account_id)
        if not node.number("revoked"):
            raise _nothing_removed(node.endpoint)

    async def create_group(self, group_id: str, name: str, description: str, users: Collection[str]) -> None:
        """Make a group under a fresh id that the caller made up, so that a repeat does no harm.

        Source: ``docs/explanation/clearml-api.md, Groups``.
        """
        await self._put_group(group_id, name, description, users)

    async def update_group(self, group_id: str, name: str, description: str, users: Collection[str]) -> None:
        """Set a group's name, description and its whole list of user ids, which replaces the one before."""
        await self._put_group(group_id, name, description, users)

    async def delete_group(self, group_id: str) -> None:
        """Remove a group; what was granted through it alone is lost."""
        node = await self._post("permissions.delete_user_groups", {"groups": [group_id]})
        if not node.number("deleted"):
            raise _nothing_removed(node.endpoint)

    async def create_vault(self, content: VaultContent) -> str:
        """Make a vault of a group or a service account and return its id; a repeat makes a second one."""
        return await self._put_vault(content)

    async def update_vault(self, vault_id: str, content: VaultContent) -> None:
        """Set everything about a vault."""
        answered = await self._put_vault(content, {"id": vault_id})
        _require_same("users.add_or_update_vault", vault_id, answered)

    async def delete_vault(self, vault_id: str) -> None:
        """Remove a vault."""
        node = await self._post("users.delete_vaults", {"vaults": [vault_id]})
        if not node.number("deleted"):
            raise _nothing_removed(node.endpoint)

    async def create_rule(self, content: RuleContent) -> str:
        """Make an access rule and return its id; a repeat makes a second one."""
        return (await self._put_rule(content)).identifier("id")

    async def update_rule(self, rule_id: str, content: RuleContent) -> None:
        """Set everything about an access rule."""
        node = await self._put_rule(content, {"id": rule_id})
        _require_same(node.endpoint, rule_id, node.identifier("id"))

    async def delete_rule(self, rule_id: str) -> None:
        """Remove an access rule; what it alone gave is lost."""
        node = await self._post("permissions.delete_access_rules", {"rules": [rule_id]})
        if not node.number("deleted"):
            raise _nothing_removed(node.endpoint)

    async def _put_rule(self, content: RuleContent, identity: Mapping[str, object] | None = None) -> Node:
        body: dict[str, object] = {
            "name": content.name,
            "description": content.description,
            "entity_type": content.entity.type.value,
            "entity_id": content.entity.id,
            "access_permission": content.permission.value,
            "users": sorted(content.users),
            "groups": sorted(content.groups),
        }
        return await self._post("permissions.add_or_update_access_rule", body | dict(identity or {}))

    async def _put_group(self, group_id: str, name: str, description: str, users: Collection[str]) -> None:
        body = {"id": group_id, "name": name, "description": description, "users": sorted(users)}
        node = await self._post("permissions.add_or_update_user_group", body)
        _require_same(node.endpoint, group_id, node.identifier("id"))

    async def _put_vault(self, content: VaultContent, identity: Mapping[str, object] | None = None) -> str:
        in_group = content.owner_kind is OwnerKind.GROUP
        vault = {
            "description": content.name,
            "data": content.text.reveal(),
            "format": content.format.value,
            "type": content.target,
            "scope": GROUP_SCOPE if in_group else USER_SCOPE,
            "enabled": content.enabled,
        }
        body = {"vault": vault | dict(identity or {}), "group" if in_group else "user": content.owner_id}
        return (await self._post("users.add_or_update_vault", body, document=content.text)).identifier("vault")

    async def _post(
        self,
        endpoint: str,
        body: Mapping[str, object],
        *,
        impersonate: str | None = None,
        document: Secret | None = None,
    ) -> Node:
        data = await self._transport.call(endpoint, body, impersonate=impersonate, document=document)
        return Node(endpoint, data, written=True)


def _new_credential(node: Node) -> NewCredential:
    return NewCredential(
        access_key=node.identifier("access_key"),
        secret_key=Secret(node.identifier("secret_key")),
        label=node.optional_text("label") or None,
        expires=node.moment("expire"),
    )


def _updated(node: Node) -> bool:
    return node.number("updated") > 0


def _seconds(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds())


def _require_same(endpoint: str, sent: str, answered: str) -> None:
    if answered != sent:
        raise AnswerLostError(f"{endpoint}: the server answers for another object than the one that was sent")


def _nothing_removed(endpoint: str) -> CallRefusedError:
    return CallRefusedError(endpoint, 200, 0, "it answers that nothing was removed")
