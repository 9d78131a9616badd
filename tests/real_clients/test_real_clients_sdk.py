"""The real SDK, signed in with delivered credentials, has what ``reconciler effective`` says that it has."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from real_client_cases import CASES, declaration

from tests.support.project import Project, new_project
from tests.support.runner import Result, clean_environment, invoke, session_at
from tests.support.sandboxes import ADMIN_KEY, ADMIN_SECRET

pytest.importorskip("clearml", reason="the test extra brings the clearml SDK")
pytestmark = pytest.mark.real_clients

SECRET = 'planted "secret" ☃ with \\ and blanks'
MEMBER = "lena@acme.io"
MACHINE_KEYS = ("worker_id", "debug")
CONFLICTING, MISREAD, CONFLICT = "conflict", "yaml-misread", "(conflict)"
ALSO_LIVE = {MEMBER, MISREAD, "own-beside-administrator", "secrets", "conflict-decided", "disabled"}


@dataclass(frozen=True)
class Seen:
    """What one SDK session had, and how to ask the command about the same principal."""

    project: Project
    who: str
    base: Path
    whole: dict[str, Any]

    def effective(self, *options: str) -> Result:
        """Run the command in a terminal, with secrets shown."""
        arguments = ("effective", self.who, "--base", self.base, "--reveal", *options)
        environment = clean_environment(self.project.folder / "home", **self.project.environment)
        return invoke(
            *arguments, folder=self.project.folder, environment=environment, session=session_at(), terminal=True
        )

    def document(self, *options: str) -> Any:
        result = self.effective("--format", "json", *options)
        assert result.code == 0, result
        return result.json


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seen]]:
    """One server, one workspace with all cases, and one SDK process that opens a session for each."""
    project = new_project(tmp_path_factory.mktemp("sdk"))
    project.environment["SDK_KEY"] = SECRET
    (project.folder / "out").mkdir()
    with project.sandbox.on_a_port() as url:
        project.environment |= {"CLEARML_API_ACCESS_KEY": ADMIN_KEY, "CLEARML_API_SECRET_KEY": ADMIN_SECRET}
        project.declare(declaration())
        text = (project.folder / "workspace.yaml").read_text(encoding="utf-8")
        project.write_file("workspace.yaml", text.replace(project.sandbox.server, url))
        first = project.run("apply", "--yes")
        assert first.code == 0, first
        project.sandbox.accept(MEMBER)
        second = project.run("apply", "--yes")
        assert second.code == 0, second
        files = {case.name: project.folder / "out" / f"{case.name}.conf" for case in CASES}
        files[MEMBER] = member_file(project, url)
        dumps = dump(project.folder, list(files.values()))
        yield {who: seen(project, who, dumps[str(file)]) for who, file in files.items()}


def member_file(project: Project, url: str) -> Path:
    made = project.sandbox.acting_as(MEMBER, "auth.create_credentials")["credentials"]
    section = {"api_server": url, "credentials": {name: made[name] for name in ("access_key", "secret_key")}}
    return project.write_file("member.conf", json.dumps({"api": section}))


def dump(folder: Path, files: list[Path]) -> dict[str, Any]:
    environment = clean_environment(folder / "home")
    script = Path(__file__).with_name("sdk_dump.py")
    answer = folder / "sdk.json"
    command = [sys.executable, script, answer, *files]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return found


def seen(project: Project, who: str, dumped: dict[str, Any]) -> Seen:
    assert dumped["user"]
    base = project.write_file(f"base/{who}.json", json.dumps(dumped["base"], ensure_ascii=False))
    return Seen(project, who, base.relative_to(project.folder), dumped["whole"])


def at(document: Any, *keys: str) -> Any:
    for key in keys:
        document = document[key]
    return document


def leaves(document: Any, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in document.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, *above, key)
        else:
            yield (*above, key), value


def without_machine_keys(document: dict[str, Any]) -> dict[str, Any]:
    """The SDK takes these keys from a vault as it takes any other; it is the Agent that puts its own back."""
    agent = {key: value for key, value in document.get("agent", {}).items() if key not in MACHINE_KEYS}
    return document | {"agent": agent}


def settled_as(whole: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Put what the SDK has into the places where vaults disagree: it takes the last of them, in whatever order."""
    return {
        key: whole[key] if value == CONFLICT else settled_as(whole[key], value) if isinstance(value, dict) else value
        for key, value in told.items()
    }


def test_the_sdk_has_what_effective_says(sessions: dict[str, Seen]) -> None:
    """One test for all cases: what they share takes longer than all of them."""
    assert len(sessions) >= 12
    for who, session in sessions.items():
        if who != CONFLICTING:
            expected = without_machine_keys(session.whole)
            for options in ((), ("--live",)) if who in ALSO_LIVE else ((),):
                told = without_machine_keys(session.document(*options))
                assert (who, settled_as(expected, told)) == (who, expected)


def test_where_vaults_disagree_the_sdk_has_one_of_the_values_and_effective_settles_none(
    sessions: dict[str, Seen],
) -> None:
    session = sessions[CONFLICTING]
    assert at(session.whole, "case", "a") in ("one", "two")
    found = session.document()
    assert found["case"] == {"a": "(conflict)", "same": 1}
    shown = session.project.run("effective", session.who, "--path", "case").stdout
    assert "conflict" in shown
    # No commit has the file that declares them, so they are not shown.
    assert "either (hidden)" in shown
    assert "or     (hidden)" in shown


def test_over_a_delivered_file_alone_effective_tells_what_it_and_the_vaults_say(sessions: dict[str, Seen]) -> None:
    session = sessions["own-beside-administrator"]
    result = session.project.run("effective", session.who, "--base", f"out/{session.who}.conf", "--format", "json")
    told = dict(leaves(result.json))
    hidden = {("api", "credentials", "access_key"), ("api", "credentials", "secret_key")}
    assert hidden < told.keys()
    assert ("case", "b", "x") in told
    for path, value in told.items():
        assert path in hidden or value == CONFLICT or at(session.whole, *path) == value


def test_what_only_clients_read_in_a_document_is_not_shown_without_a_terminal(sessions: dict[str, Seen]) -> None:
    session = sessions[MISREAD]
    assert session.whole["key"] == "abc"
    result = session.project.run("effective", session.who, "--format", "json")
    assert result.json == {"everyone": {"reached": True}, "casetop": "(secret)"}
    assert "abc" not in result.output
    assert "clients also find 2 values that no author wrote" in result.stderr


def test_the_sdk_drops_a_vault_that_effective_says_is_dropped(sessions: dict[str, Seen]) -> None:
    shown = sessions["yaml-dropped"].project.run("effective", "yaml-dropped").stdout
    assert "does not apply: clients drop it" in shown
