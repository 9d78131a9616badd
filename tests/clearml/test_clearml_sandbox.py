"""The client against the embedded server, over ASGI."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.clearml.decode import read
from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import ReadTransport, Transport
from reconciler.clearml.write import Writer
from reconciler.errors import CallRefusedError, SignInError
from reconciler.model.resources import Address, Document, DocumentFormat, MemberState, OwnerKind, Role, Vault
from reconciler.model.secret import Secret
from reconciler.sandbox.app import create_app
from reconciler.sandbox.store import Store
from reconciler.sandbox.whitelist import accept_invitation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

SETTINGS = ConnectionSettings("http://sandbox", "ROOT", Secret("root-secret"), "the test")


@dataclass
class Connected:
    store: Store
    transport: Transport
    reader: Reader
    writer: Writer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "sandbox.db", admin_key="ROOT", admin_secret="root-secret") as store:
        yield store


def run(store: Store, work: Callable[[Connected], Awaitable[None]]) -> None:
    async def connected() -> None:
        async with Transport(SETTINGS, transport=httpx.ASGITransport(create_app(store))) as transport:
            await work(Connected(store, transport, Reader(transport), Writer(transport)))

    asyncio.run(connected())


def vault_named(name: str, owner_kind: OwnerKind, written: DocumentFormat, *, enabled: bool = True) -> Vault:
    return Vault(name, owner_kind, "", Document(written, Secret("")), written, enabled=enabled)


def test_a_populated_workspace_is_read_as_it_was_written(store: Store) -> None:
    async def work(at: Connected) -> None:
        assert await at.writer.invite("Ada@acme.io", Role.CONSUMER)
        assert not await at.writer.invite("Ada@acme.io", Role.CONSUMER), "a repeat does no harm"
        await at.writer.invite("bob@acme.io", Role.USER)
        ada = accept_invitation(at.store, "Ada@acme.io")
        assert await at.writer.set_role(ada, Role.ADMIN)
        assert not await at.writer.set_role(ada, Role.ADMIN)
        assert await at.writer.rename_user(ada, "Ada L")
        bot = await at.writer.create_service_account("Train-Agent", impersonation=False, lifetime=timedelta(days=90))
        assert read(bot.credentials.expire) is not None
        assert await at.writer.label_credential(bot.id, bot.credentials.access_key, "k8s")
        assert await at.writer.update_service_account(bot.id, name="train-agent", impersonation=True)
        second = await at.writer.create_credential(bot.id, "ci [undelivered]", timedelta(hours=1))
        group_id = str(uuid.uuid4())
        for _ in range(2):
            await at.writer.create_group(group_id, "Research", "", [ada])
        await at.writer.update_group(group_id, "Research", "all of us", [ada, bot.id])
        text = Secret('aws { key: "sesame" }')
        vault = await at.writer.create_vault(
            vault_named("s3", OwnerKind.GROUP, DocumentFormat.HOCON), group_id, Secret("x: 1")
        )
        await at.writer.update_vault(
            vault, vault_named("s3", OwnerKind.GROUP, DocumentFormat.HOCON, enabled=False), group_id, text
        )
        own = await at.writer.create_vault(
            vault_named("own", OwnerKind.SERVICE_ACCOUNT, DocumentFormat.JSON), bot.id, Secret("{}")
        )

        live = await read_live(at.reader, accounts=None)

        members = live.snapshot.members
        assert {member.email: member.state for member in members.values()} == {
            "root@acme.io": MemberState.ACTIVE,
            "Ada@acme.io": MemberState.ACTIVE,
            "bob@acme.io": MemberState.INVITED,
        }
        assert (members[Address.member("ada@acme.io")].role, members[Address.member("ada@acme.io")].name) == (
            Role.ADMIN,
            "Ada L",
        )
        account = live.snapshot.service_accounts[Address.service_account("train-agent")]
        assert (account.impersonation, account.admin) == (True, False)
        group = live.snapshot.groups[Address.group("research")]
        assert (group.members, group.service_accounts, group.description, group.builtin) == (
            {"ada@acme.io"},
            {"train-agent"},
            "all of us",
            False,
        )
        builtin = live.snapshot.groups[Address.group("users")]
        assert (builtin.builtin, builtin.assignable) == (True, False)
        assert live.snapshot.groups[Address.group("queue admins")].assignable
        s3 = live.snapshot.vaults[Address.vault(OwnerKind.GROUP, "research", "s3")]
        assert (s3.document.text, s3.enabled, s3.target) == (text, False, "config")
        assert live.ids[Address.vault(OwnerKind.SERVICE_ACCOUNT, "train-agent", "own")] == own
        assert live.ids[Address.credential("train-agent", "k8s")] == bot.credentials.access_key
        assert live.ids[Address.credential("train-agent", "ci [undelivered]")] == second.access_key
        facts = live.credentials[Address.credential("train-agent", "k8s")]
        assert facts.expires is not None
        assert facts.created is not None
        assert live.caller.address == Address.member("root@acme.io")
        assert (live.caller.access_key, live.caller.role) == ("ROOT", "admin")
        assert "sesame" not in repr(live)

    run(store, work)


def test_what_was_made_can_be_removed_and_a_removal_of_nothing_is_refused(store: Store) -> None:
    async def work(at: Connected) -> None:
        bot = await at.writer.create_service_account("bot", impersonation=False)
        group_id = str(uuid.uuid4())
        await at.writer.create_group(group_id, "G", "", [bot.id])
        vault = await at.writer.create_vault(
            vault_named("v", OwnerKind.GROUP, DocumentFormat.YAML), group_id, Secret("")
        )
        await at.writer.invite("eve@acme.io", Role.USER)
        removals: list[Callable[[], Awaitable[None]]] = [
            lambda: at.writer.delete_vault(vault),
            lambda: at.writer.delete_group(group_id),
            lambda: at.writer.revoke_credential(bot.id, bot.credentials.access_key),
            lambda: at.writer.delete_user(bot.id),
            lambda: at.writer.cancel_invitation("eve@acme.io"),
        ]
        for removal in removals:
            await removal()
            with pytest.raises(CallRefusedError):
                await removal()
        live = await read_live(at.reader)
        assert len(live.snapshot.members) == 1
        assert not live.snapshot.service_accounts
        assert not live.snapshot.vaults
        assert all(group.builtin for group in live.snapshot.groups.values())

    run(store, work)


def test_single_objects_can_be_read_again(store: Store) -> None:
    async def work(at: Connected) -> None:
        bot = await at.writer.create_service_account("bot", impersonation=False)
        group_id = str(uuid.uuid4())
        assert await at.reader.user("nobody") is None
        await at.writer.create_group(group_id, "G", "", [bot.id])
        assert await at.reader.group(str(uuid.uuid4())) is None
        group = await at.reader.group(group_id)
        assert group is not None
        assert group.user_ids == {bot.id}
        user = await at.reader.user((await at.reader.claims()).user)
        assert user is not None
        assert user.email == "root@acme.io"
        assert [item.access_key for item in await at.reader.listed_credentials(bot.id)] == [bot.credentials.access_key]

    run(store, work)


@pytest.mark.parametrize("listed", [True, False])
def test_several_pages_of_people(store: Store, listed: bool) -> None:
    store.change_settings(list_service_users=listed)
    emails = [f"p{n}@acme.io" for n in range(1010)]

    async def work(at: Connected) -> None:
        await at.transport.call("login.add_whitelist_entries", {"emails": emails, "role": "user"}, dict)
        for email in emails:
            accept_invitation(at.store, email)
        await at.writer.create_service_account("bot", impersonation=False)
        at.transport.calls.clear()
        live = await read_live(at.reader, accounts=())
        assert len(live.snapshot.members) == 1011
        assert at.transport.calls["users.get_all_ex"] == 3

    run(store, work)


def test_a_wrong_key_and_a_plain_user_are_told_plainly(store: Store) -> None:
    async def wrong() -> None:
        settings = ConnectionSettings("http://sandbox", "ROOT", Secret("not-the-secret"), "~/clearml.conf")
        async with ReadTransport(settings, transport=httpx.ASGITransport(create_app(store))) as transport:
            await read_live(Reader(transport))

    with pytest.raises(SignInError, match=r"from ~/clearml\.conf \(401/22\)"):
        asyncio.run(wrong())

    async def plain() -> None:
        async with Transport(SETTINGS, transport=httpx.ASGITransport(create_app(store))) as transport:
            await Writer(transport).invite("eve@acme.io", Role.USER)
        token = Secret(store.session_for(accept_invitation(store, "eve@acme.io")))
        settings = ConnectionSettings("http://sandbox", source="the test", token=token)
        async with ReadTransport(settings, transport=httpx.ASGITransport(create_app(store))) as transport:
            lost = (await read_live(Reader(transport))).lost
            assert len(lost) == 5
            assert all("these have the role user" in (item.hint or "") for item in lost)

    asyncio.run(plain())
