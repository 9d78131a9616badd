"""Which function carries out which operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.apply import access_rules, credentials, groups, members, service_accounts, vaults
from reconciler.plan.operations import OperationKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from reconciler.apply.run import Run
    from reconciler.plan.operations import Operation

PERFORM: Mapping[OperationKind, Callable[[Run, Operation], Awaitable[None]]] = {
    OperationKind.INVITE: members.invite,
    OperationKind.CANCEL_INVITATION: members.cancel_invitation,
    OperationKind.SET_ROLE: members.set_role,
    OperationKind.RENAME_MEMBER: members.set_name,
    OperationKind.REMOVE_MEMBER: members.remove,
    OperationKind.CREATE_ACCOUNT: service_accounts.create,
    OperationKind.UPDATE_ACCOUNT: service_accounts.update,
    OperationKind.SET_ACCOUNT_ROLE: service_accounts.set_role,
    OperationKind.REMOVE_ACCOUNT: service_accounts.remove,
    OperationKind.CREATE_CREDENTIAL: credentials.create,
    OperationKind.LABEL_CREDENTIAL: credentials.label,
    OperationKind.ROTATE_CREDENTIAL: credentials.rotate,
    OperationKind.REVOKE_CREDENTIAL: credentials.revoke,
    OperationKind.CREATE_GROUP: groups.create,
    OperationKind.UPDATE_GROUP: groups.update,
    OperationKind.REMOVE_FROM_GROUP: groups.remove_people,
    OperationKind.REMOVE_GROUP: groups.remove,
    OperationKind.CREATE_VAULT: vaults.create,
    OperationKind.UPDATE_VAULT: vaults.update,
    OperationKind.REMOVE_VAULT: vaults.remove,
    OperationKind.CREATE_RULE: access_rules.create,
    OperationKind.UPDATE_RULE: access_rules.update,
    OperationKind.REMOVE_FROM_RULE: access_rules.remove_people,
    OperationKind.REMOVE_RULE: access_rules.remove,
}


async def perform(run: Run, operation: Operation) -> None:
    """Carry out one operation.

    Raises what the API client raises, :class:`reconciler.errors.DeliveryError`, or
    :class:`reconciler.apply.run.MovedError`.
    """
    await PERFORM[operation.kind](run, operation)
