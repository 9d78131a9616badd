from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import httpx
import pytest

from tests.support.project import Project
from tests.support.wires import Calls, endpoint_of, failing, refusal, tampering

ONE = "service_accounts: [{name: agent, credentials: [{label: ci, expires_in: 90d, deliver: {file: out/ci.conf}}]}]"
TWO = """
service_accounts:
  - name: agent
    credentials:
      - {label: first, deliver: {file: out/first.conf}}
      - {label: second, deliver: {file: out/second.conf}}
"""
NONE = "service_accounts: [{name: agent, credentials: []}]"


@pytest.fixture
def project(project: Project) -> Project:
    (project.folder / "out").mkdir()
    return project


def keys_in(path: Path) -> tuple[str, str]:
    found = dict(re.findall(r'(access_key|secret_key): ("[^"]+")', path.read_text()))
    return json.loads(found["access_key"]), json.loads(found["secret_key"])


def test_a_new_key_is_delivered_privately_and_works(project: Project) -> None:
    project.declare(ONE)
    project.converge()
    path = project.folder / "out/ci.conf"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("api {\n")
    assert project.sandbox.sign_in(*keys_in(path)) == 200
    assert [entry.name for entry in path.parent.iterdir()] == ["ci.conf"]


def test_the_section_names_the_server_so_that_a_client_can_use_it_as_it_is(project: Project) -> None:
    project.environment |= {"CLEARML_API_ACCESS_KEY": "ADMINKEY0000000000000000000000"}
    project.environment |= {"CLEARML_API_SECRET_KEY": "admin-secret-that-is-long-enough-to-be-noticed"}
    project.declare(ONE)
    with project.sandbox.on_a_port() as url:
        assert project.apply("--server", url).code == 0
        assert f'api_server: "{url}"' in (project.folder / "out/ci.conf").read_text()


def test_the_first_key_of_an_account_is_used_for_the_first_declared_label(project: Project) -> None:
    project.declare(TWO)
    calls = Calls()
    assert project.apply(wire=calls.wire).code == 0
    assert calls.made.count("auth.create_service_user") == 1
    assert calls.made.count("auth.create_credentials") == 1
    assert sorted(project.sandbox.truth().labels("agent"), key=str) == ["first", "second"]
    for name in ("first", "second"):
        assert project.sandbox.sign_in(*keys_in(project.folder / f"out/{name}.conf")) == 200


@pytest.mark.parametrize("body", [NONE, "service_accounts: [{name: agent}]"])
def test_the_first_key_of_an_account_is_revoked_where_none_is_declared(body: str, project: Project) -> None:
    project.declare(body)
    project.converge()
    assert project.sandbox.truth().labels("agent") == []


def test_a_key_that_is_no_longer_declared_is_revoked(project: Project) -> None:
    project.declare(TWO)
    project.converge()
    second = keys_in(project.folder / "out/second.conf")
    project.declare(TWO.replace("      - {label: second, deliver: {file: out/second.conf}}\n", ""))
    assert "- credential       agent / second" in project.run("plan").stdout
    assert project.apply().code == 4
    project.converge("--allow", "revocation")
    assert project.sandbox.truth().labels("agent") == ["first"]
    assert project.sandbox.sign_in(*second) == 401


def test_a_key_made_by_hand_is_drift_and_is_revoked(project: Project) -> None:
    project.declare(ONE)
    project.converge()
    project.sandbox.acting_as("agent", "auth.create_credentials", label="by hand")
    drifted = project.run("drift")
    assert drifted.code == 2
    assert "- credential       agent / by hand" in drifted.stdout
    assert project.apply().code == 4
    project.converge("--allow", "revocation")
    assert project.sandbox.truth().labels("agent") == ["ci"]


def test_keys_are_left_alone_where_the_account_lists_none(project: Project) -> None:
    project.declare(ONE)
    project.converge()
    project.declare("service_accounts: [{name: agent}]")
    planned = project.run("plan", "--detailed-exitcode")
    assert planned.code == 0
    assert "Left alone: 1 credential (not declared here)" in planned.stdout


def test_a_label_that_is_spelled_otherwise_is_changed_in_place(project: Project) -> None:
    project.declare(ONE)
    project.converge()
    before = project.sandbox.truth().accounts["agent"].credentials[0].access_key
    project.declare(ONE.replace("label: ci", "label: CI"))
    project.converge()
    (after,) = project.sandbox.truth().accounts["agent"].credentials
    assert (after.access_key, after.label) == (before, "CI")


