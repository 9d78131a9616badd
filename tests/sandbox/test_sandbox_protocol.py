"""The frame of every call: paths, envelopes, sign-in, roles and acting for another."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from sandbox_client import Answer, Client, Clock, as_member, basic, member

from reconciler.sandbox.app import ENDPOINTS

if TYPE_CHECKING:
    from reconciler.sandbox.store import Store


def test_a_success_has_the_documented_envelope(admin: Client) -> None:
    answer = Answer(admin.send("/v2.23/users.get_all_ex", json={}))
    assert answer.meta.pop("id")
    assert answer.meta.pop("trx")
    assert answer.meta == {
        "endpoint": {"name": "users.get_all_ex", "requested_version": "2.23", "actual_version": "2.31"},
        "result_code": 200,
        "result_subcode": 0,
        "result_msg": "OK",
        "error_stack": "",
        "error_data": {},
    }


def test_the_transaction_id_is_echoed(admin: Client) -> None:
    answer = Answer(admin.send("/users.get_all_ex", headers=admin.headers | {"X-Clearml-Trx": "mine"}))
    assert answer.meta["trx"] == "mine"


def test_an_endpoint_that_is_not_there_is_told_before_the_sign_in(admin: Client) -> None:
    answer = admin.anonymous().ask("users.fly")
    assert answer.outcome == "404/0"
    assert answer.meta["result_msg"] == "Unable to find endpoint for name users.fly and version 2.31"
    assert answer.meta["endpoint"]["actual_version"] is None
    assert answer.meta["error_stack"] is None


@pytest.mark.parametrize(
    "path", ["/", "/v2/users.get_all", "/api/users.get_all", "/users", "//users.get_all", "/v2.31/api/users.get_all"]
)
def test_a_path_that_is_no_call_is_refused(admin: Client, path: str) -> None:
    assert Answer(admin.anonymous().send(path)).outcome == "400/0"


@pytest.mark.parametrize("version", ["2.31", "2.1", "99.9"])
def test_any_version_is_accepted_in_the_path(admin: Client, version: str) -> None:
    assert Answer(admin.send(f"/v{version}/users.get_role_options")).outcome == "200/0"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_the_method_does_not_matter(admin: Client, method: str) -> None:
    answer = Answer(admin.send("/users.get_all_ex", method, content=b'{"include_auth": true}'))
    assert answer.data["users"][0]["role"] == "admin"


def test_options_is_answered_without_an_envelope(admin: Client) -> None:
    assert admin.send("/users.get_all_ex", "OPTIONS").content == b""


def test_a_query_overrides_the_body_and_repeats_make_a_list(admin: Client) -> None:
    answer = Answer(
        admin.send(
            "/users.get_vaults?enabled=true&types=config&types=config", "GET", json={"enabled": 7, "method": "get"}
        )
    )
    assert answer.data == {"vaults": []}


@pytest.mark.parametrize(
    ("query", "outcome"),
    [("types=config", "400/12"), ("types=1&types=2", "400/12"), ("enabled=7", "400/12"), ("unknown=7", "200/0")],
)
def test_query_values_are_coerced(admin: Client, query: str, outcome: str) -> None:
    assert Answer(admin.send(f"/users.get_vaults?{query}", "GET")).outcome == outcome


@pytest.mark.parametrize(
    ("body", "outcome"),
    [(b"", "200/0"), (b"{}", "200/0"), (b"{", "400/0"), (b"\xff", "400/0"), (b"[]", "500/0"), (b"7", "500/0")],
)
def test_malformed_bodies(admin: Client, body: bytes, outcome: str) -> None:
    answer = Answer(admin.send("/users.get_all_ex", content=body))
    assert answer.outcome == outcome
    assert ("Traceback" in (answer.meta["error_stack"] or "")) is outcome.startswith("500")


def test_the_sign_in_is_checked_before_the_body_and_the_role_before_both(admin: Client, store: Store) -> None:
    assert Answer(admin.anonymous().send("/login.get_settings", content=b"{")).outcome == "401/20"
    assert Answer(as_member(admin, store).send("/login.get_settings", content=b"{")).outcome == "403/20"


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({}, "401/20"),
        ({"Authorization": "Digest x"}, "401/10"),
        ({"Authorization": "basic eDp5"}, "401/10"),
        ({"Authorization": "bearer x"}, "401/10"),
        ({"Authorization": "Basic !"}, "401/21"),
        ({"Authorization": "Basic " + base64.b64encode(b"no separator").decode()}, "401/21"),
        ({"Authorization": basic("nobody", "nothing")}, "401/22"),
        ({"Authorization": "Bearer x"}, "401/30"),
        ({"Cookie": "clearml_token_basic=x"}, "401/30"),
    ],
)
def test_sign_in_that_does_not_work(admin: Client, headers: dict[str, str], outcome: str) -> None:
    answer = Answer(admin.send("/users.get_all_ex", headers=headers))
    assert answer.outcome == outcome
    assert "www-authenticate" not in answer.response.headers


def test_an_unknown_key_and_a_wrong_secret_cannot_be_told_apart(admin: Client, store: Store) -> None:
    assert store.bootstrap
    wrong = admin.with_basic(store.bootstrap.access_key, "wrong").ask("auth.login")
    unknown = admin.with_basic("nobody", "wrong").ask("auth.login")
    assert wrong.meta["result_msg"] == unknown.meta["result_msg"]


def test_basic_bearer_and_cookie_work_on_every_endpoint(admin: Client, store: Store) -> None:
    assert store.bootstrap
    by_key = admin.with_basic(store.bootstrap.access_key, store.bootstrap.secret_key)
    response = by_key.send("/auth.login", "GET")
    cookie = response.headers["set-cookie"].partition(";")[0]
    assert by_key.call("login.get_settings") == admin.call("login.get_settings")
    assert Answer(admin.send("/login.get_settings", headers={"Cookie": cookie})).outcome == "200/0"


def test_no_cookie_is_set_if_none_is_wanted(admin: Client) -> None:
    assert "set-cookie" in admin.send("/auth.login").headers
    assert "set-cookie" not in admin.send("/auth.login", json={"set_cookie": False}).headers


def test_a_token_holds_the_documented_claims(admin: Client, store: Store, clock: Clock) -> None:
    claims: dict[str, Any] = jwt.decode(admin.call("auth.login")["token"], options={"verify_signature": False})
    identity = claims.pop("identity")
    assert store.bootstrap
    assert identity == {
        "user": store.bootstrap.user,
        "company": store.company,
        "role": "admin",
        "user_name": "Root",
        "company_name": "acme-ml",
    }
    assert claims.keys() == {
        "exp", "iat", "auth_type", "session_id", "env", "api_version", "server_version", "server_build", "feature_set",
    }  # fmt: skip
    assert claims["exp"] - claims["iat"] == 30 * 24 * 3600
    assert claims["iat"] == clock().timestamp()
    assert (claims["api_version"], claims["feature_set"]) == ("2.31", "enterprise")


def test_a_token_ends_when_it_was_asked_to(admin: Client, clock: Clock) -> None:
    short = admin.with_token(admin.call("auth.login", expiration_sec=60)["token"])
    clock.move(seconds=59)
    short.call("users.get_role_options")
    clock.move(seconds=1)
    assert short.refused("users.get_role_options") == "401/30"


@pytest.mark.parametrize("seconds", [0, -1, "60", True, 1.5])
def test_a_lifetime_that_is_none_is_refused(admin: Client, seconds: object) -> None:
    assert admin.refused("auth.login", expiration_sec=seconds) == "400/12"


def test_a_token_keeps_its_role_but_basic_reads_the_store(admin: Client, store: Store) -> None:
    ada = member(admin, store, role="admin")
    old = admin.with_token(store.session_for(ada))
    keys = admin.acting_as(ada).call("auth.create_credentials")["credentials"]
    admin.call("users.set_role", user=ada, role="user")
    old.call("login.get_settings")
    assert admin.with_basic(keys["access_key"], keys["secret_key"]).refused("login.get_settings") == "403/20"
    fresh = old.with_token(old.call("auth.login")["token"])
    assert fresh.refused("login.get_settings") == "403/20"


def test_a_token_outlives_the_revoked_key_it_was_made_with(admin: Client, store: Store) -> None:
    assert store.bootstrap
    by_key = admin.with_basic(store.bootstrap.access_key, store.bootstrap.secret_key)
    token = by_key.call("auth.login")["token"]
    by_key.call("auth.revoke_credentials", access_key=store.bootstrap.access_key)
    assert by_key.refused("auth.login") == "401/22"
    admin.with_token(token).call("login.get_settings")


def test_a_token_of_a_removed_user_is_refused(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    token = store.session_for(ada)
    admin.call("auth.delete_user", user=ada)
    assert admin.with_token(token).refused("users.get_role_options") == "401/30"


def test_a_token_of_another_server_is_refused(admin: Client) -> None:
    forged = jwt.encode({"exp": 9999999999, "identity": {"user": "x", "role": "admin"}}, "k" * 64, algorithm="HS256")
    assert admin.with_token(forged).refused("users.get_all_ex") == "401/30"


def test_acting_as_another_takes_their_identity_and_role(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    claims = jwt.decode(admin.acting_as(ada).call("auth.login")["token"], options={"verify_signature": False})
    assert (claims["identity"]["user"], claims["identity"]["role"]) == (ada, "user")
    assert admin.acting_as(ada).refused("login.get_settings") == "403/20"
    admin.acting_as(ada, "X-Clearml-Act-As").call("login.get_settings")


def test_acting_as_another_is_for_administrators_and_known_users(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    plain = admin.with_token(store.session_for(ada))
    root = store.bootstrap and store.bootstrap.user
    assert plain.acting_as(root or "").refused("users.get_all_ex") == "400/6"
    assert plain.acting_as("nobody").refused("login.get_settings") == "403/20"
    assert admin.acting_as("nobody").refused("users.get_all_ex") == "400/6"
    assert admin.acting_as("__system__").refused("users.get_all_ex") == "400/301"
    both = admin.acting_as(ada).acting_as(ada, "X-Clearml-Act-As")
    assert both.refused("users.get_all_ex") == "400/5"


FOR_EVERYONE = {
    "auth.login", "auth.create_credentials", "auth.get_credentials", "auth.edit_credentials", "auth.revoke_credentials",
    "users.get_all", "users.get_all_ex", "users.get_role_options", "users.update", "users.get_vaults",
    "users.add_or_update_vault", "users.delete_vaults", "projects.get_all_ex", "queues.get_all_ex", "tasks.get_all_ex",
    "models.get_all_ex", "datasets.get_all_ex", "dataviews.get_all_ex", "routers.get_routes",
}  # fmt: skip


@pytest.mark.parametrize("endpoint", sorted(ENDPOINTS))
def test_all_but_a_few_calls_are_for_administrators(admin: Client, store: Store, endpoint: str) -> None:
    answer = as_member(admin, store).ask(endpoint)
    assert (answer.outcome == "403/20") is (endpoint not in FOR_EVERYONE)
    assert (admin.ask(endpoint).outcome == "403/20") is (endpoint == "users.delete")


def test_a_defect_of_the_server_is_an_envelope_too(admin: Client, store: Store) -> None:
    with store.transaction(write=True) as db:
        db.execute("DROP TABLE domains")
    answer = admin.ask("login.get_settings")
    assert answer.outcome == "500/0"
    assert "Traceback" in answer.meta["error_stack"]


def test_text_that_cannot_be_written_breaks_the_call_and_not_the_server(admin: Client) -> None:
    assert Answer(admin.send("/users.get_all_ex", content=b'{"name": "\\ud800"}')).outcome == "500/0"
    assert Answer(admin.send("/users.set_role", content=b'{"user": "x", "role": "\\ud800"}')).outcome == "400/301"
    assert Answer(admin.send("/users.get_all_ex?page=" + "9" * 5000)).outcome == "500/0"


def test_a_refused_call_changes_nothing(admin: Client) -> None:
    before = admin.call("login.get_settings")
    assert admin.refused("login.add_whitelist_entries", emails=["fine@acme.io", "not an address"]) == "400/22"
    assert admin.call("login.get_settings") == before


def test_answers_are_json_in_utf8(admin: Client, store: Store) -> None:
    admin.call("auth.create_service_user", name="Zoë 🚀")
    raw = admin.send("/users.get_service_users").content
    assert "Zoë 🚀" in raw.decode()
    assert json.loads(raw)["data"]["users"][0]["name"] == "Zoë 🚀"


DOCUMENTED = (
    "auth: login add_user delete_user create_service_user create_credentials get_credentials edit_credentials",
    "auth: revoke_credentials locate_credentials",
    "users: get_all_ex get_role_options set_role update delete get_service_users update_service_user",
    "users: get_organization_vaults get_vaults add_or_update_vault delete_vaults get_vault_operations_log",
    "permissions: get_company_users get_user_groups add_or_update_user_group delete_user_groups",
    "permissions: get_access_rules add_or_update_access_rule delete_access_rules get_entity_access_categories",
    "login: get_settings add_whitelist_entries remove_whitelist_entries set_domains",
    "projects: get_all_ex",
    "queues: get_all_ex",
)


def test_every_documented_call_is_there(admin: Client) -> None:
    for line in DOCUMENTED:
        service, _, actions = line.partition(": ")
        for action in actions.split():
            assert admin.anonymous().refused(f"{service}.{action}") == "401/20", action
