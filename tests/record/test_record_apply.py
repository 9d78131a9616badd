"""The record of whole applies, through the real command."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest
from record_support import lock_path, record_of, record_path, s3_server, text_of

from reconciler.model.resources import Address
from reconciler.plan.outcomes import Outcome
from tests.support.project import Project
from tests.support.wires import failing, refusal

GROUP = "members: [{email: root@acme.io, role: admin}]\ngroups: [{name: operators, members: [root@acme.io]}]\n"
TWO_GROUPS = GROUP.replace("]}]\n", "]}, {name: readers, members: []}]\n")


def test_a_run_is_written_down_with_who_what_and_how_it_ended(project: Project) -> None:
    project.environment["GITHUB_ACTOR"] = "octocat"
    project.environment["GITHUB_SHA"] = "0123456789abcdef0123456789abcdef01234567"
    project.declare(GROUP)
    project.converge()
    (run,) = record_of(project).runs
    assert (run.who.user, run.who.started_by) == ("root@acme.io", "octocat")
    assert run.commit is not None
    assert run.commit.sha.startswith("0123456789")
    assert run.finished is not None
    assert run.remaining == 0
    assert run.counts == {Outcome.APPLIED: 1}
    assert [(item.operation, item.title) for item in run.operations] == [("create group", "operators")]
    assert not lock_path(project).exists()


def test_what_was_applied_is_known_by_digest_and_server_id(project: Project) -> None:
    project.declare(GROUP)
    project.converge()
    known = record_of(project).resource(Address.group("operators"))
    assert known is not None
    assert known.server_id == project.sandbox.truth().id_of("operators")
    assert known.fields["members"] == ("root@acme.io",)
    assert record_of(project).resource(Address.group("Users")) is None, "it is not declared"


def test_a_workspace_that_is_as_declared_is_known_without_a_run(project: Project) -> None:
    project.declare(GROUP)
    project.sandbox.set_group("operators", "root@acme.io")
    assert project.apply().code == 0
    assert record_of(project).runs == ()
    assert record_of(project).resource(Address.group("operators")) is not None
    before = record_path(project).read_bytes()
    assert project.apply().code == 0
    assert record_path(project).read_bytes() == before


def test_a_failed_operation_is_told_and_what_it_left_undone_is_not_taken_for_applied(project: Project) -> None:
    project.declare(TWO_GROUPS)
    wire = failing(
        "permissions.add_or_update_user_group", lambda: refusal(400, 1, "no more groups"), matching="readers"
    )
    assert project.apply(wire=wire).code == 6
    record = record_of(project)
    (run,) = record.runs
    assert run.counts == {Outcome.APPLIED: 1, Outcome.FAILED: 1}
    assert run.remaining == 1
    assert next(item.message for item in run.operations if item.outcome is Outcome.FAILED).endswith("no more groups")
    assert record.resource(Address.group("operators")) is not None
    assert record.resource(Address.group("readers")) is None


def test_lifted_guards_are_written_down(project: Project) -> None:
    project.declare(TWO_GROUPS)
    project.converge()
    project.declare(GROUP, policy="min_admins: 1, max_removals: 0")
    project.converge("--allow", "max-removals")
    assert record_of(project).runs[0].allowed == ("max-removals",)
    assert record_of(project).resource(Address.group("readers")) is None


def test_no_secret_of_the_run_is_in_the_record(small_team: Project) -> None:
    small_team.environment |= {"CI_JOB_TOKEN": "planted-token", "GITHUB_ACTOR": "octocat"}
    told = refusal(400, 1, "bad document: AKIA-small-team and hunter2-small-team")
    server = ("--server", small_team.sandbox.server)
    assert small_team.apply(*server, wire=failing("users.add_or_update_vault", lambda: told)).code == 6
    assert small_team.apply(*server).code == 0
    content = text_of(record_path(small_team))
    delivered = (small_team.folder / "out" / "k8s-prod.conf").read_text()
    keys = [line.split('"')[1] for line in delivered.splitlines() if "_key:" in line]
    assert len(keys) == 2
    values = ["AKIA-small-team", "hunter2-small-team", "planted-token", "acme-research", "eu-west-1", *keys]
    assert [value for value in values if value in content] == []


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@acme.io")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_commit_is_the_one_that_is_checked_out_and_changed_files_are_noticed(project: Project) -> None:
    project.declare(GROUP)
    git(project.folder, "init", "-q")
    git(project.folder, "add", "workspace.yaml")
    git(project.folder, "commit", "-q", "-m", "Declare")
    project.environment["GITHUB_SHA"] = "f" * 40
    project.converge()
    head = git(project.folder, "rev-parse", "HEAD")
    (first,) = record_of(project).runs
    assert first.commit is not None
    assert (first.commit.sha, first.commit.dirty) == (head, False)
    assert ".reconciler" not in git(project.folder, "status", "--porcelain"), "the record does not make it look changed"
    project.declare(TWO_GROUPS)
    project.converge()
    changed = record_of(project).runs[0].commit
    assert changed is not None
    assert (changed.sha, changed.dirty) == (head, True)


def test_a_damaged_record_stops_an_apply_before_its_first_write_and_stays_as_it_is(project: Project) -> None:
    project.declare(GROUP)
    project.converge()
    path = record_path(project)
    good = path.read_bytes()
    project.declare(TWO_GROUPS)
    lines = good.splitlines(keepends=True)
    torn = [b"".join(lines[:count]) for count in range(len(lines))]
    newer = good.replace(b"record/2", b"record/3", 1)
    foreign = good.replace(b'"acme-ml"', b'"another"', 1)
    for bad in (*torn, newer, foreign):
        path.write_bytes(bad)
        result = project.apply()
        assert result.code == 4, result
        assert "record" in result.stderr
        assert path.read_bytes() == bad
    assert set(project.sandbox.truth().groups) == {"operators", "Queue admins"}
    other = project.apply("--record", "other.json")
    assert other.code == 0, other
    assert stat.S_IMODE((project.folder / "other.json").stat().st_mode) == 0o600


def test_a_damaged_record_is_told_where_nothing_is_to_be_done(project: Project) -> None:
    project.declare(GROUP)
    project.converge()
    record_path(project).write_bytes(b"{")
    result = project.apply()
    assert result.code == 0
    assert "is damaged: it is not complete JSON" in result.stderr
    assert record_path(project).read_bytes() == b"{"


def test_a_record_that_breaks_meanwhile_stops_nothing_but_is_told(project: Project) -> None:
    from tests.support.wires import endpoint_of, tampering

    project.declare(GROUP)

    def spoil(request: object) -> None:
        if endpoint_of(request) == "permissions.add_or_update_user_group":  # type: ignore[arg-type]
            record_path(project).write_bytes(b"spoiled")

    result = project.apply(wire=tampering(before=spoil))
    assert result.code == 6, result
    assert "The record could not be written" in result.stderr
    assert "operators" in project.sandbox.truth().groups
    assert record_path(project).read_bytes() == b"spoiled"
    assert not lock_path(project).exists()


def test_no_record_is_kept_where_none_is_wanted(project: Project) -> None:
    project.declare(GROUP)
    project.environment["RECONCILER_RECORD"] = "none"
    result = project.converge()
    assert "No record is kept, and so no lock" in result.stderr
    assert not (project.folder / ".reconciler").exists()


def test_a_record_in_an_object_store_has_its_lock_beside_it(project: Project) -> None:
    project.declare(GROUP)
    with s3_server() as bucket:
        project.environment |= bucket.environment | {"RECONCILER_RECORD": "s3://team/ml/acme.json"}
        project.converge()
        whole = {name for name in bucket.objects if "/acme.json.parts/" not in name}
        assert whole == {"/team/ml/acme.json", "/team/ml/acme.json.lock"}
        assert bucket.objects["/team/ml/acme.json.lock"] == b"", "released"
        known = json.loads(bucket.objects["/team/ml/acme.json"])
        assert known["runs"][0]["remaining"] == 0
        assert not (project.folder / ".reconciler").exists()
        history = project.run("history")
        assert "converged" in history.stdout
        bucket.down = True
        project.declare(TWO_GROUPS)
        result = project.apply()
        assert result.code == 7, result
        assert "readers" not in project.sandbox.truth().groups
        assert "planted-store-secret" not in result.output


@pytest.mark.parametrize("option", [("--record", "memory://here/acme.json"), ("--record", "sub/acme.json")])
def test_other_places_can_be_named(project: Project, option: tuple[str, str]) -> None:
    project.declare(GROUP)
    project.converge(*option)
    assert "converged" in project.run("history", *option).stdout
