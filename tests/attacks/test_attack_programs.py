"""Programs that a declaration names: they get neither our keys nor CI's files and tokens."""

from __future__ import annotations

import json

import pytest

from reconciler.child_environment import CI_VARIABLES, OWN_KEYS
from tests.support.project import Project

WITHHELD = {name: f"value-of-{name}" for name in (*OWN_KEYS, *CI_VARIABLES)} | {
    "RECONCILER_KEY": "key-of-the-plans-which-is-long-enough",
    "RECONCILER_RECORD": "none",
    "INPUT_SECRET-KEY": "x",
    "ACTIONS_RUNTIME_TOKEN": "x",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "x",
    "MY_COPY": "user:value-of-CLEARML_API_SECRET_KEY@host",
}
GIVEN = {"VAULT_TOKEN": "hvs.given", "AWS_PROFILE": "acme"}
VAULT = """\
groups: [{{name: ops}}]
vaults:
  - name: v
    group: ops
    data: 'a: "@{{S}}"'
    secrets: {{S: {{command: {command}}}}}
"""
PROGRAM = 'import json, os; open("seen.json", "w").write(json.dumps(dict(os.environ))); print("s3cr3t-value")'


@pytest.fixture
def watched(project: Project) -> Project:
    project.environment.update(WITHHELD | GIVEN)
    project.environment["CLEARML_API_HOST"] = project.sandbox.server
    project.environment.pop("CLEARML_CONFIG_FILE")
    project.write_file("show.py", PROGRAM)
    return project


def seen(project: Project) -> dict[str, str]:
    found: dict[str, str] = json.loads((project.folder / "seen.json").read_text())
    return found


def check(environment: dict[str, str]) -> None:
    assert not environment.keys() & WITHHELD.keys()
    assert not [name for name, value in environment.items() if "value-of-CLEARML_API_SECRET_KEY" in value]
    assert {name: environment.get(name) for name in GIVEN} == GIVEN


def test_a_command_that_prints_a_secret(watched: Project) -> None:
    watched.declare(VAULT.format(command='["python3", "show.py"]'))
    assert watched.run("plan").code == 0
    check(seen(watched))


def test_a_program_that_takes_a_key(watched: Project) -> None:
    watched.declare(
        "service_accounts:\n  - name: agent\n    credentials:\n"
        '      - {label: ci, deliver: {command: ["python3", "show.py"]}}\n'
    )
    result = watched.apply()
    assert result.code == 0, result
    check(seen(watched))


def test_effective_runs_commands_only_if_asked(watched: Project) -> None:
    watched.declare("members: [{email: root@acme.io, role: admin}]\n" + VAULT.format(command='["python3", "show.py"]'))
    text = (watched.folder / "workspace.yaml").read_text()
    (watched.folder / "workspace.yaml").write_text(text.replace("{name: ops}", "{name: ops, members: [root@acme.io]}"))
    assert watched.run("effective", "root@acme.io").code == 0
    assert not (watched.folder / "seen.json").exists()
    assert watched.run("effective", "root@acme.io", "--run-commands").code == 0
    assert (watched.folder / "seen.json").exists()
