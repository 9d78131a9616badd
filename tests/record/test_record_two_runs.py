"""Two runs at once, and runs that are killed."""

from __future__ import annotations

import shutil
import threading
import time
from datetime import timedelta

import httpx
from record_support import NOON, child_apply, killed_apply, lock_of, lock_path, record_of, record_path

from tests.support.project import Project
from tests.support.runner import Result
from tests.support.wires import endpoint_of, tampering

GROUPS = (
    "members: [{email: root@acme.io, role: admin}, {email: ada@acme.io}]\n"
    "groups: [{name: a, members: [root@acme.io]}, {name: b, members: [root@acme.io]}]\n"
)
WRITE = "permissions.add_or_update_user_group"


def in_a_thread(project: Project, *arguments: str) -> Result:
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(project.run(*arguments)))
    thread.start()
    thread.join(60)
    return results[0]


def test_a_second_apply_during_the_first_is_refused_and_says_who_holds_the_lock(project: Project) -> None:
    project.declare(GROUPS)
    second: list[Result] = []

    def meanwhile(request: httpx.Request) -> None:
        if endpoint_of(request) == WRITE and not second:
            second.append(in_a_thread(project, "apply", "--yes"))

    first = project.apply(wire=tampering(before=meanwhile))
    assert first.code == 0, first
    assert second[0].code == 4, second[0]
    assert "the workspace is locked by root@acme.io" in second[0].stderr
    assert len(record_of(project).runs) == 1
    assert project.apply().code == 0


def test_two_processes_at_once_one_runs(project: Project) -> None:
    project.declare(GROUPS)
    then = "open('ready', 'w').close(); [time.sleep(0.02) for _ in range(3000) if not os.path.exists('go')]"
    child = child_apply(project, at_write=1, then=then)
    try:
        deadline = time.monotonic() + 30
        while not (project.folder / "ready").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        refused = project.apply()
        assert refused.code == 4, refused
        assert f"process {child.pid} on " in refused.stderr
        assert "running" in project.run("history").stdout or "not finished" in project.run("history").stdout
        (project.folder / "go").touch()
        child.communicate(timeout=60)
        assert child.returncode == 0
    finally:
        child.kill()
    assert len(record_of(project).runs) == 1
    assert set(project.sandbox.truth().groups) == {"a", "b", "Queue admins"}


def test_after_a_kill_the_record_says_so_and_the_next_apply_finishes_the_job(project: Project) -> None:
    project.declare(GROUPS)
    killed_apply(project, at_write=2)
    assert lock_path(project).exists()
    (run,) = record_of(project).runs
    assert run.finished is None
    assert "not finished" in project.run("history").stdout
    result = project.converge()
    assert "ended without releasing its lock; the lock was taken over" in result.stderr
    assert "did not finish" in result.stderr
    assert [entry.finished is not None for entry in record_of(project).runs] == [True, False]
    assert not lock_path(project).exists()


def test_what_a_run_that_was_killed_after_its_last_write_left_behind_is_put_right(project: Project) -> None:
    project.declare(GROUPS)
    killed_apply(project, at_write=2)
    folder, left = record_path(project).parent, project.folder / "left"
    shutil.copytree(folder, left)
    project.converge()
    shutil.rmtree(folder)
    left.rename(folder)
    again = project.apply()
    assert again.code == 0, again
    assert "ended without releasing its lock; the lock was taken over" in again.stderr
    assert not lock_path(project).exists()
    (run,) = record_of(project).runs
    assert (run.finished, run.remaining) == (None, 0)
    assert "not finished, converged since" in project.run("history").stdout
    assert {item.kind.value for item in record_of(project).resources} == {"member", "group"}
    assert "Due" not in project.run("drift").stdout


def test_where_nothing_is_to_be_done_a_lock_that_somebody_may_hold_is_left_and_named(project: Project) -> None:
    project.declare(GROUPS)
    project.converge()
    stale = lock_of("elsewhere", NOON - timedelta(hours=1), boot="another", host="ci-7", process=7).to_bytes()
    lock_path(project).write_bytes(stale)
    result = project.apply()
    assert result.code == 0, result
    assert "process 7 on ci-7" in result.stderr
    assert lock_path(project).read_bytes() == stale


def test_the_lock_of_a_run_that_was_killed_on_another_machine_is_broken_on_purpose(project: Project) -> None:
    project.declare(GROUPS)
    killed_apply(project)
    stale = lock_of("elsewhere", NOON - timedelta(hours=1), boot="another", host="ci-7", process=7)
    lock_path(project).write_bytes(stale.to_bytes())
    refused = project.apply()
    assert refused.code == 4, refused
    assert "process 7 on ci-7" in refused.stderr
    assert "stale" in refused.stderr
    broken = project.run("unlock", "--yes")
    assert broken.code == 0, broken
    assert "it is stale: its lease ended at 2026-03-01 11:10 UTC" in broken.stderr
    result = project.converge()
    assert "did not finish" in result.stderr


def test_a_stop_releases_the_lock_and_is_written_down(project: Project) -> None:
    project.declare(GROUPS)
    child = child_apply(project, "--concurrency", "1", at_write=1, then="os.kill(os.getpid(), signal.SIGTERM)")
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130, said
    assert not lock_path(project).exists()
    (run,) = record_of(project).runs
    assert run.interrupted
    assert run.finished is not None
    assert project.apply().code == 0


def test_a_run_that_comes_in_between_reading_and_writing_makes_the_plan_stale(project: Project) -> None:
    project.declare(GROUPS)
    project.converge()
    project.declare(GROUPS + "vaults: [{name: v, group: a, data: 'v = 1'}]\n")
    second: list[Result] = []

    def meanwhile(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if endpoint_of(request) == "users.get_organization_vaults" and not second:
            second.append(in_a_thread(project, "apply", "--yes"))
        return response

    result = project.apply(wire=tampering(after=meanwhile))
    assert second[0].code == 0, second[0]
    assert result.code == 5, result
    assert "came in between" in result.stderr
    assert len(record_of(project).runs) == 2
    assert len(project.sandbox.truth().vaults) == 1
    assert not lock_path(project).exists()
