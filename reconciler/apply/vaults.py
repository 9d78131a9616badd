"""Operations on vaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.apply.run import moved
from reconciler.apply.settle import confirmed, created, repeated
from reconciler.model.edits import DocumentEdit, TextEdit
from reconciler.model.resources import OwnerKind, Vault
from reconciler.model.secret import Secret
from reconciler.model.text import fold

if TYPE_CHECKING:
    from reconciler.apply.run import Run
    from reconciler.clearml.messages import VaultMessage
    from reconciler.model.resources import Address
    from reconciler.plan.operations import Operation


async def create(run: Run, operation: Operation) -> None:
    """Create a vault; where the answer was lost it is not created again, but looked for among those that are new.

    It is found by its name and owner, an account's own one by its owner alone.
    """
    vault = run.wanted(operation, Vault)
    owner = _owner_id(run, operation.change.address)
    text = _text(run, vault)

    async def find() -> str | None:
        known = set(run.ids.values())
        found = [item for item in await _live(run, vault.owner_kind, owner) if item.id not in known]
        return next((item.id for item in found if vault.is_own or fold(item.name) == fold(vault.name)), None)

    run.ids[operation.change.address] = await created(lambda: run.writer.create_vault(vault, owner, text), find)


async def update(run: Run, operation: Operation) -> None:
    """Set a vault to what is declared, if its text is still what the plan was made from."""
    vault = run.wanted(operation, Vault)
    owner = _owner_id(run, operation.change.address)
    text = _text_to_send(run, operation, vault)
    vault_id = run.id_of(operation.change.address)
    if await _as_planned(run, operation) is None:
        raise moved(operation, "was removed")
    await repeated(lambda: run.writer.update_vault(vault_id, vault, owner, text))


async def remove(run: Run, operation: Operation) -> None:
    """Remove a vault, if its text is still what the plan was made from.

    An account's own one is switched off and emptied instead: ClearML asks that vaults of users are never deleted
    (``docs/explanation/clearml-api.md, Vaults``).
    """
    vault_id = run.id_of(operation.change.address)
    if await _as_planned(run, operation) is None:
        return
    vault = run.existing(operation, Vault)
    if vault.is_own:
        owner, emptied = _owner_id(run, operation.change.address), replace(vault, enabled=False)
        await repeated(lambda: run.writer.update_vault(vault_id, emptied, owner, Secret("")))
        return

    async def is_gone() -> bool:
        return await _current(run, operation) is None

    await confirmed(lambda: run.writer.delete_vault(vault_id), is_gone)


async def _as_planned(run: Run, operation: Operation) -> VaultMessage | None:
    """Return the vault as it is now, if it is still there; raise ``MovedError`` if its text is another one by now."""
    now = await _current(run, operation)
    if now is not None and (now.unread or now.data is None or now.editable is False):
        raise moved(operation, "can no longer be read as a whole")
    if now is not None and now.text != run.existing(operation, Vault).document.text:
        raise moved(operation, "was changed")
    return now


async def _current(run: Run, operation: Operation) -> VaultMessage | None:
    owner_kind = run.existing(operation, Vault).owner_kind
    vaults = await _live(run, owner_kind, _owner_id(run, operation.change.address))
    return next((vault for vault in vaults if vault.id == run.id_of(operation.change.address)), None)


async def _live(run: Run, owner_kind: OwnerKind, owner: str) -> tuple[VaultMessage, ...]:
    if owner_kind is OwnerKind.SERVICE_ACCOUNT:
        return await run.reader.own_vaults(owner)
    return tuple(vault for vault in await run.organization_vaults.fresh() if vault.group == owner)


def _owner_id(run: Run, address: Address) -> str:
    return run.id_of(address.owner or address)


def _text(run: Run, vault: Vault) -> Secret:
    from reconciler.vaults.portable import stored_text

    return stored_text(vault, run.parser)


def _text_to_send(run: Run, operation: Operation, vault: Vault) -> Secret:
    """Return the declared text, or the live one where only something else changes, so that it stays untouched."""
    touches_text = any(isinstance(edit, DocumentEdit | TextEdit) for edit in operation.change.edits)
    if touches_text or operation.change.edited("format"):
        return _text(run, vault)
    return run.existing(operation, Vault).document.text
