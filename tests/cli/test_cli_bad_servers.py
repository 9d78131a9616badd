from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.project import Project
from tests.support.sandboxes import ADMIN_KEY, ADMIN_SECRET
from tests.support.servers import answering, envelope, http, signing_in
from tests.support.wires import Calls, endpoint_of, failing, refusal, rewriting, tampering

READING = (("plan",), ("drift",), ("apply", "--yes"), ("import", "--out", "imported"))


@pytest.fixture
def project(project: Project) -> Project:
    project.environment = {"CLEARML_API_ACCESS_KEY": ADMIN_KEY, "CLEARML_API_SECRET_KEY": ADMIN_SECRET}
    project.declare("groups: [{name: ops}]")
    return project


def told_plainly(result: Any, code: int = 7) -> str:
    assert result.code == code, result
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "internal error" not in result.stderr
    assert ADMIN_SECRET not in result.output
    assert result.stderr.count("Error: ") == 1
    stderr: str = result.stderr
    return stderr


WEB_PAGE = b"<!doctype html><html><head><title>ClearML</title></head></html>"

SIGN_IN = [
    pytest.param(http(WEB_PAGE, kind="text/html"), "a web page (ClearML) instead of JSON", id="a web page"),
    pytest.param(http(WEB_PAGE, status="404 Not Found", kind="text/html"), "HTTP status 404", id="a page not found"),
    pytest.param(http(b"{}"), "not ClearML's envelope", id="an empty object"),
    pytest.param(http(b"[]"), "not ClearML's envelope", id="a list"),
    pytest.param(http(b'{"meta": {"result_code": 200}, "data"'), "cut short or not JSON", id="half an envelope"),
    pytest.param(http(b"\xff\xfe\x00"), "not JSON", id="binary"),
    pytest.param(http(envelope({}, 200)), "data.token should be a string, but is missing", id="no token"),
    pytest.param(http(envelope({"token": "no-token"})), "token", id="a token that is none"),
    pytest.param(http(envelope(None)), "without data", id="no data"),
    pytest.param(http(envelope({}, 400)), "result_code 400", id="a code that is not the status"),
    pytest.param(
        http(envelope({}, 401, 20, "bad key"), status="401 Unauthorized"),
        "does not accept the credentials from CLEARML_API_ACCESS_KEY and CLEARML_API_SECRET_KEY (401/20)",
        id="a wrong key",
    ),
    pytest.param(
        http(b"", status="302 Found\r\nLocation: https://elsewhere.io/"), "which is never followed", id="a redirect"
    ),
    pytest.param(http(b'{"meta": {}}', length=5000), "the connection broke", id="a connection dropped mid-answer"),
    pytest.param(b"", "the connection broke", id="a connection dropped at once"),
    pytest.param(b"SSH-2.0-OpenSSH_9\r\n", "the connection broke", id="another protocol"),
    pytest.param(http(b"", status="503 Service Unavailable"), "the server failed (HTTP status 503)", id="a failure"),
    pytest.param(http(b"", status="429 Too Many"), "asks to slow down (429)", id="too many requests"),
    pytest.param(signing_in(feature_set="basic"), "open-source", id="the open-source server"),
]


@pytest.mark.parametrize(("answer", "told"), SIGN_IN)
def test_a_server_that_does_not_let_us_in(answer: bytes, told: str, project: Project) -> None:
    with answering(lambda endpoint: answer) as url:
        assert told in told_plainly(project.run("plan", "--server", url))


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_every_command_tells_of_a_web_page(command: tuple[str, ...], project: Project) -> None:
    with answering(lambda endpoint: http(WEB_PAGE, kind="text/html")) as url:
        told_plainly(project.run(*command, "--server", url))
    assert not (project.folder / "imported").exists()


def test_nobody_answers(project: Project) -> None:
    assert "cannot be reached" in told_plainly(project.run("plan", "--server", "http://127.0.0.1:9"))


def test_a_wrong_key_at_the_real_thing(project: Project) -> None:
    with project.sandbox.on_a_port() as url:
        result = project.run("plan", "--server", url, "--secret-key", "a-wrong-secret-key")
    told = told_plainly(result)
    assert "does not accept the credentials" in told
    assert "a-wrong-secret-key" not in told


def test_no_key_at_all(project: Project) -> None:
    project.environment = {}
    told = told_plainly(project.run("plan", "--server", "https://api.acme.io"))
    assert "there are no credentials to sign in with; looked in --access-key" in told


