"""The frame of every call: paths, envelopes, sign-in, roles and acting for another."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from sandbox_client import Answer, Client, Clock, as_member, basic, member

from reconciler.sandbox.app import ENDPOINTS
from reconciler.sandbox.choices import FEATURE_OF, FEATURES, USERS_GROUP_ID
from tests.contract.reader import published

if TYPE_CHECKING:
    from reconciler.sandbox.store import Store


def test_a_success_has_the_documented_envelope(admin: Client) -> None:
    answer = Answer(admin.send("/v2.23/users.get_all_ex", json={}))
    assert answer.meta.pop("id")
    assert answer.meta.pop("trx")
    assert answer.meta == {
        "endpoint": {"name": "users.get_all_ex", "requested_version": "2.23", "actual_version": "2.8"},
        "result_code": 200,
        "result_subcode": 0,
        "result_msg": "OK",
        "error_stack": None,
        "error_data": {},
    }


def test_the_transaction_id_is_echoed(admin: Client) -> None:
    answer = Answer(admin.send("/users.get_all_ex", headers=admin.headers | {"X-Clearml-Trx": "mine"}))
    assert answer.meta["trx"] == "mine"


def test_an_endpoint_that_is_not_there_is_told_before_the_sign_in(admin: Client) -> None:
    answer = admin.anonymous().ask("users.fly")
    assert answer.outcome == "404/0"
    assert answer.meta["result_msg"] == "Unable to find endpoint for name users.fly and version 2.37"
    assert answer.meta["endpoint"]["actual_version"] is None
    assert answer.meta["error_stack"] is None


@pytest.mark.parametrize("path", ["/", "/v2/users.get_all", "/api/users.get_all", "/users", "/v2.31/api/users.get_all"])
def test_a_path_that_is_no_call_is_refused(admin: Client, path: str) -> None:
    assert Answer(admin.anonymous().send(path)).outcome == "400/0"


def test_a_second_slash_does_no_harm(admin: Client) -> None:
    assert Answer(admin.send("http://sandbox//users.get_all")).outcome == "200/0"


def test_the_servers_own_clock_tells_the_time(admin: Client, clock: Clock) -> None:
    clock.move(hours=1)
    assert admin.send("/users.get_all").headers["date"] == "Sun, 01 Mar 2026 13:00:00 GMT"
    assert admin.anonymous().send("/users.fly").headers["date"] == "Sun, 01 Mar 2026 13:00:00 GMT"


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
    [
        (b"", "200/0"),
        (b"{}", "200/0"),
        (b"null", "200/0"),
        (b"[]", "200/0"),
        (b"{", "400/0"),
        (b"\xff", "400/0"),
        (b"7", "500/0"),
    ],
)
def test_malformed_bodies(admin: Client, body: bytes, outcome: str) -> None:
    answer = Answer(admin.send("/users.get_all_ex", content=body))
    assert answer.outcome == outcome
    assert ("Traceback" in (answer.meta["error_stack"] or "")) is outcome.startswith("500")


def test_a_form_counts_as_an_empty_body(admin: Client) -> None:
    assert Answer(admin.send("/users.get_all", data={"page": "-1"})).outcome == "200/0"


def test_the_sign_in_is_checked_before_the_body_and_the_role_before_both(admin: Client, store: Store) -> None:
    assert Answer(admin.anonymous().send("/login.get_settings", content=b"{")).outcome == "401/20"
    assert Answer(as_member(admin, store).send("/login.get_settings", content=b"{")).outcome == "403/20"


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({}, "401/20"),
        ({"Authorization": ""}, "401/20"),
        ({"Authorization": "Digest x"}, "401/10"),
        ({"Authorization": "basic eDp5"}, "401/10"),
        ({"Authorization": "bearer x"}, "401/10"),
        ({"Authorization": "Basic !"}, "401/22"),
        ({"Authorization": "Basic " + base64.b64encode(b"no separator").decode()}, "401/22"),
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
    assert (claims["api_version"], claims["feature_set"]) == ("2.37", "enterprise")


def test_a_token_ends_when_it_was_asked_to(admin: Client, clock: Clock) -> None:
    short = admin.with_token(admin.call("auth.login", expiration_sec=60)["token"])
    clock.move(seconds=59)
    short.call("users.get_role_options")
    clock.move(seconds=1)
    assert short.refused("users.get_role_options") == "401/30"


@pytest.mark.parametrize("seconds", [0, -1, "60", True, 1.5])
def test_a_lifetime_that_is_none_counts_as_not_given(admin: Client, clock: Clock, seconds: object) -> None:
    short = admin.with_token(admin.call("auth.login", expiration_sec=seconds)["token"])
    clock.move(days=29)
    short.call("users.get_role_options")


def test_the_settings_say_what_version_is_spoken(admin: Client, store: Store) -> None:
    store.change_settings(api_version="2.36")
    claims = jwt.decode(admin.call("auth.login")["token"], options={"verify_signature": False})
    assert claims["api_version"] == admin.call("server.info")["api_version"] == "2.36"
    assert admin.call("server.health_check") == {}


def test_signing_out_ends_the_cookie(admin: Client) -> None:
    for call in ("auth.logout", "login.logout"):
        assert "Max-Age=0" in admin.send(f"/{call}").headers["set-cookie"]


def test_how_to_sign_in_is_told_before_it(admin: Client) -> None:
    assert admin.anonymous().call("login.supported_modes")["authenticated"] is False
    modes = admin.call("login.supported_modes")
    assert (modes["authenticated"], modes["basic"]["enabled"], modes["sso_providers"]) == (True, False, [])


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
    admin.acting_as("__apiserver__").call("users.get_all_ex")
    assert admin.acting_as("__apiserver__").refused("users.delete") == "403/20"
    both = admin.acting_as(ada).acting_as(ada, "X-Clearml-Act-As")
    assert both.refused("users.get_all_ex") == "400/5"


def forbidden(client: Client, endpoint: str) -> bool:
    return client.ask(endpoint).meta["result_msg"] == "Forbidden (not allowed for role)"


@pytest.mark.parametrize("endpoint", sorted(ENDPOINTS))
def test_every_call_is_open_to_whom_the_contract_says(admin: Client, store: Store, endpoint: str) -> None:
    roles = published().calls[endpoint].roles
    assert forbidden(as_member(admin, store), endpoint) is bool(roles)
    assert forbidden(admin, endpoint) is bool(roles and "admin" not in roles)
    assert (admin.anonymous().ask(endpoint).outcome == "401/20") is (roles != set())


def test_nothing_is_created_without_a_sign_in_and_nothing_read(admin: Client) -> None:
    open_to_all = {name for name, endpoint in ENDPOINTS.items() if not endpoint.roles}
    assert open_to_all == {"login.supported_modes", "login.logout"}


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


def test_whoever_calls_learns_who_they_are(admin: Client, store: Store) -> None:
    me = as_member(admin, store)
    company = {"id": store.company, "name": "acme-ml", "tier": "paid"}
    answer = me.call("users.get_current_user")
    assert answer["user"].pop("id")
    assert answer["user"] == {
        "name": "ada",
        "email": "ada@acme.io",
        "created": "2026-03-01T12:00:00.000000+00:00",
        "role": "user",
        "company": company,
        "companies": [company | {"active": True}],
        "preferences": {},
    }
    assert answer["sec_groups"] == [{"id": USERS_GROUP_ID, "name": "Users"}]
    assert "supported_features" not in answer
    store.change_settings(features=("service_users", "config_vault"))
    asked = me.call("users.get_current_user", get_supported_features=True)
    assert asked["supported_features"] == ["service_users", "config_vault"]


@pytest.mark.parametrize(("call", "feature"), sorted(FEATURE_OF.items()))
def test_a_server_without_a_feature_lacks_its_calls(admin: Client, store: Store, call: str, feature: str) -> None:
    store.change_settings(features=tuple(set(FEATURES) - {feature}))
    assert admin.anonymous().refused(call) == "404/0"
    assert admin.anonymous().refused("users.get_all_ex") == "401/20"


def test_preferences_are_ones_own_and_a_dot_leads_into_them(admin: Client, store: Store) -> None:
    me = as_member(admin, store)
    assert me.call("users.get_preferences") == {"preferences": {}}
    first = me.call("users.set_preferences", preferences={"view": {"a": 1}, "theme": "dark"})
    assert first == {"updated": 1, "fields": {"preferences": {"view": {"a": 1}, "theme": "dark"}}}
    assert me.call("users.set_preferences", preferences={"view.b.c": 2}, return_updated=False) == {"updated": 1}
    kept = {"view": {"a": 1, "b": {"c": 2}}, "theme": "dark"}
    assert me.call("users.get_preferences") == {"preferences": kept}
    assert me.call("users.get_current_user")["user"]["preferences"] == kept
    assert admin.call("users.get_preferences") == {"preferences": {}}
