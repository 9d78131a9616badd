"""Operations on credentials, in an order that loses no secret key at any moment.

A new credential bears a mark in its label until its secret key has been delivered. Whatever happens in between, the
next run finds the mark, knows that nobody holds the key, revokes the credential and makes it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.apply.run import MovedError, moved
from reconciler.apply.settle import confirmed, repeated, settled
from reconciler.clearml.decode import read
from reconciler.clearml.impersonation import check_holder
from reconciler.errors import DeliveryError, ImpersonationLostError
from reconciler.model.resources import RETIRING_MARK, UNDELIVERED_MARK, Address, Credential
from reconciler.plan.changes import Reason

if TYPE_CHECKING:
    from reconciler.apply.run import Run
    from reconciler.clearml.messages import NewCredentialMessage
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.operations import Operation


def first_declared(desired: Snapshot, account: Address) -> Credential | None:
    """Return the first credential that the declaration gives an account, in its own order."""
    return next((owned for owned in desired.owned_by(account) if isinstance(owned, Credential)), None)


async def create(run: Run, operation: Operation) -> None:
    """Make a credential, deliver its secret key, and only then give it its declared label.

    A failed delivery revokes it at once (``docs/explanation/decisions.md, 7``).
    """
    credential = run.wanted(operation, Credential)
    account_id = run.id_of(Address.service_account(credential.account))
    new = await _delivered(run, account_id, credential)
    await repeated(lambda: run.writer.label_credential(account_id, new.access_key, credential.label))
    run.ids[operation.change.address] = new.access_key


async def rotate(run: Run, operation: Operation) -> None:
    """Replace a credential: the new one is delivered first, the old one then works on until its own end.

    The old one gives its label away before the new one takes it, so that no moment has two of them. One that has
    expired is revoked instead: nobody can use it any more.
    """
    credential = run.wanted(operation, Credential)
    account_id = run.id_of(Address.service_account(credential.account))
    old = run.id_of(operation.change.address)
    new = await _delivered(run, account_id, credential)
    if operation.change.reason is Reason.EXPIRED:
        await revoke_one(run, account_id, old)
    else:
        await repeated(lambda: run.writer.label_credential(account_id, old, credential.label + RETIRING_MARK))
    await repeated(lambda: run.writer.label_credential(account_id, new.access_key, credential.label))
    run.ids[operation.change.address] = new.access_key


async def _delivered(run: Run, account_id: str, credential: Credential) -> NewCredentialMessage:
    if credential.delivery is None:
        raise DeliveryError(f"{credential.title} has no delivery declared")
    new = await _obtain(run, account_id, credential)
    try:
        await check_holder(run.reader, account_id, new.access_key)
        await run.deliveries.deliver(credential.delivery, new.access_key, new.secret_key)
    except (DeliveryError, ImpersonationLostError):
        await revoke_one(run, account_id, new.access_key)
        raise
    return new


async def _obtain(run: Run, account_id: str, credential: Credential) -> NewCredentialMessage:
    account = Address.service_account(credential.account)
    if first_declared(run.desired, account) == credential and account in run.first_credentials:
        return run.first_credentials.pop(account)
    marked = credential.label + UNDELIVERED_MARK

    async def write() -> NewCredentialMessage:
        return await run.writer.create_credential(account_id, marked, credential.lifetime)

    async def revoke_lost() -> None:
        """Revoke what may have been made: its secret key went with the answer."""
        known = set(run.ids.values())
        for live in await run.reader.listed_credentials(account_id):
            if live.label == marked and live.access_key not in known:
                await revoke_one(run, account_id, live.access_key)

    return await settled(write, revoke_lost)


async def label(run: Run, operation: Operation) -> None:
    """Give a credential its label as the declaration spells it."""
    credential = run.wanted(operation, Credential)
    account_id = run.id_of(Address.service_account(credential.account))
    access_key = run.id_of(operation.change.address)
    await repeated(lambda: run.writer.label_credential(account_id, access_key, credential.label))


async def revoke(run: Run, operation: Operation) -> None:
    """Revoke a credential that is not declared, if it is still the one that was planned for."""
    address = operation.change.address
    facts = run.live.credentials.get(address)
    account_id = run.id_of(address.owner or address)
    access_key = run.id_of(address)
    for live in await run.reader.listed_credentials(account_id):
        if live.access_key == access_key:
            if facts is not None and (live.label or None) != facts.label:
                raise moved(operation, "was given another label")
            await revoke_one(run, account_id, access_key)


async def revoke_one(run: Run, account_id: str, access_key: str) -> None:
    """Revoke one credential."""

    async def is_gone() -> bool:
        return all(live.access_key != access_key for live in await run.reader.listed_credentials(account_id))

    await confirmed(lambda: run.writer.revoke_credential(account_id, access_key), is_gone)


async def revoke_all(run: Run, account_id: str) -> None:
    """Revoke every credential of an account that was just made and whose secret keys nobody holds."""
    for live in await run.reader.listed_credentials(account_id):
        if read(live.last_used) is not None:
            raise MovedError("a credential of a service account that was just created is in use; check it by hand")
        await revoke_one(run, account_id, live.access_key)
