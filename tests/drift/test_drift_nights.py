"""The nightly check: what is told, to whom, how often; metrics and an issue's body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from drift_nights import Receiver, at, receiver
from drift_team import TEAM, applied_team, group_with

from tests.support.project import Project

SECRET = "planted-notification-secret"
ADA, BOB, AGENT = "ada@acme.io", "bob@acme.io", "agent"


def night(project: Project, received: Receiver, *options: str, days: float = 0) -> tuple[int, list[object]]:
    """Run the check of one night; return its exit code and what was told by it."""
    before = len(received.requests)
    result = at(project, days, "drift", "--notify", f"{received.url}/hook", "--metrics", "drift.prom", *options)
    assert "Traceback" not in result.output
    return result.code, [request.json for request in received.requests[before:]]


def metric(project: Project, name: str) -> float:
    lines = (project.folder / "drift.prom").read_text().splitlines()
    return float(next(line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")))


def test_nights_with_a_change_in_between(project: Project) -> None:
    applied_team(project)
    group = 'reconciler_drift{kind="group",class="changed-outside"}'
    with receiver() as received:
        assert night(project, received) == (0, []), "all is well, and nobody is told"
        assert metric(project, group) == 0
        first = metric(project, "reconciler_last_success_timestamp_seconds")

        group_with(project.sandbox, ADA, BOB, AGENT, "root@acme.io")
        code, told = night(project, received, days=1)
        assert code == 2
        (message,) = told
        assert [(item["title"], item["drift"]) for item in message["drift"]] == [("operators", "changed-outside")]
        assert message["healed"] == []
        assert metric(project, group) == 1
        assert metric(project, "reconciler_last_success_timestamp_seconds") > first + 80_000

        assert night(project, received, days=2) == (2, []), "told once"

        project.sandbox.set_vault("s3", "operators", "region: us")
        code, told = night(project, received, days=3)
        assert code == 2
        assert [[item["title"] for item in message["drift"]] for message in told] == [["s3 → operators"]]
        assert told[0]["total"] == 2

        project.sandbox.set_vault("s3", "operators", "region: cn")
        assert len(night(project, received, days=4)[1]) == 1, "told again, since it has changed"

        project.sandbox.set_vault("s3", "operators", "region: eu")
        group_with(project.sandbox, ADA, BOB, AGENT)
        code, told = night(project, received, days=5)
        assert code == 0
        (message,) = told
        assert message["drift"] == []
        assert sorted(item["key"][-1] for item in message["healed"]) == ["operators", "s3"]
        assert message["in_sync"] is True
        assert metric(project, group) == 0

        assert night(project, received, days=6) == (0, []), "told healed once"


def test_an_apply_heals_and_what_it_healed_is_told(project: Project) -> None:
    applied_team(project)
    with receiver() as received:
        group_with(project.sandbox, ADA, AGENT)
        assert night(project, received)[0] == 2
        project.converge()
        code, told = night(project, received)
        assert (code, len(told)) == (0, 1)
        assert project.run("history").stdout.count("converged") >= 2, "the record still has the runs"


def test_a_webhook_is_signed(project: Project) -> None:
    applied_team(project)
    (project.folder / "secret").write_text(SECRET + "\n")
    group_with(project.sandbox, ADA)
    with receiver() as received:
        assert night(project, received, "--notify-secret-file", "secret")[0] == 2
        (request,) = received.requests
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    expected = base64.b64encode(hmac.digest(SECRET.encode(), signed, "sha256")).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    assert request.headers["content-type"] == "application/json"
    assert request.path == "/hook"


def test_a_secret_may_be_in_the_environment_and_in_base64(project: Project) -> None:
    applied_team(project)
    key = hashlib.sha256(b"key").digest()
    project.environment["RECONCILER_NOTIFY_SECRET"] = "whsec_" + base64.b64encode(key).decode()
    group_with(project.sandbox, ADA)
    with receiver() as received:
        project.environment["RECONCILER_NOTIFY"] = f"{received.url}/hook"
        assert at(project, 0, "drift").code == 2
        (request,) = received.requests
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def test_without_a_secret_nothing_is_signed(project: Project) -> None:
    applied_team(project)
    group_with(project.sandbox, ADA)
    with receiver() as received:
        night(project, received)
        assert "webhook-signature" not in received.requests[0].headers
        assert received.requests[0].headers["webhook-id"].startswith("msg_")


def test_a_chat_gets_a_message_for_people_that_calls_nobody(project: Project) -> None:
    applied_team(project)
    project.sandbox.set_group("@channel <!here> `x` *b* & \u202e\x1b[31m", ADA)
    with receiver() as received:
        result = at(project, 0, "drift", "--notify", "slack+" + received.url + "/T0/planted-path")
        assert result.code == 2
        (request,) = received.requests
    message = request.json
    text = message["text"]
    assert "changed outside" in text
    assert "@channel" not in text
    assert "<!here>" not in text
    assert "\u202e" not in text
    assert "\x1b" not in json.dumps(message["blocks"], ensure_ascii=False)
    assert {block["text"]["type"] for block in message["blocks"]} == {"plain_text"}
    assert "planted-path" not in result.output


RUN = "https://gitlab.example/acme/workspace/-/jobs/12"


@pytest.mark.parametrize(
    ("variable", "link"), [(RUN, RUN), ("https://x/>|<!here>", None), ("javascript:alert(1)", None)]
)
def test_a_message_has_a_link_to_the_run_unless_it_is_no_plain_address(
    variable: str, link: str | None, project: Project
) -> None:
    applied_team(project)
    group_with(project.sandbox, ADA)
    project.environment["CI_JOB_URL"] = variable
    with receiver() as received:
        addresses = (f"{received.url}/hook", f"slack+{received.url}/chat", received.url.replace("http://", "json://"))
        assert at(project, 0, "drift", *(word for url in addresses for word in ("--notify", url))).code == 2
        by_path = {request.path: request.json for request in received.requests}
    assert by_path["/hook"]["run"] == link
    links = [block["text"]["text"] for block in by_path["/chat"]["blocks"] if block["text"]["type"] == "mrkdwn"]
    assert links == ([f"<{link}|The run>"] if link else [])
    other = next(sent for path, sent in by_path.items() if path not in ("/hook", "/chat"))
    assert (f"The run: {RUN}" in other["message"]) == (link is not None)


def test_another_service_is_told_through_the_library(project: Project) -> None:
    applied_team(project)
    group_with(project.sandbox, ADA)
    with receiver() as received:
        result = at(project, 0, "drift", "--notify", received.url.replace("http://", "json://") + "/planted-path")
        assert result.code == 2, result
        (request,) = received.requests
    assert "operators: changed outside" in request.json["message"]
    assert "planted-path" not in result.output


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://hooks.acme.io/planted", "would send it unprotected"),
        ("slack+http://hooks.acme.io/planted", "would send it unprotected"),
        ("json://hooks.acme.io/planted", "would send it unprotected"),
        ("ftpx://hooks.acme.io/planted", "no address that can be used"),
        ("https:///planted", "names no host"),
        ("planted", "needs an address"),
        ("https://[planted", "not an address"),
    ],
)
def test_an_address_that_cannot_be_used_is_wrong_usage_and_not_shown(project: Project, url: str, said: str) -> None:
    project.declare("members: [{email: root@acme.io, role: admin}]\n")
    result = project.run("drift", "--notify", url)
    assert result.code == 64, result
    assert said in result.stderr
    assert "/planted" not in result.output


@pytest.mark.parametrize("status", [302, 403, 500])
def test_who_could_not_be_told_is_told_next_time(project: Project, status: int) -> None:
    applied_team(project)
    group_with(project.sandbox, ADA)
    with receiver() as received:
        received.status = status
        result = at(project, 0, "drift", "--notify", received.url + "/planted-path")
        assert result.code == 2
        assert f"could not be notified: it answered with HTTP status {status}" in result.stderr
        assert "planted-path" not in result.output
        assert len(received.requests) == (3 if status == 500 else 1)
        assert {request.path for request in received.requests} == {"/planted-path"}, "no redirect is followed"
        received.status = 204
        assert len(night(project, received)[1]) == 1
        group_with(project.sandbox, ADA, BOB, AGENT)
        received.status = 403
        assert night(project, received)[0] == 7, "in sync, and somebody does not know"
        received.status = 200
        assert night(project, received)[0] == 0


def test_a_receiver_that_is_not_there_does_not_hide_the_drift(project: Project) -> None:
    applied_team(project)
    group_with(project.sandbox, ADA)
    result = at(project, 0, "drift", "--notify", "http://127.0.0.1:9/planted-path")
    assert result.code == 2
    assert "127.0.0.1 could not be notified: it cannot be reached" in result.stderr
    assert "planted-path" not in result.output


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "ALL_PROXY",
            "socks5://user:planted-password@127.0.0.1:1080",
            "names a socks5:// proxy for hooks.acme.invalid",
        ),
        ("HTTPS_PROXY", "ftp://planted", "names a ftp:// proxy for hooks.acme.invalid"),
        (
            "HTTPS_PROXY",
            "http://user:planted-password@127.0.0.1:9",
            "hooks.acme.invalid could not be notified: it cannot be reached",
        ),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", "no certificate authorities can be read from /nowhere/ca.pem"),
    ],
)
def test_a_proxy_or_certificates_that_cannot_be_used_do_not_hide_the_drift(
    project: Project, variable: str, value: str, said: str
) -> None:
    applied_team(project)
    group_with(project.sandbox, ADA)
    project.environment[variable] = value
    result = at(project, 0, "drift", "--notify", "https://hooks.acme.invalid/planted-path")
    assert result.code == 2, result
    assert said in result.stderr
    assert "planted" not in result.output


def test_without_a_record_it_is_told_every_time(project: Project) -> None:
    applied_team(project)
    group_with(project.sandbox, ADA)
    with receiver() as received:
        for _ in range(2):
            code, told = night(project, received, "--record", "none")
            assert (code, len(told)) == (2, 1)
            assert told[0]["drift"][0]["drift"] == "unknown"  # type: ignore[index]


def test_the_first_check_of_a_workspace_remembers_what_it_told(project: Project) -> None:
    project.declare(TEAM.replace("deliver: {file: out/ci.conf}", "deliver: {file: ci.conf}"))
    project.sandbox.add_entity("project", "Vision")
    with receiver() as received:
        assert len(night(project, received)[1]) == 1
        assert night(project, received) == (2, [])


def test_the_record_of_what_was_told_holds_no_value(project: Project) -> None:
    applied_team(project)
    project.sandbox.set_vault("s3", "operators", "password: planted-value")
    with receiver() as received:
        night(project, received)
        sent = b"".join(request.body for request in received.requests).decode()
    record = "".join(path.read_text() for path in (project.folder / ".reconciler").rglob("*.json"))
    for text in (sent, record, (project.folder / "drift.prom").read_text()):
        assert "planted-value" not in text


def test_every_series_of_the_metrics_is_always_there(project: Project) -> None:
    applied_team(project)
    assert project.run("drift", "--metrics", "drift.prom").code == 0
    lines = (project.folder / "drift.prom").read_text().splitlines()
    assert sum(line.startswith("reconciler_drift{") for line in lines) == 6 * 4
    assert 'reconciler_attention{what="expiring-credential"} 0' in lines
    names = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert {f"# TYPE {name} gauge" for name in names} <= set(lines)
    assert 0 < metric(project, "reconciler_duration_seconds") < 60


def test_a_failed_check_leaves_the_metrics_as_they_were(project: Project) -> None:
    applied_team(project)
    assert project.run("drift", "--metrics", "drift.prom").code == 0
    before = (project.folder / "drift.prom").read_bytes()
    assert project.run("drift", "--metrics", "drift.prom", "--server", "https://127.0.0.1:9").code == 7
    assert (project.folder / "drift.prom").read_bytes() == before


def test_an_issue_says_what_moved_and_what_to_do(project: Project, tmp_path: Path) -> None:
    applied_team(project)
    project.sandbox.set_group("@octocat <script> #1 `x`", ADA)
    project.declare(TEAM.replace("email: bob@acme.io}", "email: bob@acme.io, role: consumer}"))
    assert project.run("drift", "--issue-body", "issue.md").code == 2
    body = (project.folder / "issue.md").read_text()
    assert body.startswith("<!-- clearml-reconciler: acme-ml workspace.yaml -->\n")
    assert "2 resources, 1 changed outside, 1 not yet applied" in body
    assert "### Changed outside: the workspace left what was last applied" in body
    assert "- group `` @octocat <script> #1 `x` ``: changed outside" in body
    assert "- member `bob@acme.io`: not yet applied" in body
    project.converge()
    assert project.run("drift", "--issue-body", "issue.md").code == 0
    assert "is as `workspace.yaml` says." in (project.folder / "issue.md").read_text()
