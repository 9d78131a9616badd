"""Service accounts and credentials."""

from __future__ import annotations

import re
from typing import Any

import jwt
import pytest
from sandbox_client import Client, Clock, member

from reconciler.sandbox.bulk import dump_workspace
from reconciler.sandbox.store import Store


def accounts(admin: Client) -> list[dict[str, Any]]:
    users: list[dict[str, Any]] = admin.call("users.get_service_users")["users"]
    return users


def test_creating_one_makes_its_first_credentials_without_being_asked(admin: Client) -> None:
    made = admin.call("auth.create_service_user", name="bot")
    assert made["credentials"].keys() == {"access_key", "secret_key"}
    assert admin.call("users.get_service_users") == {
        "users": [{"id": made["id"], "name": "bot", "role": "user", "allow_running_as_owner": False, "credentials": 1}],
        "allow_admins": True,
    }


def test_keys_have_the_lengths_that_a_real_server_gives_them() -> None:
    with Store.open(":memory:") as store:
        assert store.bootstrap
        assert re.fullmatch(r"[0-9A-Z]{30}", store.bootstrap.access_key)
        assert len(store.bootstrap.secret_key) == 67
        assert store.bootstrap.secret_key not in repr(store.bootstrap)


def test_names_are_not_unique(admin: Client) -> None:
    first, second = (admin.call("auth.create_service_user", name="bot")["id"] for _ in range(2))
    assert first != second


def test_limits_are_told_where_they_are_set(admin: Client, store: Store) -> None:
    store.change_settings(
        allowed_service_users=1,
        allow_admins=False,
        default_expiration_sec=60,
        max_expiration_sec=600,
        max_credentials=2,
    )
    answer = admin.call("users.get_service_users")
    del answer["users"]
    assert answer == {
        "allow_admins": False,
        "allowed_service_users": 1,
        "default_expiration_sec": 60,
        "max_expiration_sec": 600,
    }
    answer = admin.call("auth.get_credentials")
    del answer["credentials"]
    assert answer == {"max_credentials": 2, "default_expiration_sec": 60, "max_expiration_sec": 600}


def test_limits_are_kept(admin: Client, store: Store) -> None:
    store.change_settings(allowed_service_users=1, max_credentials=2)
    account = admin.call("auth.create_service_user", name="bot")["id"]
    assert admin.refused("auth.create_service_user", name="bot") == "400/16"
    bot = admin.acting_as(account)
    bot.call("auth.create_credentials")
    assert bot.refused("auth.create_credentials") == "400/16"


def test_the_longest_lifetime_binds_those_who_are_not_admins(admin: Client, store: Store) -> None:
    store.change_settings(max_expiration_sec=600)
    account = admin.call("auth.create_service_user", name="bot", credentials_expiration_sec=601)
    assert account["credentials"]["expire"] == "2026-03-01T12:10:01.000000+00:00"
    assert "expire" not in admin.call("auth.create_credentials")["credentials"]
    bot = admin.acting_as(account["id"])
    assert bot.refused("auth.create_credentials", expiration_sec=601) == "400/16"
    assert bot.call("auth.create_credentials")["credentials"]["expire"] == "2026-03-01T12:10:00.000000+00:00"


@pytest.mark.parametrize(
    ("settings", "asked", "expected"),
    [
        ({}, {}, None),
        ({}, {"expiration_sec": 60}, "2026-03-01T12:01:00.000000+00:00"),
        ({"default_expiration_sec": 120}, {}, "2026-03-01T12:02:00.000000+00:00"),
        ({"default_expiration_sec": 120, "max_expiration_sec": 180}, {}, "2026-03-01T12:02:00.000000+00:00"),
    ],
)
def test_how_long_a_credential_lives(
    admin: Client, store: Store, settings: dict[str, int], asked: dict[str, int], expected: str | None
) -> None:
    store.change_settings(**settings)
    assert admin.call("auth.create_credentials", **asked)["credentials"].get("expire") == expected


def test_updating_says_whether_anything_changed(admin: Client) -> None:
    account = admin.call("auth.create_service_user", name="bot", allow_running_as_owner=True)["id"]
    assert admin.call("users.update_service_user", user=account, name="bot") == {"updated": 0}
    assert admin.call("users.update_service_user", user=account, name="new") == {"updated": 1}
    assert accounts(admin)[0]["allow_running_as_owner"] is True
    assert admin.call("users.update_service_user", user=account, allow_running_as_owner=False) == {"updated": 1}
    assert (accounts(admin)[0]["name"], accounts(admin)[0]["allow_running_as_owner"]) == ("new", False)


@pytest.mark.parametrize(
    ("endpoint", "fields", "outcome"),
    [
        ("auth.create_service_user", {}, "400/12"),
        ("auth.create_service_user", {"name": " "}, "400/12"),
        ("auth.create_service_user", {"name": "b", "allow_running_as_owner": 3}, "400/12"),
        ("auth.create_service_user", {"name": "b", "credentials_expiration_sec": 0}, "400/12"),
        ("users.update_service_user", {"name": "b"}, "400/12"),
        ("users.update_service_user", {"user": "nobody", "name": "b"}, "400/301"),
        ("auth.revoke_credentials", {}, "400/12"),
        ("auth.revoke_credentials", {"access_key": "unknown"}, "400/300"),
        ("auth.edit_credentials", {"label": "x"}, "400/12"),
        ("auth.edit_credentials", {"access_key": "unknown", "label": "x"}, "400/75"),
        ("auth.locate_credentials", {}, "400/12"),
        ("auth.locate_credentials", {"access_key": "unknown"}, "400/75"),
        ("auth.create_credentials", {"label": 7}, "400/12"),
        ("auth.create_credentials", {"expiration_sec": -1}, "400/12"),
    ],
)
def test_bad_fields_are_refused(admin: Client, endpoint: str, fields: dict[str, object], outcome: str) -> None:
    assert admin.refused(endpoint, **fields) == outcome


