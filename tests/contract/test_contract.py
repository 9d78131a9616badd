"""The contract's own tests: that the data can be read, that what breaks it is found, and what it leaves out."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from reconciler.clearml.endpoints import READS
from reconciler.sandbox.app import ENDPOINTS, create_app
from reconciler.sandbox.call import ANYONE, Endpoint
from reconciler.sandbox.store import Store
from tests.contract import judge
from tests.contract.reader import Edition, published

# Calls that we use or offer and no published Enterprise page describes.
OPEN_SOURCE_ONLY = {
    "dataviews.get_all",
    "projects.create",
    "projects.get_by_id",
    "queues.create",
    "queues.get_all",
    "queues.get_by_id",
}


def test_the_calls_that_rest_on_the_open_source_description_are_these() -> None:
    calls = published().calls.values()
    assert {call.name for call in calls if call.edition is Edition.OPEN_SOURCE} == OPEN_SOURCE_ONLY
    assert sum(call.edition is Edition.ENTERPRISE for call in calls) == 126


def test_every_reading_call_of_the_client_is_published() -> None:
    assert READS - published().calls.keys() == set()


LACKING = {
    "auth": "create_user fixed_users_mode generate_endpoint_router_token generate_router_token get_router_tokens"
    " get_task_token get_task_token_for_user get_token_for_user get_users_info redirect_to_router reload_config"
    " revoke_router_tokens set_credentials validate_router_code validate_token validate_user",
    "login": "finish_sso_callback get_whitelist signup_user sso_authorize sso_callback sso_callback_duo"
    " sso_callback_google_saml sso_callback_google_saml_support sso_callback_jumpcloudsaml sso_callback_keycloak"
    " sso_callback_microsoft_ad sso_callback_saml test_sso_callback",
    "permissions": "ensure_default_access_rules",
    "users": "accept_terms_of_use create get_terms_of_use get_whitelist set_admin",
    "dataviews": "", "projects": "", "queues": "", "tasks": "", "models": "", "routers": "",
    "datasets": "get_by_name",
    "server": "config db_version endpoints health_status report_stats_option",
}  # fmt: skip


def test_the_sandbox_has_the_published_calls_of_its_services_but_for_these() -> None:
    published_here = {name for name in published().calls if name.partition(".")[0] in LACKING}
    lacking = {f"{service}.{action}" for service, actions in LACKING.items() for action in actions.split()}
    assert published_here - ENDPOINTS.keys() == lacking
    assert ENDPOINTS.keys() - published_here == set()


def test_fields_are_found_by_their_path() -> None:
    paths = dict(published().calls["users.get_all_ex"].response_fields())
    assert paths["users[].activity.last_ui_access"].type.format == "date-time"
    assert {"users", "users[].id", "users[].sec_groups"} <= paths.keys()


async def send(store: Store, agent: str, endpoint: str, **fields: object) -> None:
    headers = {"Authorization": f"Bearer {store.session_for_admin()}", "User-Agent": agent}
    transport = httpx.ASGITransport(create_app(store))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as http:
        await http.post(f"/v2.37/{endpoint}", json=fields)


def test_a_request_of_our_client_is_judged_and_nobody_elses() -> None:
    with Store.open(":memory:") as store:
        asyncio.run(send(store, "curl", "users.get_all_ex", shoe_size=43))
        assert judge.violations() == []
        asyncio.run(send(store, f"{judge.OUR_CLIENT}1", "users.get_all_ex", shoe_size=43))
        (found,) = judge.violations()
    assert "users.get_all_ex request: shoe_size: Extra inputs are not permitted" in found


def test_an_answer_of_the_sandbox_is_judged_whoever_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Endpoint(lambda _: {"preferences": [], "shoe_size": 43}, ANYONE)
    monkeypatch.setitem(ENDPOINTS, "users.get_preferences", wrong)
    with Store.open(":memory:") as store:
        asyncio.run(send(store, "curl", "users.get_preferences"))
    assert len(judge.violations()) == 2


def envelope(data: object, code: int = 200) -> bytes:
    endpoint = {"name": "x", "requested_version": "2.31", "actual_version": None}
    meta = {"id": "1", "trx": "1", "endpoint": endpoint, "result_code": code, "result_subcode": 0}
    meta |= {"result_msg": "OK", "error_stack": None, "error_data": {}}
    return json.dumps({"meta": meta, "data": data}).encode()


@pytest.mark.parametrize(
    ("endpoint", "body", "problem"),
    [
        ("users.fly", {}, "no such call is published"),
        ("users.set_role", {"user": "u"}, "role: Field required"),
        ("users.set_role", {"user": "u", "role": "guest"}, "role: Input should be 'admin', 'user' or 'consumer'"),
        ("users.set_role", {"user": "u", "role": "user", "force": True}, "force: Extra inputs are not permitted"),
        ("users.get_all_ex", {"page": "0"}, "page: Input should be a valid integer"),
        ("users.get_all_ex", {"page": -1}, "page: Input should be greater than or equal to 0"),
        ("users.get_all_ex", {"name": None}, "name: Input should be a valid string"),
        ("permissions.get_user_groups", {"groups": [1]}, "groups.0: Input should be a valid string"),
        ("users.get_vault_operations_log", {"from_timestamp": 1772366400}, "from_timestamp"),
        ("login.add_whitelist_entries", {"emails": [], "role": "user"}, "role exists since API 2.37"),
    ],
)
def test_a_request_outside_the_contract_is_found(endpoint: str, body: dict[str, Any], problem: str) -> None:
    (found,) = judge.request_problems(endpoint, json.dumps(body).encode(), (2, 36))
    assert problem in found


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("users.get_all_ex", {"include_auth": True, "id": ["a"], "page": 0}),
        ("users.get_vault_operations_log", {"group": None, "from_timestamp": "2026-03-01T12:00:00+00:00"}),
        ("login.add_whitelist_entries", {"emails": ["a@acme.io"], "is_admin": True}),
    ],
)
def test_a_request_within_the_contract_is_not(endpoint: str, body: dict[str, Any]) -> None:
    assert judge.request_problems(endpoint, json.dumps(body).encode(), (2, 36)) == []


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"users": [{"id": "u", "company": {"id": "c"}}]}, "data.users.0.company: Input should be a valid string"),
        ({"users": [{"id": "u", "shoe_size": 43}]}, "data.users.0.shoe_size: Extra inputs are not permitted"),
        ({"users": [{"created": 1772366400}]}, "data.users.0.created"),
    ],
)
def test_an_answer_outside_the_contract_is_found(data: dict[str, Any], problem: str) -> None:
    (found,) = judge.answer_problems("users.get_all_ex", 200, envelope(data))
    assert problem in found


def test_an_answer_may_leave_everything_out_and_a_refusal_holds_no_data() -> None:
    assert judge.answer_problems("users.get_all_ex", 200, envelope({})) == []
    assert judge.answer_problems("users.get_all_ex", 200, envelope({"users": None})) == []
    assert judge.answer_problems("users.get_all_ex", 403, envelope({}, 403)) == []
    assert judge.answer_problems("users.get_all_ex", 403, envelope({"users": []}, 403)) != []
