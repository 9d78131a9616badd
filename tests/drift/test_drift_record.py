"""What drift makes of records: damaged, foreign, of another key, of runs that died; and of what is no drift."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from drift_nights import at
from drift_team import TEAM, applied_team, group_with, own_vault, set_role

from tests.support.project import Project
from tests.support.runner import Result
from tests.support.sandboxes import ADMIN_KEY, ADMIN_SECRET
from tests.support.wires import Calls, endpoint_of, failing, refusal, tampering

ADA, BOB, AGENT = "ada@acme.io", "bob@acme.io", "agent"


def classes(result: Result) -> dict[str, str]:
    return {item["title"]: item["drift"] for item in result.json["findings"]}


def drift(project: Project, *options: str, **others: Any) -> Result:
    return project.run("drift", "--format", "json", *options, **others)


def record_of(project: Project) -> Path:
    (found,) = (project.folder / ".reconciler").glob("*.json")
    return found


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda content: content[: len(content) // 2], "is damaged: it is not complete JSON"),
        (lambda content: content.replace(b"acme-ml", b"acme-m1"), "its checksum does not match"),
        (lambda content: content.replace(b"record/2", b"record/3", 1), "written by another version"),
        (lambda content: b"[]", "not a record"),
    ],
)
def test_a_record_that_cannot_be_trusted_is_not_used(project: Project, spoil: Any, said: str) -> None:
    applied_team(project)
    group_with(project.sandbox, ADA)
    record_of(project).write_bytes(spoil(record_of(project).read_bytes()))
    before = record_of(project).read_bytes()
    result = drift(project)
    assert result.code == 2
    assert said in result.stderr
    assert "it is not used" in result.stderr
    assert classes(result) == {"operators": "unknown"}
    assert result.json["memory"] == "untrusted"
    assert "the record of what was last applied cannot be trusted" in project.run("drift").stdout
    assert record_of(project).read_bytes() == before


def test_a_record_of_another_workspace_is_not_used(project: Project) -> None:
    applied_team(project)
    group_with(project.sandbox, ADA)
    path = record_of(project)
    head = (project.folder / "workspace.yaml").read_text().replace("acme-ml", "another")
    (project.folder / "workspace.yaml").write_text(head)
    result = drift(project, "--record", str(path))
    assert classes(result) == {"operators": "unknown"}
    assert "about another workspace" in result.stderr


def test_a_kind_that_was_not_managed_before_was_not_changed_outside(project: Project) -> None:
    without = TEAM[: TEAM.index("groups:")]
    project.declare(without)
    project.apply()
    project.sandbox.accept(ADA, BOB)
    project.converge()
    project.sandbox.set_group("old", ADA)
    project.declare(without + "groups: []\n")
    assert classes(drift(project)) == {"old": "unknown"}, "it may have been there all along"


def test_documents_cannot_be_compared_under_another_key(project: Project) -> None:
    applied_team(project)
    key = project.sandbox.call("auth.create_credentials")["credentials"]
    with project.sandbox.on_a_port() as url:
        head = (project.folder / "workspace.yaml").read_text()
        (project.folder / "workspace.yaml").write_text(head.replace(project.sandbox.server, url))
        project.environment["CLEARML_API_ACCESS_KEY"] = ADMIN_KEY
        project.environment["CLEARML_API_SECRET_KEY"] = ADMIN_SECRET
        project.converge("--record", "shared.json")
        project.sandbox.set_vault("s3", "operators", "region: us", enabled=False)
        shared = ("--record", "shared.json")
        assert classes(drift(project, *shared)) == {"s3 → operators": "changed-outside"}
        project.environment["CLEARML_API_ACCESS_KEY"] = key["access_key"]
        project.environment["CLEARML_API_SECRET_KEY"] = key["secret_key"]
        other = drift(project, *shared)
    (finding,) = other.json["findings"]
    assert {part["field"]: part["drift"] for part in finding["parts"]} == {
        "enabled": "changed-outside",
        "document": "unknown",
    }
    assert finding["drift"] == "unknown"
    assert other.code == 2


def test_what_a_run_touched_whose_end_nobody_knows_is_not_blamed_on_anybody(project: Project) -> None:
    applied_team(project)
    project.declare(TEAM.replace("Who runs it", "Who keeps it"))
    written: list[str] = []

    def instead(request: Any) -> Any:
        endpoint = endpoint_of(request)
        if endpoint == "permissions.add_or_update_user_group":
            written.append(endpoint)
        return refusal(400, 1, "not now") if written and endpoint == "users.get_service_users" else None

    assert project.apply(wire=tampering(instead=instead)).code == 6
    group_with(project.sandbox, ADA, description="Who keeps it")
    set_role(project.sandbox, BOB, "consumer")
    assert classes(drift(project)) == {"operators": "unknown", BOB: "changed-outside"}
    project.converge()
    group_with(project.sandbox, ADA, description="Who keeps it")
    assert classes(drift(project)) == {"operators": "changed-outside"}, "by now it is known again"


def test_without_secrets_it_is_still_known_which_side_moved(small_team: Project) -> None:
    server = ("--server", small_team.sandbox.server)
    assert small_team.apply(*server).code == 0
    emails = list(small_team.sandbox.truth().invited)
    small_team.sandbox.accept(*emails)
    assert small_team.apply(*server).code == 0
    del small_team.environment["S3_KEY"]
    del small_team.environment["S3_SECRET"]
    (title,) = [title for title in small_team.sandbox.truth().vaults if not title.endswith("agent")]
    vault = small_team.sandbox.truth().vaults[title]
    name, _, group = title.partition(" → ")
    small_team.sandbox.set_vault(name, group, vault.data.replace("eu-west-1", "mars-1"))
    result = drift(small_team, "--without-secrets", *server)
    assert classes(result) == {title: "changed-outside"}, result


EXPIRING = TEAM.replace("{label: ci, deliver", "{label: ci, expires_in: 30d, rotate_before: 10d, deliver")


def test_a_key_that_is_due_is_no_drift_and_one_that_has_expired_is(project: Project) -> None:
    applied_team(project, EXPIRING)
    early = at(project, 1, "drift")
    assert early.code == 0
    assert "Due:" not in early.stdout
    due = at(project, 25, "drift")
    assert due.code == 0
    assert "Due:        credential agent / ci is replaced by the next apply, it ends " in due.stdout
    assert "In sync with workspace.yaml" in due.stdout
    report = at(project, 25, "drift", "--format", "json").json
    assert [item["title"] for item in report["due"]] == ["agent / ci"]
    assert (report["changes"], report["in_sync"]) == ([], True)
    assert at(project, 25, "plan", "--detailed-exitcode").code == 2
    expired = at(project, 40, "drift", "--format", "json")
    assert expired.code == 2
    assert classes(expired) == {"agent / ci": "not-yet-applied"}, "time ended it; nobody changed anything"


def test_waiting_and_unmanaged_things_are_reported_and_no_drift(project: Project) -> None:
    applied_team(project)
    more = TEAM.replace("members:\n  - {email: root", "members:\n  - {email: new@acme.io}\n  - {email: root", 1)
    project.declare(
        more.replace("[ada@acme.io, bob@acme.io], service", "[ada@acme.io, bob@acme.io, new@acme.io], service")
    )
    assert project.apply().code == 0
    waiting = project.run("drift")
    assert waiting.code == 0
    assert "Waiting:    1 membership, until new@acme.io accepts the invitation" in waiting.stdout
    project.declare("manage: {groups: declared}\n" + more)
    project.sandbox.set_group("elsewhere", ADA)
    project.sandbox.accept("new@acme.io")
    alone = project.run("drift")
    assert "Left alone: 1 group (not declared here)" in alone.stdout
    assert alone.code == 0, alone


def test_a_name_that_waited_for_its_person_is_not_yet_applied(project: Project) -> None:
    project.declare(TEAM[: TEAM.index("groups:")])
    assert project.apply().code == 0
    project.sandbox.accept(ADA, BOB)
    assert classes(drift(project)) == {ADA: "not-yet-applied"}


class TestWhoAndWhen:
    def test_the_log_names_who_changed_a_vault(self, project: Project) -> None:
        applied_team(project)
        project.sandbox.set_vault("s3", "operators", "region: us")
        told = project.run("drift").stdout
        assert "→ changed outside (changed by root@acme.io 20" in told
        project.sandbox.call("users.delete_vaults", vaults=[project.sandbox.truth().vaults["s3 → operators"].id])
        assert "→ changed outside (removed by root@acme.io 20" in project.run("drift").stdout

    def test_an_account_that_changed_its_own_vault_is_named(self, project: Project) -> None:
        applied_team(project)
        vault = project.sandbox.truth().vaults["agent → agent"]
        content = {"id": vault.id, "description": "agent", "data": "x: 2", "scope": "user"}
        project.sandbox.acting_as("agent", "users.add_or_update_vault", vault=content)
        assert "(changed by agent 20" in project.run("drift").stdout

    def test_only_vaults_that_drifted_are_asked_about(self, project: Project) -> None:
        applied_team(project)
        calls = Calls()
        drift(project, wire=calls.wire)
        assert "users.get_vault_operations_log" not in calls.made
        own_vault(project.sandbox, "x: 2")
        drift(project, wire=calls.wire)
        assert calls.made.count("users.get_vault_operations_log") == 1
        assert calls.writes == []

    def test_what_came_into_being_is_told(self, project: Project) -> None:
        applied_team(project)
        project.sandbox.add_member("eve@acme.io")
        project.sandbox.acting_as("agent", "auth.create_credentials", label="mine")
        told = project.run("drift").stdout
        assert told.count("→ changed outside (made 20") == 2

    def test_a_server_that_does_not_tell_is_noted(self, project: Project) -> None:
        applied_team(project)
        project.sandbox.set_vault("s3", "operators", "region: us")
        wire = failing("users.get_vault_operations_log", lambda: refusal(404, 0, "Unable to find endpoint"))
        result = project.run("drift", wire=wire)
        assert result.code == 2
        assert "Who changed vaults is not known" in result.stderr
        assert "→ changed outside (changed 20" in result.stdout, "when, from the vault itself"


def test_the_library_is_only_needed_for_its_own_addresses(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    project.declare("members: [{email: root@acme.io, role: admin}]\n")
    result = project.run("drift", "--notify", "discord://planted/token")
    assert result.code == 64
    assert "pip install 'clearml-reconciler[notify]'" in result.stderr
    assert "planted" not in result.output


def test_the_report_fits_its_schema(project: Project) -> None:
    import jsonschema

    applied_team(project)
    group_with(project.sandbox, ADA)
    project.sandbox.set_vault("s3", "operators", "region: us")
    schema = json.loads((Path(__file__).parents[2] / "schemas" / "drift.schema.json").read_text())
    jsonschema.validate(drift(project).json, schema)
