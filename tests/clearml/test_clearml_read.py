"""Complete reads: the whole list or an error, never a part taken for the whole."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import httpx
import pytest
from clearml_fakes import FakeTime, ScriptedServer, envelope, ok, reading

from reconciler.clearml.entities import LOOK_UPS, LookUp
from reconciler.clearml.messages import USERS_GROUP_ID
from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.errors import (
    ImpersonationLostError,
    UnexpectedAnswerError,
    UnreachableError,
)
from reconciler.model.access import Candidates, Entity, EntityType, Permission
from reconciler.model.resources import AccessRule, Address, Kind, MemberState, OwnerKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from reconciler.model.live import Live
    from reconciler.model.unreadable import Unreadable

Json = dict[str, object]
ACCOUNT: Json = {"id": "a0", "name": "Bot", "role": "user", "allow_running_as_owner": True, "credentials": 1}
CREDENTIAL: Json = {"access_key": "KEY1", "label": "prod", "created": "2026-01-01T00:00:00+00:00"}


class Workspace(ScriptedServer):
    """A small consistent workspace, whose parts a test can damage."""

    def __init__(self, people: int = 3, *, cap: int = 500) -> None:
        super().__init__()
        self.cap = cap
        self.people: list[Json] = [
            {"id": f"u{n:05}", "email": f"P{n}@acme.io", "name": f"P {n}", "role": "admin" if n == 0 else "user"}
            for n in range(people)
        ]
        self.accounts: list[Json] = [dict(ACCOUNT)]
        self.groups: list[Json] = [{"id": "g1", "name": "Research", "users": [{"id": "u00001"}, {"id": "a0"}]}]
        self.vaults: list[Json] = [
            {"id": "v1", "description": "s3", "data": "a: 1", "scope": "group", "group": "g1"},
            {"id": "v0", "description": "everyone", "data": "", "scope": "organization"},
        ]
        self.entries: list[Json] = [{"email": "new@acme.io", "status": "pending", "added": "2026-01-01T00:00:00"}]
        self.credentials: list[Json] = [dict(CREDENTIAL)]
        self.own_vaults: list[Json] = [
            {"id": "v2", "description": "own", "data": "b: 2", "scope": "user", "user": "a0", "format": "yaml"},
            {"id": "v1", "description": "s3", "data": "a: 1", "scope": "group", "group": "g1"},
            {"id": "v3", "description": "other", "data": "", "scope": "user", "user": "u00000"},
        ]
        self.rules: list[Json] = [
            {
                "id": "r1",
                "name": "Vision",
                "entity_type": "project",
                "entity_id": "p1",
                "entity_name": "Robots/Vision",
                "access_permission": "read_write",
                "users": [{"id": "u00001"}, {"id": "a0"}],
                "groups": [{"id": "g1"}],
            },
            {
                "id": "r0",
                "name": "Vision",
                "description": "",
                "entity_type": "queue",
                "entity_id": "*",
                "access_permission": "read",
                "users": [],
                "groups": [{"id": USERS_GROUP_ID}],
                "autocreated": True,
            },
        ]
        self.holder = "a0"
        self.everyone: Callable[[], list[Json]] = lambda: [*self.people, *self.accounts]
        self.handlers = {
            "users.get_all_ex": self.users,
            "permissions.get_user_groups": lambda *_: ok({"groups": [self.users_group(), *self.groups]}),
            "users.get_service_users": lambda *_: ok(
                {"users": self.accounts, "allow_admins": True, "allowed_service_users": 10}
            ),
            "login.get_settings": lambda *_: ok({"domains": [], "whitelist_entries": self.entries}),
            "users.get_organization_vaults": lambda *_: ok({"vaults": self.vaults}),
            "auth.get_credentials": lambda *_: ok({"credentials": self.credentials}),
            "auth.locate_credentials": lambda *_: ok({"user": self.holder, "name": "Bot"}),
            "users.get_vaults": lambda *_: ok({"vaults": self.own_vaults}),
            "permissions.get_access_rules": lambda *_: ok({"rules": self.rules}),
        }

    def users_group(self) -> Json:
        members = [{"id": item["id"]} for item in self.everyone()]
        return {"id": USERS_GROUP_ID, "name": "Users", "system": True, "assignable": False, "users": members}

    def users(self, body: Json, _: httpx.Request) -> httpx.Response:
        assert body["include_auth"] is True
        assert body["order_by"] == ["id"]
        size = min(int(str(body["page_size"])), self.cap)
        start = int(str(body["page"])) * size
        return ok({"users": sorted(self.people, key=lambda user: str(user["id"]))[start : start + size]})


def read(
    server: ScriptedServer,
    accounts: Collection[str] | None = None,
    vaults_of: Collection[str] | None = None,
    entities: Collection[Entity] = (),
) -> Live:
    async def run() -> Live:
        async with reading(server, FakeTime()) as transport:
            return await read_live(Reader(transport), accounts=accounts, vaults_of=vaults_of, entities=entities)

    return asyncio.run(run())


def people(live: Live) -> int:
    return sum(member.state is MemberState.ACTIVE for member in live.snapshot.members.values())


def test_a_workspace_is_read_with_one_call_for_each_list() -> None:
    server = Workspace()
    live = read(server)
    assert people(live) == 3
    assert server.calls == {
        "auth.login": 1,
        "users.get_all_ex": 1,
        "permissions.get_user_groups": 1,
        "users.get_service_users": 1,
        "login.get_settings": 1,
        "users.get_organization_vaults": 1,
        "auth.get_credentials": 1,
        "auth.locate_credentials": 1,
        "users.get_vaults": 1,
        "permissions.get_access_rules": 1,
    }
    group = live.snapshot.groups[Address.group("research")]
    assert group.members == {"p1@acme.io"}
    assert group.service_accounts == {"bot"}
    assert group.description == ""
    invited = live.snapshot.members[Address.member("new@acme.io")]
    assert (invited.state, invited.role) == (MemberState.INVITED, None)
    assert {vault.title for vault in live.snapshot.vaults.values()} == {"s3 → Research", "Bot → Bot"}
    own = live.snapshot.vaults[Address.vault(OwnerKind.SERVICE_ACCOUNT, "bot", "own")]
    assert own.document.text.reveal() == "b: 2"
    rule = live.snapshot.access_rules[Address.access_rule("vision")]
    assert rule == AccessRule(
        "Vision",
        Entity(EntityType.PROJECT, "p1", "Robots/Vision"),
        Permission.READ_WRITE,
        frozenset({"p1@acme.io"}),
        frozenset({"bot"}),
        frozenset({"research"}),
        "",
    )
    assert live.ids[rule.address] == "r1", "the server's own rule of the same name is another matter"
    assert [(at, own.entity, own.groups) for at, own in live.server_rules.items()] == [
        ("r0", Entity(EntityType.QUEUE, "*"), {"users"})
    ]
    assert live.maximum_service_accounts == 10
    assert live.ids[Address.credential("bot", "prod")] == "KEY1"


def test_only_the_wanted_accounts_are_read_one_by_one() -> None:
    server = Workspace()
    live = read(server, accounts=())
    assert server.calls["auth.get_credentials"] == server.calls["users.get_vaults"] == 0
    assert live.credential_counts == {Address.service_account("bot"): 1}
    server = Workspace()
    read(server, accounts={"bot"}, vaults_of=())
    assert (server.calls["auth.get_credentials"], server.calls["users.get_vaults"]) == (1, 0)


def test_credentials_that_are_somebody_elses_are_an_error() -> None:
    server = Workspace()
    server.holder = "u00001"
    with pytest.raises(ImpersonationLostError, match="as if they were for somebody else"):
        read(server)


def test_a_credential_that_is_gone_by_now_tells_nothing() -> None:
    server = Workspace()
    server.handlers["auth.locate_credentials"] = lambda *_: envelope(400, 75, "Access key not found for user")
    assert read(server).ids[Address.credential("bot", "prod")] == "KEY1"


@pytest.mark.parametrize(
    ("count", "cap", "pages"),
    [(1, 500, 1), (499, 500, 1), (500, 500, 2), (501, 500, 2), (1234, 500, 3), (250, 100, 3), (300, 100, 3), (7, 1, 7)],
)
def test_every_page_is_read_and_none_in_vain(count: int, cap: int, pages: int) -> None:
    server = Workspace(count, cap=cap)
    if count == 1:
        server.groups.clear()
        server.vaults.clear()
        server.rules.clear()
    assert people(read(server, accounts=())) == count
    assert server.calls["users.get_all_ex"] == pages


@pytest.mark.parametrize("listed", [True, False], ids=["accounts listed as users", "accounts not listed"])
def test_service_accounts_are_never_taken_for_people(listed: bool) -> None:
    server = Workspace(3)
    if listed:
        bot = {"id": "a0", "name": "Bot"}
        server.handlers["users.get_all_ex"] = lambda *_: ok({"users": [*server.people, bot]})
    assert people(read(server, accounts=())) == 3


def _drop_page(server: Workspace) -> None:
    honest = server.users
    server.handlers["users.get_all_ex"] = lambda body, request: (
        ok({"users": []}) if body["page"] == 1 else honest(body, request)
    )


def _repeat_page(server: Workspace) -> None:
    honest = server.users
    server.handlers["users.get_all_ex"] = lambda body, request: honest(body | {"page": 0}, request)


def _shorten_page(server: Workspace) -> None:
    honest = server.users

    def shortened(body: Json, request: httpx.Request) -> httpx.Response:
        users = honest(body, request).json()["data"]["users"]
        return ok({"users": users[: len(users) // 2] if body["page"] == 1 else users})

    server.handlers["users.get_all_ex"] = shortened


def _empty(endpoint: str, name: str) -> Callable[[Workspace], None]:
    def damage(server: Workspace) -> None:
        server.handlers[endpoint] = lambda *_: ok({name: []})

    return damage


CONTRADICTIONS: dict[str, tuple[Kind, Callable[[Workspace], object]]] = {
    "no users": (Kind.MEMBER, _empty("users.get_all_ex", "users")),
    "a page is missing": (Kind.MEMBER, _drop_page),
    "a page is short": (Kind.MEMBER, _shorten_page),
    "a page is repeated": (Kind.MEMBER, _repeat_page),
    "no groups": (Kind.GROUP, _empty("permissions.get_user_groups", "groups")),
    "no service accounts": (Kind.MEMBER, _empty("users.get_service_users", "users")),
    "no credentials": (Kind.CREDENTIAL, _empty("auth.get_credentials", "credentials")),
    "a credential too many": (Kind.CREDENTIAL, lambda server: server.credentials.append({"access_key": "KEY2"})),
    "a group twice": (Kind.GROUP, lambda server: server.groups.append(server.groups[0])),
    "a service account twice": (Kind.SERVICE_ACCOUNT, lambda server: server.accounts.append(server.accounts[0])),
    "a vault twice": (Kind.VAULT, lambda server: server.vaults.append(server.vaults[0])),
    "a credential twice": (
        Kind.CREDENTIAL,
        lambda server: (server.credentials.append(server.credentials[0]), server.accounts[0].update(credentials=2)),
    ),
    "Users has one more": (
        Kind.MEMBER,
        lambda server: setattr(server, "everyone", lambda: [*server.people, *server.accounts, {"id": "ghost"}]),
    ),
    "an access rule twice": (Kind.ACCESS_RULE, lambda server: server.rules.append(server.rules[0])),
}


@pytest.mark.parametrize("damage", CONTRADICTIONS)
def test_a_list_that_is_not_whole_is_lost(damage: str) -> None:
    server = Workspace(1100)
    kind, harm = CONTRADICTIONS[damage]
    harm(server)
    assert kind in {item.kind for item in read(server).lost}
    assert server.calls["permissions.get_user_groups"] == 2, "it is read once more before giving up"


DOUBTS: dict[str, tuple[Callable[[Workspace], object], tuple[Kind, str, str | None, str]]] = {
    "Users lacks one": (
        lambda server: setattr(server, "everyone", lambda: [*server.people[1:], *server.accounts]),
        (
            Kind.MEMBER,
            "P0@acme.io",
            None,
            "the built-in group Users, which has everyone in it, does not have this user",
        ),
    ),
    "a person without e-mail": (
        lambda server: server.people[0].pop("email"),
        (Kind.MEMBER, "P 0", None, "email is missing"),
    ),
    "a person without role": (
        lambda server: server.people[0].pop("role"),
        (Kind.MEMBER, "P0@acme.io", "role", "role is missing"),
    ),
    "a role that nobody knows": (
        lambda server: server.people[1].update(role="emperor"),
        (Kind.MEMBER, "P1@acme.io", "role", "role is an unknown one: emperor"),
    ),
    "a flag of a person": (
        lambda server: server.people[1].update(read_only="no"),
        (Kind.MEMBER, "P1@acme.io", "read_only", "read_only should be true or false, but is a string"),
    ),
    "sec_groups has an unlisted group": (
        lambda server: server.people[0].update(sec_groups=["g9"]),
        (Kind.GROUP, "g9", None, "users.get_all_ex has u00000 in it, permissions.get_user_groups does not list it"),
    ),
    "sec_groups has an unlisted membership": (
        lambda server: server.people[0].update(sec_groups=["g1"]),
        (
            Kind.GROUP,
            "Research",
            "users",
            "users.get_all_ex has u00000 in it, permissions.get_user_groups does not",
        ),
    ),
    "an access rule for an unlisted group": (
        lambda server: server.rules[0].update(groups=[{"id": "g9"}]),
        (
            Kind.GROUP,
            "g9",
            None,
            "permissions.get_access_rules has it in a rule, permissions.get_user_groups does not list it",
        ),
    ),
    "a vault of an unlisted group": (
        lambda server: server.vaults[0].update(group="g9"),
        (Kind.VAULT, "s3", None, "permissions.get_user_groups does not list its group"),
    ),
    "an account without a name": (
        lambda server: server.accounts[0].pop("name"),
        (Kind.SERVICE_ACCOUNT, "a0", None, "name is missing"),
    ),
    "the users of a group": (
        lambda server: server.groups[0].update(users=7),
        (Kind.GROUP, "Research", "users", "users should be a list, but is a number"),
    ),
    "no users of a group": (
        lambda server: server.groups[0].pop("users"),
        (Kind.GROUP, "Research", "users", "users is missing"),
    ),
    "the format of a vault": (
        lambda server: server.vaults[0].update(format="toml"),
        (Kind.VAULT, "s3 → Research", "format", "format is an unknown one: toml"),
    ),
    "the data of a vault": (
        lambda server: server.vaults[0].update(data={"key": "sesame"}),
        (Kind.VAULT, "s3 → Research", "document", "data should be a string, but is an object"),
    ),
    "an encrypted vault": (
        lambda server: server.vaults[0].update(editable=False),
        (Kind.VAULT, "s3 → Research", "document", "editable is false: the server keeps its text encrypted"),
    ),
    "the scope of a vault": (
        lambda server: server.vaults[0].update(scope="planet"),
        (Kind.VAULT, "s3", None, "scope is an unknown one: planet"),
    ),
    "the entity of a rule": (
        lambda server: server.rules[0].update(entity_type="planet"),
        (Kind.ACCESS_RULE, "Vision", None, "entity_type is an unknown one: planet"),
    ),
    "the permission of a rule": (
        lambda server: server.rules[0].update(access_permission="write"),
        (Kind.ACCESS_RULE, "Vision", None, "access_permission is an unknown one: write"),
    ),
    "the users of a rule": (
        lambda server: server.rules[0].pop("users"),
        (Kind.ACCESS_RULE, "Vision", "users", "users is missing"),
    ),
    "whose a rule is": (
        lambda server: server.rules[0].update(autocreated="yes"),
        (Kind.ACCESS_RULE, "Vision", "autocreated", "autocreated should be true or false, but is a string"),
    ),
    "the status of an invitation": (
        lambda server: server.entries[0].update(status="expired"),
        (Kind.MEMBER, "invitation of new@acme.io", None, "status is an unknown one: expired"),
    ),
    "no sign-up list": (
        lambda server: server.handlers.update({"login.get_settings": lambda *_: ok({})}),
        (Kind.MEMBER, "invitations", None, "whitelist_entries is missing"),
    ),
    "when a credential was created": (
        lambda server: server.credentials[0].update(created="yesterday"),
        (Kind.CREDENTIAL, "Bot / prod", "created", "created should be a time, but is another string"),
    ),
    "a user without an id": (
        lambda server: server.handlers.update(
            {"users.get_all_ex": lambda *_: ok({"users": [*server.people, {"email": "x@acme.io"}]})}
        ),
        (Kind.MEMBER, "x@acme.io", None, "users[3].id should be an id, but is missing"),
    ),
}


@pytest.mark.parametrize("damage", DOUBTS)
def test_what_cannot_be_read_is_confined_to_its_field_or_its_resource(damage: str) -> None:
    server = Workspace()
    harm, expected = DOUBTS[damage]
    harm(server)
    live = read(server)
    found = [(item.kind, item.title, item.field, item.reason) for item in live.unreadable if not _is_usual(item)]
    assert expected in found, found
    assert not live.lost
    assert "sesame" not in str(live.unreadable)


def _is_usual(item: Unreadable) -> bool:
    """Tell whether this workspace of few fields always has a doubt: it never says whose its rule and group are."""
    return item.field in ("autocreated", "assignable") and item.reason.endswith(("is missing", "server's own"))


def test_what_a_server_is_known_to_tell_is_taken() -> None:
    server = Workspace()
    server.people += [
        {"id": "__root__", "role": "root"},
        {"id": "gone", "name": "Removed"},
        {"id": "sys", "email": "sys@acme.io", "role": "system"},
    ]
    server.everyone = lambda: [*server.people[:3]]
    server.accounts[0]["credentials"] = "1"
    server.vaults[0]["format"] = "HOCON"
    server.entries += [
        {"status": "pending", "email": "acme.io"},
        {"status": "accepted", "email": "p1@acme.io", "added": 1_795_507_200_000},
    ]
    server.credentials[0]["created"] = "Tue, 24 Nov 2026 08:00:00 GMT"
    server.handlers["users.get_service_users"] = lambda *_: ok({"users": server.accounts, "allowed_service_users": -1})
    live = read(server)
    assert [item for item in live.unreadable if not _is_usual(item)] == []
    assert not live.lost
    assert live.snapshot.members[Address.member("sys@acme.io")].fixed
    assert live.maximum_service_accounts is None


@pytest.mark.parametrize(
    "told", [["g1"], ["Research"], [USERS_GROUP_ID, "g1"], []], ids=["ids", "names", "with built-ins", "none"]
)
def test_sec_groups_that_agree_are_fine(told: list[str]) -> None:
    server = Workspace()
    server.people[1]["sec_groups"] = told
    assert people(read(server)) == 3


@pytest.mark.parametrize("where", ["u00000a", "u01000", "zz"], ids=["first page", "later page", "end"])
def test_somebody_who_joins_meanwhile_is_there_or_the_whole_is_read_again(where: str) -> None:
    server = Workspace(1100)
    honest = server.users

    def joining(body: Json, request: httpx.Request) -> httpx.Response:
        answer = honest(body, request)
        if len(server.people) == 1100:
            server.people.append({"id": where + "x", "email": "late@acme.io", "role": "user"})
        return answer

    server.handlers["users.get_all_ex"] = joining
    assert people(read(server, accounts=())) in (1100, 1101)


def test_somebody_who_leaves_meanwhile_hides_nobody_else() -> None:
    server = Workspace(1100)
    honest = server.users

    def leaving(body: Json, request: httpx.Request) -> httpx.Response:
        answer = honest(body, request)
        if len(server.people) == 1100:
            del server.people[2]
        return answer

    server.handlers["users.get_all_ex"] = leaving
    assert people(read(server, accounts=())) == 1099


LISTS = {
    "users.get_all_ex": Kind.MEMBER,
    "permissions.get_user_groups": Kind.GROUP,
    "users.get_service_users": Kind.SERVICE_ACCOUNT,
    "login.get_settings": Kind.MEMBER,
    "users.get_organization_vaults": Kind.VAULT,
    "auth.get_credentials": Kind.CREDENTIAL,
    "auth.locate_credentials": Kind.CREDENTIAL,
    "users.get_vaults": Kind.VAULT,
    "permissions.get_access_rules": Kind.ACCESS_RULE,
}
ANSWERS = {
    "403": envelope(403, 20, "no"),
    "error": envelope(500, 0, "no"),
    "no list": ok({}),
    "null": ok({"users": None, "groups": None, "vaults": None, "credentials": None, "rules": None}),
    "another shape": ok(
        {name: ["x"] for name in ("users", "groups", "vaults", "credentials", "whitelist_entries", "rules")}
    ),
}


@pytest.mark.parametrize("endpoint", LISTS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_each_list_that_cannot_be_read_is_lost_or_unreadable(endpoint: str, answer: str) -> None:
    step = ANSWERS[answer]
    server = Workspace()
    server.handlers[endpoint] = lambda *_: httpx.Response(step.status_code, content=step.content)
    if answer == "error":
        with pytest.raises(UnreachableError, match=endpoint):
            read(server)
        return
    live = read(server)
    lost = {item.kind: item.reason for item in live.lost}
    doubted = {item.kind for item in live.unreadable}
    if answer != "403" and endpoint != "auth.locate_credentials":
        assert lost.keys() | doubted >= {LISTS[endpoint]}
    else:
        assert endpoint in lost[LISTS[endpoint]]


def test_resources_that_share_a_name_are_ambiguous_and_their_users_are_kept() -> None:
    server = Workspace(4)
    server.people[3]["email"] = "p2@ACME.io"
    server.accounts.append(ACCOUNT | {"id": "a1", "name": "BOT"})
    server.groups[0]["users"] = [{"id": "u00001"}, {"id": "u00002"}, {"id": "a0"}]
    server.groups.append({"id": "g2", "name": "Twins", "users": []})
    server.groups.append({"id": "g3", "name": "twins", "users": []})
    server.vaults.append({"id": "v9", "description": "s3", "data": "", "scope": "group", "group": "g3"})
    server.rules += [
        server.rules[0] | {"id": "r2", "name": "Twin rule"},
        server.rules[0] | {"id": "r3", "name": "twin RULE"},
    ]
    server.rules[0]["groups"] = [{"id": "g1"}, {"id": "g2"}]
    live = read(server)
    assert live.ambiguous == {
        Address.access_rule("twin rule"): ("r2", "r3"),
        Address.member("p2@acme.io"): ("u00002", "u00003"),
        Address.service_account("bot"): ("a0", "a1"),
        Address.group("twins"): ("g2", "g3"),
        Address.vault(OwnerKind.GROUP, "twins", "s3"): ("v9",),
    }
    assert not live.ambiguous.keys() & live.snapshot.resources.keys()
    assert live.strangers[Address.group("research")] == {"u00002", "a0"}
    assert live.snapshot.groups[Address.group("research")].members == {"p1@acme.io"}
    assert server.calls["auth.get_credentials"] == 0
    assert live.strangers[Address.access_rule("vision")] == {"a0", "g2"}


def test_credentials_with_equal_or_no_labels_are_told_apart() -> None:
    server = Workspace()
    server.accounts[0]["credentials"] = 5
    server.credentials[:] = [
        {"access_key": "OLD", "label": "prod", "created": "2026-01-01T00:00:00+00:00"},
        {"access_key": "NEW", "label": "Prod", "created": "2026-02-01T00:00:00"},
        {"access_key": "NONE1"},
        {"access_key": "NONE2", "label": ""},
        {"access_key": "DEAD", "label": "prod [undelivered]"},
    ]
    live = read(server)
    keys = {address.key[1]: key for address, key in live.ids.items() if address.kind is Kind.CREDENTIAL}
    assert keys == {
        "prod": "NEW",
        "prod [old]": "OLD",
        "[none1]": "NONE1",
        "[none2]": "NONE2",
        "prod [undelivered]": "DEAD",
    }
    assert live.credentials[Address.credential("bot", "[none1]")].label is None


def test_the_snapshot_does_not_depend_on_the_order_of_the_answers() -> None:
    server, reordered = Workspace(20), Workspace(20)
    for items in (reordered.groups, reordered.vaults, reordered.accounts, reordered.own_vaults, reordered.rules):
        items.reverse()
    reordered.handlers["users.get_all_ex"] = lambda *_: ok({"users": reordered.people[::-1]})
    first, second = read(server), read(reordered)
    assert first == second
    assert list(first.snapshot) == list(second.snapshot)


def test_an_active_member_counts_more_than_a_pending_entry() -> None:
    server = Workspace()
    server.entries.append({"email": "P0@acme.io", "status": "pending"})
    server.entries.append({"email": "p1@acme.io", "status": "accepted", "user": {"id": "u00001"}})
    live = read(server)
    assert live.snapshot.members[Address.member("p0@acme.io")].state is MemberState.ACTIVE
    assert not live.ambiguous


def test_an_invitation_that_differs_from_a_member_in_case_is_a_second_one() -> None:
    server = Workspace()
    server.entries.append({"email": "p1@ACME.io", "status": "pending"})
    assert read(server).ambiguous == {Address.member("p1@acme.io"): ("invitation p1@ACME.io", "u00001")}


def test_read_only_and_support_users_are_fixed() -> None:
    server = Workspace()
    server.people[0]["read_only"] = True
    server.people[1]["support"] = True
    members = read(server).snapshot.members
    assert [members[Address.member(f"p{n}@acme.io")].fixed for n in range(3)] == [True, True, False]


@pytest.mark.parametrize(("entity_type", "call"), LOOK_UPS.items())
def test_the_name_of_an_entity_is_looked_up_exactly(entity_type: EntityType, call: LookUp) -> None:
    server = Workspace()
    asked: list[object] = []

    def answer(body: Json, _: httpx.Request) -> httpx.Response:
        asked.append(body.get("name"))
        return ok({call.answer: [{"id": "1", "name": "a.b (c)"}, {"id": "2", "name": "A.B (C)"}]})

    server.handlers[call.endpoint] = answer
    wanted = Entity(entity_type, name="a.b (c)")
    others = [Entity(entity_type, "given"), Entity(entity_type, "*"), Entity(EntityType.APP, "jupyter")]
    assert read(server, entities=[wanted, *others]).entities == {wanted: Candidates(("1",))}
    assert asked == [r"^a\.b\ \(c\)$"]


def test_a_name_that_leads_nowhere_or_to_several_comes_with_what_there_is() -> None:
    server = Workspace()
    projects = [{"id": str(n), "name": name} for n, name in enumerate(["Vision", "vision", "Audio", "Twin", "Twin"])]

    def answer(body: Json, _: httpx.Request) -> httpx.Response:
        pattern = re.compile(str(body.get("name", "")), re.IGNORECASE)
        return ok({"projects": [project for project in projects if pattern.search(str(project["name"]))]})

    server.handlers["projects.get_all_ex"] = answer
    visoin, twin, none = (Entity(EntityType.PROJECT, name=name) for name in ("VISION", "Twin", "Something else"))
    found = read(server, entities=[visoin, twin, none]).entities
    assert found[visoin] == Candidates((), ("vision",))
    assert found[twin] == Candidates(("3", "4"))
    assert found[none] == Candidates(())
    assert server.calls["projects.get_all_ex"] == 5


def test_a_look_up_that_fails_is_an_error() -> None:
    server = Workspace()
    server.handlers["projects.get_all_ex"] = lambda *_: ok({})
    with pytest.raises(UnexpectedAnswerError, match=r"projects\.get_all_ex.*should be a list"):
        read(server, entities=[Entity(EntityType.PROJECT, name="Vision")])
