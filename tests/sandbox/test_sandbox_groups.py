"""Groups, and the access rules that point at them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sandbox_client import Client, member

from reconciler.sandbox.bulk import dump_workspace, load_workspace
from reconciler.sandbox.choices import ADMINS_GROUP_ID, ENTITY_TYPES, QUEUE_ADMINS_GROUP_ID, USERS_GROUP_ID
from reconciler.sandbox.state import Rule

if TYPE_CHECKING:
    from reconciler.sandbox.store import Store


def group(admin: Client, identifier: str) -> dict[str, Any]:
    (found,) = admin.call("permissions.get_user_groups", groups=[identifier])["groups"]
    assert isinstance(found, dict)
    return found


def ids(users: list[dict[str, Any]]) -> set[str]:
    return {user["id"] for user in users}


def make(admin: Client, name: str = "researchers", **fields: object) -> str:
    made = admin.call("permissions.add_or_update_user_group", name=name, **fields)
    return str(made["id"])


# Groups


def test_a_workspace_begins_with_three_groups(admin: Client) -> None:
    groups = admin.call("permissions.get_user_groups")["groups"]
    assert [(g["id"], g["name"], g["system"], g["assignable"]) for g in groups] == [
        (USERS_GROUP_ID, "Users", True, False),
        (ADMINS_GROUP_ID, "Admins", True, False),
        (QUEUE_ADMINS_GROUP_ID, "Queue admins", True, True),
    ]


def test_users_is_everyone_and_admins_follows_the_role(admin: Client, store: Store) -> None:
    root = store.bootstrap and store.bootstrap.user
    ada = member(admin, store)
    bot = admin.call("auth.create_service_user", name="bot")["id"]
    assert ids(group(admin, USERS_GROUP_ID)["users"]) == {root, ada, bot}
    assert ids(group(admin, ADMINS_GROUP_ID)["users"]) == {root}
    admin.call("users.set_role", user=ada, role="admin")
    assert ids(group(admin, ADMINS_GROUP_ID)["users"]) == {root, ada}


def test_creating_answers_what_is_documented(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    bot = admin.call("auth.create_service_user", name="bot")["id"]
    made = admin.call("permissions.add_or_update_user_group", name="g", description="d", users=[ada, bot, ada])
    assert made == {"id": made["id"], "name": "g", "system": False, "assignable": True}
    shown = group(admin, made["id"])
    assert sorted(shown.pop("users"), key=lambda user: user["name"]) == [
        {"id": ada, "name": "ada", "email": "ada@acme.io"},
        {"id": bot, "name": "bot"},
    ]
    assert shown == made | {"description": "d"}
    assert made["id"] in admin.call("users.get_all_ex", id=[ada], include_auth=True)["users"][0]["sec_groups"]


def test_an_id_that_is_given_and_unknown_is_taken(admin: Client) -> None:
    assert make(admin, id="mine") == "mine"
    assert group(admin, "mine")["name"] == "researchers"


def test_only_what_is_given_changes(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    made = make(admin, description="d", users=[ada])
    admin.call("permissions.add_or_update_user_group", id=made, name="renamed")
    shown = group(admin, made)
    assert (shown["name"], shown["description"], ids(shown["users"])) == ("renamed", "d", {ada})


def test_the_users_are_replaced_as_a_whole(admin: Client, store: Store) -> None:
    ada, tom = member(admin, store), member(admin, store, "tom@acme.io")
    made = make(admin, users=[ada])
    admin.call("permissions.add_or_update_user_group", id=made, users=[tom])
    assert ids(group(admin, made)["users"]) == {tom}
    admin.call("permissions.add_or_update_user_group", id=made, users=[])
    assert group(admin, made)["users"] == []


def test_queue_admins_takes_members_and_nothing_else(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    admin.call("permissions.add_or_update_user_group", id=QUEUE_ADMINS_GROUP_ID, name="Queue admins", users=[ada])
    assert ids(group(admin, QUEUE_ADMINS_GROUP_ID)["users"]) == {ada}


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, "400/12"),
        ({"name": ""}, "400/12"),
        ({"id": "new"}, "400/12"),
        ({"name": "g", "users": "ada"}, "400/12"),
        ({"name": "g", "users": [None]}, "400/12"),
        ({"name": "g", "users": ["nobody"]}, "400/301"),
        ({"name": "Users"}, "400/801"),
        ({"name": "taken"}, "400/801"),
        ({"id": "other", "name": "taken"}, "400/801"),
        ({"id": USERS_GROUP_ID, "users": []}, "400/16"),
        ({"id": USERS_GROUP_ID, "name": "Users"}, "400/16"),
        ({"id": ADMINS_GROUP_ID, "users": []}, "400/16"),
        ({"id": ADMINS_GROUP_ID, "description": "mine"}, "400/16"),
        ({"id": QUEUE_ADMINS_GROUP_ID, "name": "Mine"}, "400/16"),
    ],
)
def test_changes_that_are_refused(admin: Client, fields: dict[str, object], outcome: str) -> None:
    make(admin, "taken")
    make(admin, "other", id="other")
    before = admin.call("permissions.get_user_groups")
    assert admin.refused("permissions.add_or_update_user_group", **fields) == outcome
    assert admin.call("permissions.get_user_groups") == before


def test_deleting_counts_what_was_there(admin: Client) -> None:
    made = make(admin)
    assert admin.call("permissions.delete_user_groups", groups=[made, "unknown"]) == {"deleted": 1}
    assert len(admin.call("permissions.get_user_groups")["groups"]) == 3
    assert admin.refused("permissions.delete_user_groups") == "400/12"


@pytest.mark.parametrize("builtin", [USERS_GROUP_ID, ADMINS_GROUP_ID, QUEUE_ADMINS_GROUP_ID])
def test_built_in_groups_stay(admin: Client, builtin: str) -> None:
    made = make(admin)
    assert admin.refused("permissions.delete_user_groups", groups=[made, builtin]) == "400/16"
    assert group(admin, made)


def test_a_group_that_something_points_at_stays(admin: Client) -> None:
    made = make(admin)
    vault = admin.call("users.add_or_update_vault", vault={"description": "v", "scope": "group"}, group=made)["vault"]
    refusal = admin.ask("permissions.delete_user_groups", groups=[made])
    assert refusal.outcome == "400/16"
    assert "still has the vault 'v'" in refusal.meta["result_msg"]
    admin.call("users.delete_vaults", vaults=[vault])
    made_rule = rule(admin, groups=[made])
    refusal = admin.ask("permissions.delete_user_groups", groups=[made])
    assert refusal.outcome == "400/16"
    assert "access rule 'r'" in refusal.meta["result_msg"]
    admin.call("permissions.delete_access_rules", rules=[made_rule])
    admin.call("permissions.delete_user_groups", groups=[made])


# Access rules


def form(**fields: object) -> dict[str, object]:
    return {
        "name": "r", "description": "", "entity_type": "queue", "entity_id": "*", "access_permission": "read",
        "users": [], "groups": [],
    } | fields  # fmt: skip


def rule(admin: Client, **fields: object) -> str:
    return str(admin.call("permissions.add_or_update_access_rule", **form(**fields))["id"])


def test_everyone_may_do_everything_at_first_by_the_servers_own_rules(admin: Client) -> None:
    rules = admin.call("permissions.get_access_rules")["rules"]
    assert [found["entity_type"] for found in rules] == list(ENTITY_TYPES)
    assert all(found["autocreated"] and found["access_permission"] == "read_write" for found in rules)
    assert all(found["groups"] == [{"id": USERS_GROUP_ID, "name": "Users"}] for found in rules)
    assert admin.refused("permissions.add_or_update_access_rule", **form(id=rules[0]["id"])) == "400/16"


def test_the_servers_own_rules_can_go_and_be_put_back(admin: Client) -> None:
    own = [found["id"] for found in admin.call("permissions.get_access_rules")["rules"]][:2]
    assert admin.call("permissions.delete_access_rules", rules=own) == {"deleted": 2}
    assert admin.call("permissions.restore_default_access_rules") == {"restored": 2}
    assert admin.call("permissions.restore_default_access_rules") == {"restored": 0}
    rules = admin.call("permissions.get_access_rules")["rules"]
    assert {found["entity_type"] for found in rules if found["autocreated"]} == set(ENTITY_TYPES)


def test_a_rule_is_made_read_replaced_and_deleted(admin: Client, store: Store) -> None:
    project = store.add_entity("project", "Vision")
    ada, made = member(admin, store), make(admin)
    answer = admin.call(
        "permissions.add_or_update_access_rule",
        **form(entity_type="project", entity_id=project, groups=[made], users=[ada]),
    )
    assert answer == {"id": answer["id"], "name": "r"}
    (shown,) = admin.call("permissions.get_access_rules", rules=[answer["id"]])["rules"]
    assert shown == {
        "id": answer["id"],
        "name": "r",
        "description": "",
        "entity_type": "project",
        "entity_id": project,
        "entity_name": "Vision",
        "entity_display_name": "Vision",
        "access_permission": "read",
        "autocreated": False,
        "users": [{"id": ada, "name": "ada", "email": "ada@acme.io"}],
        "groups": [{"id": made, "name": "researchers"}],
    }
    rule(admin, id=answer["id"], name="s", groups=[made])
    (shown,) = admin.call("permissions.get_access_rules", rules=[answer["id"]])["rules"]
    assert (shown["name"], shown["entity_type"], shown["users"]) == ("s", "queue", [])
    assert admin.call("permissions.delete_access_rules", rules=[answer["id"], "unknown"]) == {"deleted": 1}


@pytest.mark.parametrize("missing", ["name", "description", "entity_type", "access_permission", "users", "groups"])
def test_a_rule_needs_its_fields(admin: Client, missing: str) -> None:
    fields = form()
    del fields[missing]
    assert admin.refused("permissions.add_or_update_access_rule", **fields) == "400/12"


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"entity_type": "planet"}, "400/12"),
        ({"access_permission": "write"}, "400/12"),
        ({"entity_id": None}, "400/12"),
        ({"entity_id": "unknown"}, "400/10"),
        ({"users": ["nobody"]}, "400/301"),
        ({"groups": ["nothing"]}, "400/10"),
    ],
)
def test_a_rule_points_only_at_what_there_is(admin: Client, fields: dict[str, object], outcome: str) -> None:
    assert admin.refused("permissions.add_or_update_access_rule", **form(**fields)) == outcome


def test_a_rule_under_an_id_that_is_unknown_is_created_with_it(admin: Client) -> None:
    for name in ("first", "first again"):
        assert rule(admin, id="mine", name=name) == "mine"
    (shown,) = admin.call("permissions.get_access_rules", rules=["mine"])["rules"]
    assert shown["name"] == "first again"


def test_null_is_the_top_level_projects_and_a_category_is_its_own_id(admin: Client) -> None:
    rule(admin, entity_type="project", entity_id=None)
    made = rule(admin, entity_type="app_category", entity_id="General")
    (shown,) = admin.call("permissions.get_access_rules", rules=[made])["rules"]
    assert not {"entity_name", "entity_display_name"} & shown.keys()


@pytest.mark.unpublished
def test_a_workspace_can_hold_a_rule_of_a_type_that_is_not_published(admin: Client, store: Store) -> None:
    rules = (Rule("r", "r", "dataset_version", "*", "read_write", autocreated=True),)
    load_workspace(store, replace(dump_workspace(store), rules=rules))
    (shown,) = admin.call("permissions.get_access_rules")["rules"]
    assert shown["entity_type"] == "dataset_version"


def test_categories_are_told_for_every_entity_type(admin: Client) -> None:
    types = admin.call("permissions.get_entity_access_categories")["entity_types"]
    assert [entry["type"] for entry in types] == list(ENTITY_TYPES)


@pytest.mark.parametrize(
    ("endpoint", "service", "kind"),
    [
        ("projects.get_all_ex", "projects", "project"),
        ("projects.get_all", "projects", "project"),
        ("queues.get_all", "queues", "queue"),
        ("tasks.get_all_ex", "tasks", "task"),
        ("models.get_all_ex", "models", "model"),
        ("datasets.get_all_ex", "datasets", "dataset"),
        ("dataviews.get_all", "dataviews", "dataview"),
        ("routers.get_routes", "routes", "route"),
    ],
)
def test_entities_are_found_by_name_and_id(admin: Client, store: Store, endpoint: str, service: str, kind: str) -> None:
    vision, audio = store.add_entity(kind, "Vision"), store.add_entity(kind, "Audio/Vision", "given")
    store.add_entity("app", "Vision")
    found = admin.call(endpoint, name="^Vision$", only_fields=["id", "name"])
    assert found == {service: [{"id": vision, "name": "Vision"}]}
    assert admin.call(endpoint, id=["given"])[service][0]["id"] == audio
    assert len(admin.call(endpoint, order_by=["-name"])[service]) == 2