class TestDeliveriesThatCannotWork:
    def refused_before_any_write(self, project: Project) -> str:
        before, calls = project.sandbox.truth(), Calls()
        result = project.apply(wire=calls.wire)
        assert calls.writes == []
        assert project.sandbox.truth() == before
        assert result.code == 4, result
        assert "Traceback" not in result.output
        return result.stderr

    def test_a_missing_folder(self, project: Project) -> None:
        project.declare(ONE.replace("out/", "nowhere/"))
        told = self.refused_before_any_write(project)
        assert "the folder for nowhere/ci.conf does not exist" in told
        assert "mkdir -p" in told

    def test_a_symbolic_link(self, project: Project) -> None:
        (project.folder / "elsewhere").write_text("precious")
        (project.folder / "out/ci.conf").symlink_to(project.folder / "elsewhere")
        project.declare(ONE)
        assert "out/ci.conf is a symbolic link" in self.refused_before_any_write(project)
        assert (project.folder / "elsewhere").read_text() == "precious"

    def test_a_folder_in_the_way(self, project: Project) -> None:
        (project.folder / "out/ci.conf").mkdir()
        project.declare(ONE)
        assert "out/ci.conf exists and is not a regular file" in self.refused_before_any_write(project)


class TestDeliveriesThatFail:
    def losing_the_folder_at(self, project: Project, endpoint: str) -> object:
        def lose(request: httpx.Request) -> None:
            if endpoint_of(request) == endpoint and (project.folder / "out").exists():
                for entry in (project.folder / "out").iterdir():
                    entry.unlink()
                (project.folder / "out").rmdir()

        return tampering(before=lose)

    @pytest.mark.parametrize("body", [ONE, TWO])
    def test_the_first_key_is_revoked_at_once(self, body: str, project: Project) -> None:
        project.declare(body)
        result = project.apply(wire=self.losing_the_folder_at(project, "auth.create_service_user"))  # type: ignore[arg-type]
        assert result.code == 6, result
        assert "failed   create credential agent / " in result.stdout
        assert project.sandbox.truth().labels("agent") == []
        (project.folder / "out").mkdir()
        project.converge()

    def test_a_later_key_is_revoked_at_once(self, project: Project) -> None:
        project.declare(NONE)
        project.converge()
        project.declare(ONE)
        result = project.apply(wire=self.losing_the_folder_at(project, "auth.create_credentials"))  # type: ignore[arg-type]
        assert result.code == 6
        assert "1 failed" in result.stdout
        assert project.sandbox.truth().labels("agent") == []
        (project.folder / "out").mkdir()
        project.converge()

    def test_a_key_whose_answer_was_lost_is_revoked_and_made_again(self, project: Project) -> None:
        project.declare(NONE)
        project.converge()
        project.declare(ONE)
        lost: list[str] = []

        def lose_once(request: httpx.Request, response: httpx.Response) -> httpx.Response:
            if endpoint_of(request) == "auth.create_credentials" and not lost:
                lost.append("answer")
                raise httpx.ReadError("cut")
            return response

        assert project.apply(wire=tampering(after=lose_once)).code == 0
        assert project.sandbox.truth().labels("agent") == ["ci"]
        assert project.sandbox.sign_in(*keys_in(project.folder / "out/ci.conf")) == 200

    def test_an_account_whose_answer_was_lost_is_found_again_and_not_made_twice(self, project: Project) -> None:
        project.declare(ONE)
        lost: list[str] = []

        def lose_once(request: httpx.Request, response: httpx.Response) -> httpx.Response:
            if endpoint_of(request) == "auth.create_service_user" and not lost:
                lost.append("answer")
                raise httpx.ReadError("cut")
            return response

        assert project.apply(wire=tampering(after=lose_once)).code == 0
        (account,) = project.sandbox.truth().workspace.service_accounts
        assert [credential.label for credential in account.credentials] == ["ci"]
        assert project.sandbox.sign_in(*keys_in(project.folder / "out/ci.conf")) == 200

    def test_a_run_that_died_before_the_label_is_finished_by_the_next(self, project: Project) -> None:
        project.declare(ONE)
        broken = failing("auth.edit_credentials", lambda: refusal(400, 12, "no"))
        assert project.apply(wire=broken).code == 6
        project.converge()
        assert project.sandbox.truth().labels("agent") == ["ci"]
        assert project.sandbox.sign_in(*keys_in(project.folder / "out/ci.conf")) == 200


def test_no_output_of_an_apply_holds_the_secret_key(project: Project) -> None:
    project.declare(TWO)
    for options in ((), ("--format", "json")):
        result = project.run("--debug", "apply", "--yes", *options)
        assert result.code == 0
        for name in ("first", "second"):
            _, secret = keys_in(project.folder / f"out/{name}.conf")
            assert secret not in result.output
