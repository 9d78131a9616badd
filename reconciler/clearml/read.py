"""Reading a whole workspace: all of it, or an error."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.clearml.assemble import assemble
from reconciler.clearml.consistency import Readings, inconsistency, users_group
from reconciler.clearml.entities import look_up
from reconciler.clearml.impersonation import check_holder
from reconciler.clearml.paging import read_some_users, read_users
from reconciler.clearml.tasks import few_at_once, task_group
from reconciler.errors import IncompleteReadError
from reconciler.frozen import Frozen
from reconciler.model.text import fold

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection

    from reconciler.clearml.messages import CredentialMessage, GroupMessage, ServiceUsersAnswer, VaultMessage
    from reconciler.clearml.reader import Reader
    from reconciler.model.access import Entity
    from reconciler.model.live import Live

_HINT = "nothing was changed; run it again, and if that does not help, the server's answers are not whole"


class Wanted(Frozen):
    """What is read with a call for each: see :func:`read_live`."""

    accounts: Collection[str] | None
    vaults_of: Collection[str] | None
    entities: Collection[Entity] = ()


async def read_live(
    reader: Reader,
    *,
    accounts: Collection[str] | None = None,
    vaults_of: Collection[str] | None = None,
    entities: Collection[Entity] = (),
) -> Live:
    """Read the workspace: pages of users, five lists, and one call for each account whose credentials are wanted.

    One more makes sure that those calls were answered for the accounts.

    ``accounts`` are the folded names of the service accounts whose credentials are read, ``vaults_of`` those whose own
    vault is (one call each; the same ones as ``accounts`` if left out); ``None`` means all. ``entities`` are what
    access rules name: those that are known by name only are looked up, one call each.

    Raises :class:`IncompleteReadError` if the lists do not fit together, and still do not when read again (something
    may have changed between the calls the first time).
    """
    wanted = Wanted(accounts, accounts if vaults_of is None else vaults_of, entities)
    return await read_wanted(reader, wanted)


async def read_wanted(reader: Reader, wanted: Wanted) -> Live:
    """Read the workspace as :func:`read_live` does."""
    claims = await reader.claims()
    try:
        readings = await _consistent(reader, wanted)
    except IncompleteReadError:
        readings = await _consistent(reader, wanted)
    live = assemble(readings, claims, reader.access_key)
    entities = wanted.entities
    return replace(live, entities=await look_up(reader, entities)) if entities else live


async def read_part(
    reader: Reader, *, people: Collection[str], accounts: Collection[str], vaults_of: Collection[str]
) -> Live:
    """Read what a few changes concern: of all people only those with these ids, and every list as a whole.

    It is for comparing those changes alone: the others in a group count as strangers, and whether the lists fit
    together cannot be told. ``accounts`` and ``vaults_of`` are as for :func:`read_live`.
    """
    claims = await reader.claims()
    readings = await _read(reader, Wanted(accounts, vaults_of), people)
    return assemble(readings, claims, reader.access_key)


async def _consistent(reader: Reader, wanted: Wanted) -> Readings:
    readings = await _read(reader, wanted, None)
    problem = inconsistency(readings)
    if problem is not None:
        raise IncompleteReadError(f"the workspace could not be read as a whole: {problem}", hint=_HINT)
    return readings


async def _read(reader: Reader, wanted: Wanted, people: Collection[str] | None) -> Readings:
    async with task_group() as tasks:
        service = tasks.create_task(reader.service_users())
        lists = tasks.create_task(_read_lists(reader, service, people))
        accounts = tasks.create_task(_read_accounts(reader, service, wanted))
    credentials, account_vaults = accounts.result()
    return replace(lists.result(), credentials=credentials, account_vaults=account_vaults)


async def _read_lists(
    reader: Reader, service: asyncio.Task[ServiceUsersAnswer], only: Collection[str] | None
) -> Readings:
    async with task_group() as tasks:
        groups = tasks.create_task(reader.groups())
        settings = tasks.create_task(reader.settings())
        vaults = tasks.create_task(reader.organization_vaults())
        rules = tasks.create_task(reader.access_rules())
        everyone = tasks.create_task(_people(groups, service))
        users = tasks.create_task(read_users(reader, everyone) if only is None else read_some_users(reader, only))
    return Readings(
        users=tuple(users.result()),
        service=await service,
        groups=groups.result(),
        settings=settings.result(),
        vaults=vaults.result(),
        rules=rules.result(),
    )


async def _people(
    groups: asyncio.Task[tuple[GroupMessage, ...]], service: asyncio.Task[ServiceUsersAnswer]
) -> frozenset[str]:
    everyone = users_group(await groups)
    accounts = {account.id for account in (await service).users}
    return everyone.user_ids - accounts if everyone else frozenset()


async def _read_accounts(
    reader: Reader,
    service: asyncio.Task[ServiceUsersAnswer],
    wanted: Wanted,
) -> tuple[dict[str, tuple[CredentialMessage, ...]], dict[str, tuple[VaultMessage, ...]]]:
    """Read what belongs to each account as soon as the accounts are known, beside the lists."""
    unique = _unique_accounts(await service)
    with_credentials, with_vaults = (
        [account for name, account in unique.items() if names is None or name in names]
        for names in (wanted.accounts, wanted.vaults_of)
    )
    async with task_group() as tasks:
        credentials = tasks.create_task(few_at_once(map(reader.credentials, with_credentials), reader.concurrency))
        vaults = tasks.create_task(few_at_once(map(reader.account_vaults, with_vaults), reader.concurrency))
    held = dict(zip(with_credentials, credentials.result(), strict=True))
    account, key = next(((account, keys[0].access_key) for account, keys in held.items() if keys), (None, None))
    if account is not None and key is not None:
        await check_holder(reader, account, key)
    return held, dict(zip(with_vaults, vaults.result(), strict=True))


def _unique_accounts(service: ServiceUsersAnswer) -> dict[str, str]:
    """Return ids by folded name, without the names that two accounts share: nobody can say which one is meant."""
    names = Counter(fold(account.name) for account in service.users)
    return {fold(account.name): account.id for account in service.users if names[fold(account.name)] == 1}
