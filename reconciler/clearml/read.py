"""Reading a whole workspace: all of it, or with what of it could not be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from reconciler.clearml.assemble import assemble
from reconciler.clearml.consistency import Readings, contradictions, doubtful, everyone, users_group
from reconciler.clearml.decode import read
from reconciler.clearml.entities import look_up
from reconciler.clearml.impersonation import check_holder
from reconciler.clearml.messages import (
    CredentialsAnswer,
    GroupsAnswer,
    RulesAnswer,
    ServiceUsersAnswer,
    SettingsAnswer,
    VaultsAnswer,
)
from reconciler.clearml.paging import Users, read_some_users, read_users
from reconciler.clearml.tasks import few_at_once, task_group, together
from reconciler.errors import CallRefusedError, IncompleteReadError, UnexpectedAnswerError
from reconciler.frozen import Frozen
from reconciler.model.resources import Kind
from reconciler.model.text import fold
from reconciler.model.unreadable import Lost

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection, Coroutine, Iterator

    from reconciler.clearml.messages import CredentialMessage
    from reconciler.clearml.reader import Reader
    from reconciler.model.access import Entity
    from reconciler.model.live import Live

Answer = TypeVar("Answer")

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

    Lists that do not fit together are read again, since something may have changed between the calls. What cannot be
    read, or still contradicts, is in ``unreadable`` and ``lost``: whether that stops a run is for whoever asks.
    """
    wanted = Wanted(accounts, accounts if vaults_of is None else vaults_of, entities)
    return await read_wanted(reader, wanted)


async def read_wanted(reader: Reader, wanted: Wanted) -> Live:
    """Read the workspace as :func:`read_live` does."""
    claims = await reader.claims()
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
    """Read all; once more if something may have changed between the calls. What then still contradicts is lost."""
    readings = await _read(reader, wanted, None)
    if readings.moved or contradictions(readings) or doubtful(readings):
        readings = await _read(reader, wanted, None)
    return replace(readings, lost=(*readings.lost, *contradictions(readings)))


async def _read(reader: Reader, wanted: Wanted, people: Collection[str] | None) -> Readings:
    lists = _Lists(reader)
    async with task_group() as tasks:
        service = tasks.create_task(lists.read(Kind.SERVICE_ACCOUNT, reader.service_users(), ServiceUsersAnswer()))
        groups = tasks.create_task(lists.read(Kind.GROUP, reader.groups(), GroupsAnswer()))
        settings = tasks.create_task(lists.read(Kind.MEMBER, reader.settings(), SettingsAnswer()))
        vaults = tasks.create_task(lists.read(Kind.VAULT, reader.organization_vaults(), VaultsAnswer()))
        rules = tasks.create_task(lists.read(Kind.ACCESS_RULE, reader.access_rules(), RulesAnswer()))
        everyone = tasks.create_task(_people(groups, service))
        everybody = read_users(reader, everyone) if people is None else read_some_users(reader, people)
        users = tasks.create_task(lists.read(Kind.MEMBER, everybody, Users(())))
        accounts = tasks.create_task(_read_accounts(reader, service, wanted, lists))
    credentials, account_vaults = accounts.result()
    readings = Readings(
        users=users.result(),
        service=service.result(),
        groups=groups.result(),
        settings=settings.result(),
        vaults=vaults.result(),
        rules=rules.result(),
        credentials=credentials,
        account_vaults=account_vaults,
    )
    return replace(readings, lost=(*lists.lost, *_left_out(readings, lists.lost)), moved=lists.moved)


@dataclass(slots=True)
class _Lists:
    """Reads lists, and takes note of those that cannot be read: whether that stops a run is for the plan to say."""

    reader: Reader
    lost: list[Lost] = field(default_factory=list)
    moved: bool = False

    async def read(self, kind: Kind, work: Coroutine[object, object, Answer], nothing: Answer) -> Answer:
        """Return an answer, or ``nothing`` if the server refuses it or tells of something else."""
        try:
            return await work
        except (CallRefusedError, UnexpectedAnswerError, IncompleteReadError) as error:
            self.moved = self.moved or isinstance(error, IncompleteReadError)
            self.lost.append(Lost(kind, error.message, error.hint))
            return nothing