def test_a_caller_who_is_no_admin(project: Project) -> None:
    sandbox = project.sandbox
    made = sandbox.call("auth.create_service_user", name="robot")["credentials"]
    project.environment = {
        "CLEARML_API_ACCESS_KEY": made["access_key"],
        "CLEARML_API_SECRET_KEY": made["secret_key"],
    }
    before = sandbox.truth().groups
    with sandbox.on_a_port() as url:
        for command in READING:
            told = told_plainly(project.run(*command, "--server", url))
            assert "the credentials of a workspace admin are needed; these have the role user" in told
    assert sandbox.truth().groups == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--server", "http://api.acme.io"), "is not encrypted"),
        (("--server", "ftp://api.acme.io"), "is not a URL"),
        (("--server", "https://a:b@api.acme.io"), "contains a user name or password"),
        (("--server", "sandbox:"), "sandbox: needs a file"),
        (("--server", "sandbox:workspace.yaml"), "cannot open the sandbox"),
        (("--server", "sandbox:missing/folder.db"), "there is no sandbox"),
        (("--concurrency", "0"), "concurrency"),
        (("--timeout", "0"), "timeout"),
        (("--nonsense",), "nonsense"),
        (("a", "b"), "unexpected extra argument"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], told: str, project: Project) -> None:
    assert told in told_plainly(project.run("plan", *arguments), 64)


ENDPOINTS = [
    "users.get_all_ex",
    "users.get_service_users",
    "login.get_settings",
    "permissions.get_user_groups",
    "users.get_organization_vaults",
]


CONFINED = {("login.get_settings", "no list"), ("users.get_service_users", "no list")}
"""Without invitations nobody is invited; that there are no accounts is confirmed by the group Users."""


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("sort", "response"),
    [
        ("a web page", lambda: httpx.Response(200, content=WEB_PAGE)),
        ("no list", lambda: httpx.Response(200, json={"meta": {"result_code": 200}, "data": {}})),
        ("not allowed", lambda: refusal(403, 20, "role not allowed")),
        ("no such call", lambda: refusal(404, 0, "no such endpoint")),
        ("a failure", lambda: httpx.Response(500, content=b"oops")),
    ],
)
def test_a_part_that_cannot_be_read_is_never_taken_for_empty(
    endpoint: str, sort: str, response: Callable[[], httpx.Response], project: Project
) -> None:
    project.declare(
        "members: [{email: root@acme.io, role: admin}]\nservice_accounts: []\ngroups: [{name: ops}]\nvaults: []"
    )
    before = project.sandbox.truth()
    for command in (("plan",), ("drift",), ("apply", "--yes")):
        if (endpoint, sort) not in CONFINED:
            told = told_plainly(project.run(*command, wire=failing(endpoint, response)))
            assert endpoint in told
    assert project.sandbox.truth() == before


def ada_in(data: dict[str, Any]) -> dict[str, Any]:
    return next((user for user in data["users"] if user.get("email") == "ada@acme.io"), {})


def without_ada(data: dict[str, Any]) -> None:
    data["users"] = [user for user in data["users"] if user.get("email") != "ada@acme.io"]


@pytest.mark.parametrize(
    ("endpoint", "change"),
    [
        pytest.param("users.get_all_ex", lambda data: data["users"].clear(), id="no users"),
        pytest.param("users.get_all_ex", without_ada, id="a user less"),
        pytest.param("permissions.get_user_groups", lambda data: data["groups"].clear(), id="no groups"),
        pytest.param(
            "permissions.get_user_groups", lambda data: data["groups"].append(data["groups"][0]), id="a group twice"
        ),
        pytest.param("permissions.get_user_groups", lambda data: data.update(groups=None), id="null for a list"),
    ],
)
def test_answers_that_do_not_fit_together_stop_the_run(
    endpoint: str, change: Callable[[dict[str, Any]], None], project: Project
) -> None:
    project.declare("members: [{email: root@acme.io, role: admin}]\ngroups: [{name: ops}]")
    project.sandbox.add_member("ada@acme.io")
    project.sandbox.call("auth.create_service_user", name="robot")
    before, calls = project.sandbox.truth(), Calls()
    wire = rewriting(endpoint, change)
    result = project.apply("--allow", "max-removals", wire=lambda inner: calls.wire(wire(inner)))
    told_plainly(result)
    assert calls.writes == []
    assert project.sandbox.truth() == before


