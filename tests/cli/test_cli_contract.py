from __future__ import annotations

import json
import re
from collections.abc import Callable

import click
import pytest

from reconciler.cli.main import COMMANDS, cli
from tests.support.project import Project
from tests.support.sandboxes import ADMIN_KEY, ADMIN_SECRET
from tests.support.terminal import run_script
from tests.support.wires import failing, refusal

ADMIN = "members: [{email: root@acme.io, role: admin}]\n"


def in_sync(project: Project) -> None:
    project.declare(ADMIN)


def different(project: Project) -> None:
    project.declare("groups: [{name: ops}]")


def invalid(project: Project) -> None:
    project.declare("groups: [{name: Users}]")


def guarded(project: Project) -> None:
    project.sandbox.set_group("ops")
    project.declare("groups: []")


def failing_writes(project: Project) -> None:
    different(project)
    project.wire = failing("permissions.add_or_update_user_group", lambda: refusal(400, 12, "no"))


def unreadable(project: Project) -> None:
    different(project)
    project.wire = failing("permissions.get_user_groups", lambda: refusal(403, 20, "no"))


def defective(project: Project) -> None:
    different(project)

    def break_down(inner: object) -> object:
        raise RuntimeError("a defect")

    project.wire = break_down  # type: ignore[assignment]


EXIT_CODES = [
    pytest.param(in_sync, ("validate",), 0, id="validate a good declaration"),
    pytest.param(invalid, ("validate",), 3, id="validate a bad one"),
    pytest.param(in_sync, ("plan",), 0, id="plan in sync"),
    pytest.param(different, ("plan",), 0, id="plan with changes"),
    pytest.param(in_sync, ("plan", "--detailed-exitcode"), 0, id="plan in sync, detailed"),
    pytest.param(different, ("plan", "--detailed-exitcode"), 2, id="plan with changes, detailed"),
    pytest.param(guarded, ("plan",), 4, id="plan that a guard refuses"),
    pytest.param(guarded, ("plan", "--detailed-exitcode"), 4, id="plan that a guard refuses, detailed"),
    pytest.param(invalid, ("plan",), 3, id="plan of a bad declaration"),
    pytest.param(unreadable, ("plan",), 7, id="plan that cannot read"),
    pytest.param(defective, ("plan",), 1, id="plan with a defect of ours"),
    pytest.param(in_sync, ("apply", "--yes"), 0, id="apply in sync"),
    pytest.param(different, ("apply", "--yes"), 0, id="apply changes"),
    pytest.param(different, ("apply",), 64, id="apply without a terminal"),
    pytest.param(guarded, ("apply", "--yes"), 4, id="apply that a guard refuses"),
    pytest.param(failing_writes, ("apply", "--yes"), 6, id="apply partly"),
    pytest.param(unreadable, ("apply", "--yes"), 7, id="apply that cannot read"),
    pytest.param(invalid, ("apply", "--yes"), 3, id="apply of a bad declaration"),
    pytest.param(in_sync, ("drift",), 0, id="no drift"),
    pytest.param(different, ("drift",), 2, id="drift"),
    pytest.param(guarded, ("drift",), 2, id="drift that a guard would not let us mend"),
    pytest.param(unreadable, ("drift",), 7, id="drift that nobody can tell"),
    pytest.param(invalid, ("drift",), 3, id="drift of a bad declaration"),
    pytest.param(in_sync, ("drift", "--nonsense"), 64, id="wrong usage"),
]


@pytest.mark.parametrize(("arrange", "command", "code"), EXIT_CODES)
@pytest.mark.parametrize("form", ["text", "json"])
def test_exit_codes_are_the_documented_ones_in_every_format(
    arrange: Callable[[Project], None], command: tuple[str, ...], code: int, form: str, project: Project
) -> None:
    arrange(project)
    result = project.run(*command, "--format", form)
    assert result.code == code, result
    if form == "json" and result.stdout:
        json.loads(result.stdout)
    if code in (0, 2, 6) and command[0] != "validate":
        assert result.stdout
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("arrange", "command", "code"), EXIT_CODES)
def test_debugging_changes_no_exit_code(
    arrange: Callable[[Project], None], command: tuple[str, ...], code: int, project: Project
) -> None:
    arrange(project)
    assert project.run("--debug", *command).code == code


def test_a_defect_of_ours_says_so_and_shows_its_traceback_only_when_debugging(project: Project) -> None:
    defective(project)
    assert "internal error: RuntimeError" in project.run("plan").stderr
    debugged = project.run("--debug", "plan")
    assert "Traceback" in debugged.stderr
    assert "a defect" in debugged.stderr


def test_the_outcome_as_json_counts_what_happened(project: Project) -> None:
    project.declare("groups: [{name: one}, {name: two}]")
    project.wire = failing("permissions.add_or_update_user_group", lambda: refusal(400, 12, "no"), matching='"one"')
    outcome = project.apply("--format", "json").json
    assert outcome["format"] == "clearml-reconciler/outcome/1"
    assert [(change["title"], change["outcome"]) for change in outcome["changes"]] == [
        ("one", "failed"),
        ("two", "applied"),
    ]
    assert outcome["counts"] == {"applied": 1, "skipped": 0, "failed": 1, "unknown": 0}
    assert outcome["remaining"] == 1


def test_the_worst_of_a_changes_operations_says_why(project: Project) -> None:
    project.sandbox.add_member("ada@acme.io")
    project.sandbox.set_group("ops", "root@acme.io")
    project.declare("groups: [{name: ops, members: [ada@acme.io]}]")
    project.wire = failing("permissions.add_or_update_user_group", lambda: refusal(400, 12, "full today"))
    (change,) = project.apply("--format", "json", "--allow", "empty-group").json["changes"]
    assert change["outcome"] == "failed"
    assert "full today" in change["message"]


