from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import httpx
import pytest

from tests.support.project import Project
from tests.support.sandboxes import ADMIN_KEY, ADMIN_SECRET
from tests.support.terminal import PROGRAM, Terminal, program_environment

BODY = "members: [{email: root@acme.io, role: admin}, {email: ada@acme.io}]\ngroups: [{name: ops}]\n"


def in_a_terminal(project: Project, *arguments: str, **variables: str) -> Terminal:
    environment = program_environment(project.folder / "home", **project.environment, **variables)
    return Terminal(*arguments, folder=project.folder, environment=environment)


def started(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """Start the command as a program of its own, its output in pipes."""
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=project.folder,
        env=program_environment(project.folder / "home", **project.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class TestApplyAsks:
    def test_and_does_it_on_yes(self, project: Project) -> None:
        project.declare(BODY)
        terminal = in_a_terminal(project, "apply")
        terminal.wait_for("Apply this plan? [y/N]:")
        assert "Plan: 2 to add, 0 to change, 0 to remove. Nothing has been changed yet." in terminal.screen
        assert project.sandbox.truth().invited == {}
        terminal.type("y\n")
        assert terminal.end() == 0, terminal.screen
        assert "Applied: 2 added, 0 changed, 0 removed." in terminal.screen
        assert project.sandbox.truth().invited == {"ada@acme.io": "user"}

    @pytest.mark.parametrize("answer", ["\n", "n\n", "\x04"])
    def test_and_does_nothing_on_anything_else(self, answer: str, project: Project) -> None:
        project.declare(BODY)
        before = project.sandbox.truth()
        terminal = in_a_terminal(project, "apply")
        terminal.wait_for("Apply this plan? [y/N]:")
        terminal.type(answer)
        assert terminal.end() == 130, terminal.screen
        assert "Traceback" not in terminal.screen
        assert project.sandbox.truth() == before

    def test_and_stops_at_once_on_an_interrupt(self, project: Project) -> None:
        project.declare(BODY)
        before = project.sandbox.truth()
        terminal = in_a_terminal(project, "apply")
        terminal.wait_for("Apply this plan? [y/N]:")
        time.sleep(0.5)
        terminal.signal(signal.SIGINT)
        assert terminal.end() == 130, terminal.screen
        assert "Stopped." in terminal.screen
        assert project.sandbox.truth() == before

    def test_and_looks_again_after_the_answer(self, project: Project) -> None:
        project.declare(BODY + "service_accounts: []\n")
        project.sandbox.call("auth.create_service_user", name="robot")
        terminal = in_a_terminal(project, "apply", "--allow", "empty-kind", "--allow", "revocation")
        terminal.wait_for("Apply this plan? [y/N]:")
        project.sandbox.call("users.update_service_user", user=project.sandbox.truth().id_of("robot"), name="other")
        terminal.type("y\n")
        assert terminal.end() == 5, terminal.screen
        assert "the plan is stale" in terminal.screen
        assert project.sandbox.truth().invited == {}

    def test_not_where_there_is_nothing_to_do(self, project: Project) -> None:
        project.declare(BODY)
        project.converge()
        terminal = in_a_terminal(project, "apply")
        assert terminal.end() == 0
        assert "Apply this plan?" not in terminal.screen

    def test_not_where_a_guard_refuses(self, project: Project) -> None:
        project.sandbox.set_group("other")
        project.declare("groups: []")
        terminal = in_a_terminal(project, "apply")
        assert terminal.end() == 4
        assert "Apply this plan?" not in terminal.screen

    def test_and_without_a_terminal_refuses(self, project: Project) -> None:
        project.declare(BODY)
        before = project.sandbox.truth()
        result = project.run("apply")
        assert result.code == 64
        assert "no terminal to confirm in" in result.stderr
        assert "--yes" in result.stderr
        assert project.sandbox.truth() == before


class TestColor:
    def test_is_there_in_a_terminal(self, project: Project) -> None:
        project.declare(BODY)
        terminal = in_a_terminal(project, "plan")
        assert terminal.end() == 0
        assert "\x1b[32m+ member" in terminal.screen

    @pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
    def test_is_switched_off_by_the_environment(self, variables: dict[str, str], project: Project) -> None:
        project.declare(BODY)
        terminal = in_a_terminal(project, "plan", **variables)
        assert terminal.end() == 0
        assert "\x1b[32m" not in terminal.screen
        assert "\x1b[1m" not in terminal.screen

    def test_is_switched_off_by_an_option_in_errors_too(self, project: Project) -> None:
        terminal = in_a_terminal(project, "--color", "never", "plan", "missing.yaml")
        assert terminal.end() == 3
        assert "\x1b[31m" not in terminal.screen

    def test_is_not_there_in_a_pipe_unless_asked_for(self, project: Project) -> None:
        project.declare(BODY)
        assert "\x1b" not in project.run("plan").output
        assert "\x1b[32m+ member" in project.run("--color", "always", "plan").stdout


def test_problems_show_their_line_and_a_caret_in_a_terminal(project: Project) -> None:
    project.declare("members: [{email: nobody}]", policy="min_admins: 1")
    terminal = in_a_terminal(project, "validate", NO_COLOR="1")
    assert terminal.end() == 3
    lines = terminal.screen.replace("\r", "").splitlines()
    shown = next(index for index, line in enumerate(lines) if line.startswith("    members: [{email: nobody}]"))
    assert lines[shown + 1].index("^") == lines[shown].index("nobody")


class TestSignals:
    def many(self, project: Project, count: int = 300) -> None:
        groups = "".join(f"  - {{name: group-{number}, description: text}}\n" for number in range(count))
        project.declare(f"groups:\n{groups}")

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_an_apply_stops_in_order_and_is_finished_by_the_next(
        self, number: signal.Signals, project: Project
    ) -> None:
        self.many(project)
        process = started(project, "apply", "--yes", "--concurrency", "1")
        assert process.stderr is not None
        first = process.stderr.readline()
        assert first.startswith("applied  create group"), first
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
        assert process.returncode == 130, stderr
        assert "Stopping: operations in progress are finished, nothing new is started." in stderr
        assert "Traceback" not in stderr
        assert "skipped" in stdout
        done = len(project.sandbox.truth().groups) - 1
        assert f"Applied: {done} added" in stdout
        assert 0 < done < 300
        project.converge()

    def test_an_apply_whose_messages_nobody_reads_is_carried_out_and_recorded(self, project: Project) -> None:
        self.many(project, 40)
        process = started(project, "apply", "--yes", "--concurrency", "1", "--record", "record.json")
        assert process.stderr is not None
        assert process.stderr.readline().startswith("applied  create group")
        process.stderr.close()
        assert process.stdout is not None
        with process.stdout as stdout:
            assert "Applied: 40 added" in stdout.read()
        assert process.wait(timeout=30) == 0
        told = project.run("history", "--record", "record.json", "--format", "json").stdout
        (run,) = json.loads(told)["runs"]
        assert (run["finished"] is not None, len(run["operations"])) == (True, 40)

    def test_a_plan_that_is_interrupted_says_so_in_one_line(self, project: Project) -> None:
        project.environment = {"CLEARML_API_ACCESS_KEY": ADMIN_KEY, "CLEARML_API_SECRET_KEY": ADMIN_SECRET}
        project.declare(BODY)
        process = started(project, "plan", "--server", "http://127.0.0.1:9")
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
        assert (process.returncode, stdout, stderr) == (130, "", "Stopped.\n"), stderr


def test_a_reader_that_goes_away_is_no_traceback(project: Project) -> None:
    groups = "".join(f"  - {{name: group-{number}, description: text}}\n" for number in range(2000))
    project.declare(f"groups:\n{groups}")
    read, write = os.pipe()
    process = subprocess.Popen(
        [*PROGRAM, "plan"],
        cwd=project.folder,
        env=program_environment(project.folder / "home"),
        stdin=subprocess.DEVNULL,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write)
    os.close(read)
    _, stderr = process.communicate(timeout=30)
    assert stderr == ""
    assert process.returncode == 0, "nothing failed but the reading"


def test_the_sandbox_prints_its_first_admin_once_and_stops_in_order(project: Project) -> None:
    def serve() -> subprocess.Popen[str]:
        return started(project, "sandbox", "serve", "--db", "new.db", "--port", "0")

    printed = []
    for _ in range(2):
        process = serve()
        assert process.stderr is not None
        assert process.stderr.readline().startswith("The sandbox listens on http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
        printed.append(stdout)
        assert (process.returncode, "Traceback" in stderr) == (0, False)
    assert [line.partition("=")[0] for line in printed[0].splitlines()] == [
        "export CLEARML_API_HOST",
        "export CLEARML_API_ACCESS_KEY",
        "export CLEARML_API_SECRET_KEY",
    ]
    assert printed[1] == ""


def test_the_sandbox_starts_from_a_seed_and_reports_once_what_it_lacks(project: Project) -> None:
    project.write_file("seed.yaml", "projects: [Vision/Cats]\nqueues: [gpu]\nmembers: [{email: ada@acme.io}]\n")
    process = started(project, "sandbox", "serve", "--db", "new.db", "--port", "0", "--seed", "seed.yaml")
    assert process.stderr is not None
    assert process.stderr.readline() == "Created from seed.yaml: 4.\n"
    url = process.stderr.readline().split()[4]
    for _ in range(3):
        answer = httpx.post(f"{url}/workers.register", json={})
        assert (answer.status_code, answer.json()["meta"]["result_subcode"]) == (404, 0)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert stderr == "A client asked for workers.register, which the sandbox does not have.\n"


def test_a_seed_that_cannot_be_used_makes_no_sandbox(project: Project) -> None:
    project.write_file("seed.yaml", "projects: [Vision]\nqueue: [gpu]\nmembers:\n  - {email: ada}\n")
    result = project.run("sandbox", "serve", "--db", "new.db", "--port", "0", "--seed", "seed.yaml")
    assert result.code == 64
    assert "seed.yaml:4:13: `members[0].email` must be an e-mail address" in result.stderr
    assert "seed.yaml:2:1: unknown key `queue`" in result.stderr
    assert not (project.folder / "new.db").exists()


def test_two_sandboxes_cannot_share_a_port(project: Project) -> None:
    with project.sandbox.on_a_port() as url:
        result = project.run("sandbox", "serve", "--db", "other.db", "--port", url.rpartition(":")[2])
    assert result.code == 64
    assert "cannot listen on 127.0.0.1:" in result.stderr
