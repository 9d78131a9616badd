"""Vaults: who may write them, whom they reach, what is logged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sandbox_client import Client, Clock, member

from reconciler.sandbox.bulk import dump_workspace, load_workspace
from reconciler.sandbox.choices import ADMINS_GROUP_ID, USERS_GROUP_ID
from reconciler.sandbox.preview import preview
from reconciler.sandbox.state import Vault

if TYPE_CHECKING:
    from reconciler.sandbox.store import Store


def write(client: Client, description: str = "v", /, **fields: Any) -> str:
    outer = {name: fields.pop(name) for name in ("group", "user") if name in fields}
    vault = {"description": description, **fields}
    return str(client.call("users.add_or_update_vault", vault=vault, **outer)["vault"])


def group_vault(admin: Client, group: str, description: str = "v", **fields: Any) -> str:
    return write(admin, description, scope="group", group=group, **fields)


def names(data: dict[str, Any]) -> list[str]:
    return [vault["description"] for vault in data["vaults"]]


def test_a_group_vault_shows_the_documented_fields(admin: Client, clock: Clock) -> None:
    identifier = group_vault(admin, USERS_GROUP_ID, data="a: 1")
    expected = {
        "id": identifier,
        "description": "v",
        "data": "a: 1",
        "format": "hocon",
        "type": "config",
        "scope": "group",
        "enabled": True,
        "last_update": "2026-03-01T12:00:00.000000+00:00",
        "editable": True,
        "group": USERS_GROUP_ID,
        "group_name": "Users",
    }
    assert admin.call("users.get_organization_vaults") == {"vaults": [expected]}
    assert admin.call("users.get_vaults") == {"vaults": [expected]}


def test_vaults_reach_the_groups_members_and_the_users_own_comes_last(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    bot = admin.call("auth.create_service_user", name="bot")["id"]
    group = admin.call("permissions.add_or_update_user_group", name="g", users=[bot])["id"]
    write(admin, "own", scope="user", user=bot)
    group_vault(admin, group, "of g")
    group_vault(admin, USERS_GROUP_ID, "of everyone")
    group_vault(admin, ADMINS_GROUP_ID, "of admins")
    write(admin, "organization", scope="organization")
    assert names(admin.acting_as(bot).call("users.get_vaults")) == ["of g", "of everyone", "organization", "own"]
    assert names(admin.acting_as(ada).call("users.get_vaults")) == ["of everyone", "organization"]
    assert names(admin.call("users.get_vaults")) == ["of everyone", "of admins", "organization"]
    assert names(admin.call("users.get_organization_vaults")) == ["of g", "of everyone", "of admins", "organization"]


def test_a_vault_whose_text_is_encrypted_is_not_editable(admin: Client, store: Store) -> None:
    state = dump_workspace(store)
    vaults = (Vault("v1", "open", "a: 1", "organization"), Vault("v2", "", "gAAAA", "organization", editable=False))
    load_workspace(store, replace(state, vaults=vaults))
    assert [vault["editable"] for vault in admin.call("users.get_organization_vaults")["vaults"]] == [True, False]


def test_a_vault_of_the_web_page_may_have_no_description(admin: Client) -> None:
    admin.call("users.add_or_update_vault", vault={"data": "a: 1"})
    (vault,) = admin.call("users.get_vaults")["vaults"]
    assert "description" not in vault


def test_vaults_are_filtered_by_type_and_enabled(admin: Client) -> None:
    group_vault(admin, USERS_GROUP_ID, "plain")
    group_vault(admin, USERS_GROUP_ID, "off", enabled=False)
    group_vault(admin, USERS_GROUP_ID, "keys", type="remote_session_ssh_server", format="json")
    for call in ("users.get_vaults", "users.get_organization_vaults"):
        assert names(admin.call(call)) == ["plain", "off", "keys"]
        assert names(admin.call(call, enabled=True)) == ["plain", "keys"]
        assert names(admin.call(call, enabled=False)) == ["plain", "off", "keys"]
        assert names(admin.call(call, types=["config"], enabled=True)) == ["plain"]
        assert names(admin.call(call, types=["config", "remote_session_ssh_server"])) == ["plain", "off", "keys"]
        assert names(admin.call(call, types=[])) == ["plain", "off", "keys"]


def test_what_is_left_out_stays(admin: Client, clock: Clock) -> None:
    first = group_vault(admin, USERS_GROUP_ID, data="a: 1", format="json", enabled=False)
    clock.move(hours=1)
    assert write(admin, "renamed", id=first) == first
    (vault,) = admin.call("users.get_organization_vaults")["vaults"]
    assert (vault["description"], vault["data"], vault["format"], vault["enabled"]) == (
        "renamed",
        "a: 1",
        "json",
        False,
    )
    assert vault["last_update"] == "2026-03-01T13:00:00.000000+00:00"
    admin.call("users.add_or_update_vault", vault={"id": first, "data": "", "enabled": True})
    (vault,) = admin.call("users.get_organization_vaults")["vaults"]
    assert (vault["data"], vault["enabled"]) == ("", True)


def test_a_vault_moves_to_another_group_but_keeps_its_scope(admin: Client) -> None:
    first = group_vault(admin, USERS_GROUP_ID)
    admin.call("users.add_or_update_vault", vault={"id": first}, group=ADMINS_GROUP_ID)
    assert admin.call("users.get_organization_vaults")["vaults"][0]["group_name"] == "Admins"
    assert admin.refused("users.add_or_update_vault", vault={"id": first, "scope": "user"}) == "400/16"


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, "400/12"),
        ({"vault": []}, "400/12"),
        ({"vault": {"scope": "planet"}}, "400/12"),
        ({"vault": {"format": ""}}, "400/12"),
        ({"vault": {"type": ""}}, "400/12"),
        ({"vault": {"data": {"a": 1}}}, "400/12"),
        ({"vault": {"enabled": 1}}, "400/12"),
        ({"vault": {"id": "unknown"}}, "400/10"),
        ({"vault": {"scope": "group"}}, "400/12"),
        ({"vault": {"scope": "group"}, "group": "unknown"}, "400/10"),
        ({"vault": {"scope": "group"}, "group": USERS_GROUP_ID, "user": "x"}, "400/12"),
        ({"vault": {"scope": "user"}, "group": USERS_GROUP_ID}, "400/12"),
        ({"vault": {"scope": "user"}, "user": "nobody"}, "400/301"),
        ({"vault": {"scope": "organization"}, "group": USERS_GROUP_ID}, "400/12"),
    ],
)
def test_vaults_that_cannot_be_written(admin: Client, fields: dict[str, object], outcome: str) -> None:
    assert admin.refused("users.add_or_update_vault", **fields) == outcome


def test_only_administrators_write_for_others(admin: Client, store: Store) -> None:
    ada, tom = member(admin, store), member(admin, store, "tom@acme.io")
    client = admin.with_token(store.session_for(ada))
    toms, everyones, own = write(admin, user=tom, scope="user"), group_vault(admin, USERS_GROUP_ID), write(client)
    refused = [
        {"vault": {"scope": "group"}, "group": USERS_GROUP_ID},
        {"vault": {"scope": "organization"}},
        {"vault": {"scope": "user"}, "user": tom},
        {"vault": {"id": toms}},
        {"vault": {"id": everyones}},
        {"vault": {"id": own}, "user": tom},
    ]
    for fields in refused:
        assert client.refused("users.add_or_update_vault", **fields) == "403/20"
    for vault in (toms, everyones):
        assert client.refused("users.delete_vaults", vaults=[own, vault]) == "403/20"
    client.call("users.add_or_update_vault", vault={"id": own, "data": "b: 2"})
    assert client.call("users.delete_vaults", vaults=[own, "unknown"]) == {"deleted": 1}


def test_an_administrator_reads_anothers_vault_by_acting_for_them(admin: Client) -> None:
    bot = admin.call("auth.create_service_user", name="bot")["id"]
    write(admin, "of bot", scope="user", user=bot, data="a: 1")
    (vault,) = admin.acting_as(bot).call("users.get_vaults")["vaults"]
    assert (vault["description"], vault["data"], vault["user"]) == ("of bot", "a: 1", bot)
    assert names(admin.call("users.get_vaults")) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"a": {"b": "secret", "c": 1, "d": ["secret", true, null]}}',
         '{"a": {"b": "********", "c": 1, "d": ["********", true, null]}}'),
        ("a: secret", "a: ********"),
        ("a = secret # and why", "a = ********"),
        ("agent {\n  debug: true\n  password = \"secret\",\n}", "agent {\n  debug: true\n  password = ********,\n}"),
        ("a: 1.5", "a: 1.5"),
        ("secret", "********"),
        ("- secret", "********"),
        ("a: [\n  secret\n]", "a: [\n********\n]"),
        ("a { b: secret }", "********"),
        ('a = """\nsecret=\n"""', "********"),
        ("a: |\n  secret=\n", "********"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_preview_hides_leaf_strings(text: str, shown: str) -> None:
    assert preview(text) == shown
    assert "secret" not in preview(text)


def test_a_preview_is_given_on_request(admin: Client) -> None:
    group_vault(admin, USERS_GROUP_ID, data="a: secret")
    for call in ("users.get_vaults", "users.get_organization_vaults"):
        assert admin.call(call, preview_data=True)["vaults"][0]["data"] == "a: ********"
        assert admin.call(call)["vaults"][0]["data"] == "a: secret"


EVERY_SCOPE = ["organization", "group", "user", "service_account"]


def operations(admin: Client, **fields: object) -> list[str]:
    found = admin.call("users.get_vault_operations_log", **fields)["operations"]
    return [f"{entry['operation']} {entry['vault_description']}" for entry in found]


def test_operations_on_vaults_are_logged(admin: Client, clock: Clock) -> None:
    shared = group_vault(admin, USERS_GROUP_ID, "shared")
    clock.move(hours=1)
    write(admin, "shared 2", id=shared)
    admin.call("users.add_or_update_vault", vault={"id": shared, "enabled": False})
    admin.call("users.add_or_update_vault", vault={"id": shared, "enabled": True, "data": "a: 1"})
    admin.call("users.delete_vaults", vaults=[shared])
    logged = ["create shared", "edit shared 2", "deactivate shared 2", "edit shared 2", "activate shared 2"]
    assert operations(admin) == ["delete shared 2", *reversed(logged)]
    assert operations(admin, order="asc", page=1, page_size=2) == logged[2:4]
    assert operations(admin, vaults=[shared], operations=["create", "activate"]) == ["activate shared 2", logged[0]]
    assert operations(admin, to_timestamp="2026-03-01T12:00:00Z") == ["create shared"]
    assert len(operations(admin, from_timestamp="2026-03-01T12:00:01")) == 5


def test_the_log_leaves_out_what_is_not_the_organizations_unless_it_is_asked_for(admin: Client, store: Store) -> None:
    bot = admin.call("auth.create_service_user", name="bot")["id"]
    ada = member(admin, store)
    group_vault(admin, USERS_GROUP_ID, "shared")
    write(admin, "bot's", scope="user", user=bot)
    write(admin.acting_as(ada), "ada's")
    assert operations(admin) == ["create shared"]
    assert operations(admin, scope=["service_account"]) == ["create bot's"]
    assert operations(admin, scope=EVERY_SCOPE, users=[ada]) == operations(admin, scope=["user"]) == ["create ada's"]


def test_neighboring_records_are_one_unless_all_are_asked_for(admin: Client, clock: Clock) -> None:
    shared = group_vault(admin, USERS_GROUP_ID, "first")
    for name in ("second", "third"):
        clock.move(hours=1)
        write(admin, name, id=shared)
    group_vault(admin, USERS_GROUP_ID, "other")
    assert operations(admin) == ["create other", "edit second", "create first"]
    assert operations(admin, group={"index": -1}) == ["create other", "edit third", "create first"]
    assert operations(admin, group={"order": "desc"}) == ["create other", "edit third", "create first"]
    assert operations(admin, group=None) == ["create other", "edit third", "edit second", "create first"]


def test_a_record_says_who_did_it_when_and_by_what(admin: Client, store: Store) -> None:
    root = store.bootstrap and store.bootstrap.user
    shared = group_vault(admin, USERS_GROUP_ID, "shared")
    headers = admin.headers | {"X-ClearML-Client": "clearml-2.1.12"}
    admin.send("/users.delete_vaults", headers=headers, json={"vaults": [shared]})
    deleted, created = admin.call("users.get_vault_operations_log")["operations"]
    assert created == {
        "operation": "create",
        "created": "2026-03-01T12:00:00.000000+00:00",
        "user": {"id": root, "name": "Root"},
        "ip": "127.0.0.1",
        "scope": "group",
        "vault_description": "shared",
    }
    assert (deleted["originator"], deleted["originator_version"]) == ("clearml", "2.1.12")


def test_what_the_log_can_be_filtered_by_is_told(admin: Client, store: Store) -> None:
    root = store.bootstrap and store.bootstrap.user
    shared = group_vault(admin, USERS_GROUP_ID, "shared")
    write(admin, "renamed", id=shared)
    assert admin.call("users.get_vault_operations_log_filters") == {
        "operations": ["create", "edit", "delete", "activate", "deactivate"],
        "users": [{"id": root, "name": "Root"}],
        "vaults": [{"id": shared, "description": "renamed"}],
    }


@pytest.mark.parametrize("field", [{"order": "sideways"}, {"from_timestamp": "noon"}, {"to_timestamp": 1772366400}])
def test_log_filters_that_are_none_are_refused(admin: Client, field: dict[str, object]) -> None:
    assert admin.refused("users.get_vault_operations_log", **field) == "400/12"