class TestDebugging:
    def test_shows_every_call_and_no_secret(self, small_team: Project) -> None:
        small_team.environment |= {"CLEARML_API_ACCESS_KEY": ADMIN_KEY, "CLEARML_API_SECRET_KEY": ADMIN_SECRET}
        with small_team.sandbox.on_a_port() as url:
            result = small_team.run("--debug", "apply", "--yes", "--server", url)
        assert result.code == 0, result
        for call in ("auth.login", "users.get_all_ex", "login.add_whitelist_entries", "users.add_or_update_vault"):
            assert re.search(rf"^{call}: 200, \d+ ms$", result.stderr, re.MULTILINE)
        delivered = (small_team.folder / "out/k8s-prod.conf").read_text()
        secrets = [ADMIN_SECRET, "hunter2-small-team", "AKIA-small-team", *re.findall(r'secret_key: "(.*)"', delivered)]
        assert len(secrets) == 4
        for secret in secrets:
            assert secret not in result.output

    def test_can_be_switched_on_in_the_environment(self, project: Project) -> None:
        project.declare(ADMIN)
        project.environment["RECONCILER_DEBUG"] = "1"
        assert "users.get_all_ex: 200" in project.run("plan").stderr

    def test_shows_a_call_without_an_answer(self, project: Project) -> None:
        project.declare(ADMIN)
        project.environment |= {"CLEARML_API_ACCESS_KEY": ADMIN_KEY, "CLEARML_API_SECRET_KEY": ADMIN_SECRET}
        result = project.run("--debug", "plan", "--server", "http://127.0.0.1:9")
        assert "auth.login: no answer, " in result.stderr
        assert ADMIN_SECRET not in result.output


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    found: list[tuple[tuple[str, ...], click.Command]] = [(path, group)]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
        else:
            found.append(((*path, name), command))
    return found


@pytest.mark.parametrize(("path", "command"), [pytest.param(path, command, id=" ".join(path) or "reconciler") for path, command in commands(cli)])  # fmt: skip
def test_help_names_and_explains_every_option(path: tuple[str, ...], command: click.Command, project: Project) -> None:
    result = project.run(*path, "--help")
    assert (result.code, result.stderr) == (0, "")
    assert project.run(*path, "-h").stdout == result.stdout or path
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            for name in parameter.opts:
                assert name in result.stdout


def test_the_help_lists_every_command_and_the_exit_codes(project: Project) -> None:
    told = project.run("--help").stdout
    for name, purpose in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(purpose[:30])}", told, re.MULTILINE)
    assert "Exit codes: 0 done, 1 internal error, 2 differences" in told


def test_nothing_and_nonsense_are_wrong_usage(project: Project) -> None:
    for arguments in ((), ("nonsense",), ("--color", "pink", "plan"), ("sandbox", "nonsense")):
        result = project.run(*arguments)
        assert result.code == 64, arguments
        assert result.stdout == ""


@pytest.mark.parametrize(("typed", "meant"), [("plam", "plan"), ("aply", "apply"), ("valdate", "validate")])
def test_a_misspelled_command_names_the_one_that_was_meant(typed: str, meant: str, project: Project) -> None:
    result = project.run(typed)
    assert (result.code, result.stderr) == (64, f"Error: No such command '{typed}'. Did you mean {meant}?\n")


def test_no_command_at_all_is_answered_by_the_help_alone(project: Project) -> None:
    assert project.run().stderr.startswith("Usage: reconciler ")


def test_a_sandbox_that_was_not_there_is_told_of_once(project: Project) -> None:
    project.declare("groups: []")
    told = "new.db did not exist: created a new sandbox with one admin.\n"
    assert told in project.run("apply", "--yes", "--server", "sandbox:new.db").stderr
    assert told not in project.run("apply", "--yes", "--server", "sandbox:new.db").stderr


def test_the_version_is_told_without_loading_anything_heavy() -> None:
    script = (
        "import sys\nfrom reconciler.cli.main import run\ncode = run(['--version'])\n"
        "heavy = {'pydantic', 'httpx', 'asyncio', 'rich', 'ruamel', 'starlette', 'deepdiff', 'pyhocon'}\n"
        "print(code, sorted(heavy & set(sys.modules)))"
    )
    version, loaded = run_script(script).stdout.splitlines()
    assert re.fullmatch(r"reconciler \d+\.\d+.*", version)
    assert loaded == "0 []"


@pytest.mark.parametrize("email", ["nobody@acme.io", "evil\x1b[31m\u202e@acme.io"])
def test_only_who_was_invited_can_accept(email: str, project: Project) -> None:
    result = project.run("sandbox", "accept", email, "--db", "sandbox.db")
    assert result.code == 64
    assert "has no pending invitation" in result.stderr
    assert not re.search("[\x1b\u202e]", result.stderr)


def test_accepting_makes_no_sandbox(project: Project) -> None:
    result = project.run("sandbox", "accept", "a@acme.io", "--db", "new.db")
    assert (result.code, result.stderr) == (64, "Error: there is no sandbox new.db\n")
    assert not (project.folder / "new.db").exists()


def test_a_sandbox_without_an_admin_is_told_plainly(project: Project) -> None:
    project.declare(ADMIN)
    sandbox = project.sandbox
    sandbox.call("users.set_role", user=sandbox.truth().id_of("root@acme.io"), role="user")
    result = project.run("plan")
    assert result.code == 64, result
    assert "the sandbox has no administrator" in result.stderr