def _left_out(readings: Readings, lost: Collection[Lost]) -> Iterator[Lost]:
    """Return the lists that an answer does not have, unless another answer confirms that there is nothing in them.

    Every server has users, groups and rules of its own, so that these lists are never empty; nothing else tells of
    vaults. All service accounts are in the built-in group Users: if all in it have an e-mail, there are none.
    """
    refused = {item.kind for item in lost}
    people = {user.id for user in readings.users.told if user.email}
    inside = everyone(readings)
    answers = (
        (Kind.SERVICE_ACCOUNT, readings.service, readings.service.users, "users.get_service_users", "users"),
        (Kind.GROUP, readings.groups, readings.groups.groups, "permissions.get_user_groups", "groups"),
        (Kind.VAULT, readings.vaults, readings.vaults.vaults, "users.get_organization_vaults", "vaults"),
        (Kind.ACCESS_RULE, readings.rules, readings.rules.rules, "permissions.get_access_rules", "rules"),
    )
    for kind, answer, items, endpoint, name in answers:
        if items is None and kind not in refused:
            why = answer.why(name)
            confirmed = kind is Kind.SERVICE_ACCOUNT and inside is not None and inside <= people
            if why is not None or not confirmed:
                yield Lost(kind, f"{endpoint}: {why or f'{name} is missing'}", _HINT)


async def _people(groups: asyncio.Task[GroupsAnswer], service: asyncio.Task[ServiceUsersAnswer]) -> frozenset[str]:
    everyone = users_group((await groups).groups or ())
    accounts = {account.id for account in (await service).users or ()}
    return everyone.user_ids - accounts if everyone else frozenset()


async def _read_accounts(
    reader: Reader, service: asyncio.Task[ServiceUsersAnswer], wanted: Wanted, lists: _Lists
) -> tuple[dict[str, CredentialsAnswer], dict[str, VaultsAnswer]]:
    """Read what belongs to each account as soon as the accounts are known, beside the lists."""
    unique = _unique_accounts(await service)
    with_credentials, with_vaults = (
        [account for name, account in unique.items() if names is None or name in names]
        for names in (wanted.accounts, wanted.vaults_of)
    )

    def credentials_of(account: str) -> Coroutine[object, object, CredentialsAnswer]:
        return lists.read(Kind.CREDENTIAL, reader.credentials(account), CredentialsAnswer())

    def vaults_seen_by(account: str) -> Coroutine[object, object, VaultsAnswer]:
        return lists.read(Kind.VAULT, reader.account_vaults(account), VaultsAnswer())

    async with task_group() as tasks:
        credentials = tasks.create_task(few_at_once(map(credentials_of, with_credentials), reader.concurrency))
        vaults = tasks.create_task(few_at_once(map(vaults_seen_by, with_vaults), reader.concurrency))
    held = dict(zip(with_credentials, credentials.result(), strict=True))
    seen = dict(zip(with_vaults, vaults.result(), strict=True))
    keys = ((account, key.access_key) for account, answer in held.items() for key in answer.credentials or ())
    account, key = next(keys, (None, None))
    if account is not None and key is not None:
        await lists.read(Kind.CREDENTIAL, check_holder(reader, account, key), None)
    return {account: await _with_labels(reader, answer) for account, answer in held.items()}, seen


async def _with_labels(reader: Reader, answer: CredentialsAnswer) -> CredentialsAnswer:
    """Ask once more for the label of every credential that was told without one, since it is known by its label.

    What bears no label counts as left behind by a run that died, and is revoked.
    """

    async def label_of(message: CredentialMessage) -> CredentialMessage:
        if message.label is not None or message.why("label") is not None:
            return message
        try:
            holder = await reader.credential_holder(message.access_key)
        except UnexpectedAnswerError:
            holder = None
        return message if holder is None else replace(message, label=read(holder.label))

    if answer.credentials is None:
        return answer
    return replace(answer, credentials=tuple(await together(map(label_of, answer.credentials))))


def _unique_accounts(service: ServiceUsersAnswer) -> dict[str, str]:
    """Return ids by folded name, without the names that two accounts share: nobody can say which one is meant."""
    named = [(fold(account.name), account.id) for account in service.users or () if account.name is not None]
    names = Counter(name for name, _ in named)
    return {name: identifier for name, identifier in named if names[name] == 1}