def test_a_person_is_no_service_account(admin: Client, store: Store) -> None:
    assert admin.refused("users.update_service_user", user=member(admin, store), name="x") == "400/301"


def test_a_service_account_can_be_made_an_administrator_where_that_is_allowed(admin: Client, store: Store) -> None:
    account = admin.call("auth.create_service_user", name="bot")["id"]
    assert admin.call("users.set_role", user=account, role="admin") == {"updated": 1}
    assert accounts(admin)[0]["role"] == "admin"
    assert admin.refused("users.set_role", user=account, role="consumer") == "400/12"
    assert admin.call("users.set_role", user=account, role="user") == {"updated": 1}
    store.change_settings(allow_admins=False)
    assert admin.refused("users.set_role", user=account, role="admin") == "400/1"
    assert admin.refused("users.set_role", user=account, role="user") == "400/1"


@pytest.mark.parametrize(("owner", "kind"), [(False, 1), (True, 2)])
def test_its_token_says_what_kind_of_account_it_is(admin: Client, owner: bool, kind: int) -> None:
    keys = admin.call("auth.create_service_user", name="bot", allow_running_as_owner=owner)["credentials"]
    token = admin.with_basic(keys["access_key"], keys["secret_key"]).call("auth.login")["token"]
    assert jwt.decode(token, options={"verify_signature": False})["identity"]["service_account_type"] == kind


def test_a_secret_is_answered_once_and_kept_as_a_hash_only(admin: Client, store: Store) -> None:
    made = admin.call("auth.create_service_user", name="bot")
    secret = made["credentials"]["secret_key"]
    bot = admin.acting_as(made["id"])
    assert "secret_key" not in bot.call("auth.get_credentials")["credentials"][0]
    with store.transaction(write=False) as db:
        assert secret not in str([tuple(row) for row in db.execute("SELECT * FROM credentials")])


def test_credentials_are_made_listed_labelled_and_revoked_for_another(admin: Client) -> None:
    bot = admin.acting_as(admin.call("auth.create_service_user", name="bot")["id"])
    made = bot.call("auth.create_credentials", label="k8s", expiration_sec=3600)["credentials"]
    assert made.keys() == {"access_key", "secret_key", "label", "expire"}
    key = made["access_key"]
    assert bot.call("auth.get_credentials")["credentials"][1] == {
        "access_key": key,
        "label": "k8s",
        "created": "2026-03-01T12:00:00.000000+00:00",
        "expire": "2026-03-01T13:00:00.000000+00:00",
    }
    assert bot.call("auth.edit_credentials", access_key=key, label="prod") == {"updated": 1}
    assert bot.call("auth.edit_credentials", access_key=key, label="prod") == {"updated": 0}
    assert bot.call("auth.get_credentials")["credentials"][1]["label"] == "prod"
    assert bot.call("auth.revoke_credentials", access_key=key) == {"revoked": 1}
    assert bot.refused("auth.revoke_credentials", access_key=key) == "400/300"
    assert accounts(admin)[0]["credentials"] == 1


def test_anothers_key_can_neither_be_edited_nor_revoked_in_ones_own_name(admin: Client) -> None:
    key = admin.call("auth.create_service_user", name="bot")["credentials"]["access_key"]
    assert admin.refused("auth.revoke_credentials", access_key=key) == "400/300"
    assert admin.refused("auth.edit_credentials", access_key=key, label="x") == "400/75"


def test_signing_in_leaves_its_mark(admin: Client, clock: Clock) -> None:
    made = admin.call("auth.create_service_user", name="bot")
    assert "last_used" not in admin.acting_as(made["id"]).call("auth.get_credentials")["credentials"][0]
    assert "last_active_time" not in accounts(admin)[0]
    clock.move(hours=2)
    keys = made["credentials"]
    admin.with_basic(keys["access_key"], keys["secret_key"]).call("auth.login")
    used = admin.acting_as(made["id"]).call("auth.get_credentials")["credentials"][0]
    assert (used["last_used"], used["last_used_from"]) == ("2026-03-01T14:00:00.000000", "127.0.0.1")
    assert accounts(admin)[0]["last_active_time"] == "2026-03-01T14:00:00.000000+00:00"
    assert admin.call("auth.locate_credentials", access_key=keys["access_key"]) == {
        "user": made["id"],
        "name": "bot",
        "last_used": "2026-03-01T14:00:00.000000",
        "last_used_from": "127.0.0.1",
    }


def test_an_expired_credential_signs_nobody_in_and_stays_listed(admin: Client, clock: Clock) -> None:
    made = admin.call("auth.create_service_user", name="bot", credentials_expiration_sec=60)
    keys = made["credentials"]
    bot = admin.with_basic(keys["access_key"], keys["secret_key"])
    bot.call("auth.login")
    clock.move(seconds=60)
    assert bot.refused("auth.login") == "401/22"
    assert len(admin.acting_as(made["id"]).call("auth.get_credentials")["credentials"]) == 1


def test_removing_one_revokes_its_credentials(admin: Client, store: Store) -> None:
    made = admin.call("auth.create_service_user", name="bot")
    assert admin.call("auth.delete_user", user=made["id"]) == {"deleted": True}
    keys = made["credentials"]
    assert admin.with_basic(keys["access_key"], keys["secret_key"]).refused("auth.login") == "401/22"
    assert dump_workspace(store).service_accounts == ()