@pytest.mark.parametrize(
    ("endpoint", "change"),
    [
        pytest.param("users.get_all_ex", lambda data: ada_in(data).update(role="king"), id="an unknown role"),
        pytest.param("users.get_all_ex", lambda data: ada_in(data).pop("id", None), id="a user without an id"),
        pytest.param(
            "login.get_settings",
            lambda data: data["whitelist_entries"].append({"email": "a@b.io", "status": "odd"}),
            id="an unknown state",
        ),
    ],
)
def test_an_entry_that_cannot_be_read_is_left_alone_and_all_else_goes_on(
    endpoint: str, change: Callable[[dict[str, Any]], None], project: Project
) -> None:
    people = "members: [{email: root@acme.io, role: admin}, {email: ada@acme.io}, {email: a@b.io}]"
    project.declare(f"{people}\ngroups: [{{name: ops}}]")
    project.sandbox.add_member("ada@acme.io")
    if endpoint == "users.get_all_ex":
        project.sandbox.add_member("a@b.io")
    calls = Calls()
    wire = rewriting(endpoint, change)
    result = project.apply(wire=lambda inner: calls.wire(wire(inner)))
    assert result.code == 2, result
    assert calls.writes == ["permissions.add_or_update_user_group"]
    assert "ada@acme.io" in project.sandbox.truth().members


def test_a_passing_failure_is_waited_out(project: Project) -> None:
    failures = iter([httpx.Response(503), httpx.Response(429, headers={"Retry-After": "7"}), None])

    def instead(request: httpx.Request) -> httpx.Response | None:
        return next(failures, None) if endpoint_of(request) == "permissions.get_user_groups" else None

    assert project.run("plan", wire=tampering(instead=instead)).code == 0


def test_a_refused_write_fails_alone(project: Project) -> None:
    project.declare("groups: [{name: one}, {name: two}]")
    wire = failing(
        "permissions.add_or_update_user_group", lambda: refusal(400, 12, "not\x1b[31m today"), matching="one"
    )
    result = project.apply(wire=wire)
    assert result.code == 6, result
    assert (
        "Applied: 1 added, 0 changed, 0 removed, 1 failed. Not converged: 1 change remains; run again." in result.stdout
    )
    assert "the server refused (400/12): not\\x1b[31m today" in result.stdout
    assert set(project.sandbox.truth().groups) == {"two", "Queue admins"}


def test_a_write_that_nobody_can_tell_of_is_unknown(project: Project) -> None:
    result = project.apply(wire=failing("permissions.add_or_update_user_group", lambda: httpx.Response(502)))
    assert result.code == 6
    assert "unknown  create group ops" in result.stdout
    assert "1 unknown" in result.stdout


HOSTILE = "evil\x1b[31m\x07\u202e\u2066\nname"
ESCAPED = "evil\\x1b[31m\\x07\\u202e\\u2066\\nname"
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class TestHostileNamesInTheWorkspace:
    @pytest.fixture
    def project(self, project: Project) -> Project:
        sandbox = project.sandbox
        sandbox.call("auth.create_service_user", name=HOSTILE)
        sandbox.set_group(HOSTILE, "root@acme.io", HOSTILE, description=HOSTILE)
        sandbox.set_vault(HOSTILE, HOSTILE, f'a: "{HOSTILE!r}"')
        sandbox.call("users.update", user=sandbox.truth().id_of("root@acme.io"), name=HOSTILE)
        project.declare(
            """
            members: [{email: root@acme.io, role: admin, name: Root}]
            service_accounts: []
            groups: []
            vaults: []
            """
        )
        return project

    @pytest.mark.parametrize(
        "command", [("plan",), ("drift",), ("plan", "--format", "json"), ("drift", "--format", "json")]
    )
    def test_are_shown_escaped(self, command: tuple[str, ...], project: Project) -> None:
        result = project.run(*command)
        assert not UNSAFE.search(result.output), result.output
        if "json" in command:
            assert HOSTILE in {change["title"] for change in result.json["changes"]}
        else:
            assert ESCAPED in result.stdout

    @pytest.mark.parametrize("form", ["text", "json"])
    def test_are_shown_escaped_by_an_apply_that_removes_them(self, form: str, project: Project) -> None:
        result = project.apply("--allow", "empty-kind", "--allow", "revocation", "--format", form)
        assert result.code == 0, result
        assert not UNSAFE.search(result.output)
        assert ESCAPED in result.stderr

    def test_are_shown_escaped_by_a_guard(self, project: Project) -> None:
        result = project.apply()
        assert result.code == 4
        assert not UNSAFE.search(result.output)
        assert ESCAPED in result.stderr


@pytest.mark.parametrize("form", ["text", "json"])
def test_half_of_a_surrogate_pair_in_a_live_name_is_shown_escaped(form: str, project: Project) -> None:
    project.sandbox.set_group("odd")

    def change(data: dict[str, Any]) -> None:
        for group in data["groups"]:
            group["name"] = group["name"].replace("odd", "odd\ud800")

    result = project.run("plan", "--format", form, wire=rewriting("permissions.get_user_groups", change))
    assert result.code == 4, result
    assert "odd\\ud800" in result.stdout
