"""Operations on service accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.apply.credentials import first_declared, revoke_all, revoke_one
from reconciler.apply.run import moved
from reconciler.apply.settle import confirmed, created, repeated
from reconciler.model.resources import Role, ServiceAccount
from reconciler.model.text import fold

if TYPE_CHECKING:
    from reconciler.apply.run import Run
    from reconciler.clearml.messages import NewCredentialMessage, ServiceUserMessage
    from reconciler.plan.operations import Operation


async def create(run: Run, operation: Operation) -> None:
    """Create an account. The credential that the server makes with it is kept for the first declared label, or revoked.

    Where the answer was lost the account is not created again in this run. It is looked for by its name among those
    that were not there before; its first credential is then revoked, since nobody holds the secret key.
    """
    account = run.wanted(operation, ServiceAccount)
    address = operation.change.address
    first = first_declared(run.desired, address)

    async def write() -> tuple[str, NewCredentialMessage | None]:
        lifetime = first.lifetime if first else None
        made = await run.writer.create_service_account(
            account.name, impersonation=account.impersonation, lifetime=lifetime
        )
        return made.id, made.credentials

    async def find() -> tuple[str, NewCredentialMessage | None] | None:
        known = set(run.live.ids.values()) | set(run.ids.values())
        found = [
            user
            for user in await run.reader.listed_accounts()
            if user.id not in known and fold(user.name or "") == fold(account.name)
        ]
        return (found[0].id, None) if len(found) == 1 else None

    account_id, credential = await created(write, find)
    run.ids[address] = account_id
    if credential is None:
        await revoke_all(run, account_id)
    elif first is None:
        await revoke_one(run, account_id, credential.access_key)
    else:
        run.first_credentials[address] = credential


async def update(run: Run, operation: Operation) -> None:
    """Set an account's name and whether it may run tasks as their owners."""
    account = run.wanted(operation, ServiceAccount)
    if operation.removal:
        await _check_unmoved(run, operation)
    await repeated(
        lambda: run.writer.update_service_account(
            run.id_of(operation.change.address), name=account.name, impersonation=account.impersonation
        )
    )


async def set_role(run: Run, operation: Operation) -> None:
    """Make an account an admin, or no longer one."""
    role = Role.ADMIN if run.wanted(operation, ServiceAccount).admin else Role.USER
    if operation.removal:
        await _check_unmoved(run, operation)
    await repeated(lambda: run.writer.set_role(run.id_of(operation.change.address), role))


async def remove(run: Run, operation: Operation) -> None:
    """Remove an account; its credentials are revoked with it."""
    account_id = run.id_of(operation.change.address)
    if not await _check_unmoved(run, operation):
        return

    async def is_gone() -> bool:
        return await _user(run, account_id) is None

    await confirmed(lambda: run.writer.delete_user(account_id), is_gone)


async def _check_unmoved(run: Run, operation: Operation) -> bool:
    """Look at the account again; what another operation of this run has changed already is no surprise."""
    before = run.existing(operation, ServiceAccount)
    now = await _user(run, run.id_of(operation.change.address))
    if now is None:
        return False
    wanted = run.desired.get(operation.change.address)
    expected = {before.admin, wanted.admin} if isinstance(wanted, ServiceAccount) else {before.admin}
    if now.name is None or now.known_role is None:
        raise moved(operation, "cannot be read")
    renamed = fold(now.name) not in {fold(before.name), operation.change.key[0]}
    if renamed or (now.known_role is Role.ADMIN) not in expected:
        raise moved(operation, "was changed")
    return True


async def _user(run: Run, account_id: str) -> ServiceUserMessage | None:
    users = await run.reader.listed_accounts()
    return next((user for user in users if user.id == account_id), None)
