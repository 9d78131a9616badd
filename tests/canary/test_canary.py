"""No secret in any artifact: every command is run with planted secrets, and every byte that it writes is searched."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from canary_net import Net
from canary_workspace import PLANTED, Workspace, WrittenFiles, plant, plant_live, served

from tests.support.runner import clean_environment
from tests.support.wires import endpoint_of, refusal, tampering


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with served(tmp_path) as found:
        yield found


def test_the_net_catches_every_spelling() -> None:
    net = Net({"a": PLANTED["env"]})
    import base64
    import json
    from urllib.parse import quote

    for text in (PLANTED["env"], quote(PLANTED["env"]), json.dumps(f"x{PLANTED['env']}y")):
        assert net.caught(text.encode()) == {"a"}
    for before in ("", "x", "xy", "xyz"):
        assert net.caught(base64.b64encode(f"{before}{PLANTED['env']}!".encode())) == {"a"}
    assert net.caught(b"nothing") == set()


@pytest.mark.slow
def test_nothing_that_any_command_writes_holds_a_secret(workspace: Workspace) -> None:
    listening = WrittenFiles()
    try:
        every_command(workspace)
    finally:
        listening.stop()
    assert without_what_is_live(workspace.caught_in_files()) == {}
    folder = workspace.project.folder
    home_and_temporary = (str(folder / "home"), str(folder.parent / "temporary"))
    assert [path for path in listening.paths if path.startswith(home_and_temporary)] == []
    assert (folder / "seen-arguments").read_bytes()


def every_command(workspace: Workspace) -> None:
    for form in ("text", "json", "github"):
        workspace.look("validate", "--format", form)
    for option in ((), ("--format", "json"), ("--without-secrets",), ("--out", "first.plan")):
        workspace.look("plan", *option)
    workspace.run("apply", "--yes", "--plan", "first.plan")
    workspace.learn_keys()
    workspace.project.sandbox.accept("lena@acme.io")
    workspace.look("credentials", "list")
    workspace.look("credentials", "list", "--format", "json")
    effective(workspace)
    plant_live(workspace)
    for form in ("text", "json"):
        workspace.look("drift", "--format", form, codes=(2,))
        workspace.look("plan", "--format", form, "--allow", "max-removals")
    for form in ("markdown", "html", "github", "sarif"):
        workspace.run("plan", "--format", form)
    workspace.run("plan", "--without-secrets")
    workspace.run("drift", "--issue-body", "issue.md", "--metrics", "drift.prom", codes=(2,))
    workspace.run("effective", "train-agent", "--live", "--format", "json")
    workspace.run("plan", "--exact-documents", "--out", "second.plan")
    for option in (("--live",), ("--diff",), ("--diff", "--format", "json"), ("--diff", "--without-secrets")):
        workspace.look("effective", "train-agent", *option)
    workspace.look("import", "--out", "imported", codes=(0, 64))
    workspace.run("--debug", "apply", "--yes")
    for option in ((), ("--format", "json")):
        workspace.look("history", *option)
    workspace.look("unlock", "--yes", codes=(0, 4, 64))
    workspace.run("sandbox", "accept", "--db", workspace.project.sandbox.path, "nobody@acme.io", codes=(64,))


@pytest.mark.slow
def test_adopt_takes_the_secrets_out_of_what_it_writes(workspace: Workspace) -> None:
    workspace.run("apply", "--yes")
    workspace.learn_keys()
    plant_live(workspace)
    folder = workspace.project.folder
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.suffix in (".yaml", ".conf", ".json")}
    for options in (("--diff",), ("--debug", "--diff"), (), ("vault:researchers/planted",)):
        debug = [option for option in options if option == "--debug"]
        workspace.look(*debug, "adopt", *(option for option in options if option not in debug), codes=(0, 2))
    workspace.look("fmt", "--diff")
    assert any(path.read_bytes() != text for path, text in before.items())
    assert without_what_is_live(workspace.caught_in_files()) == {}


def without_what_is_live(caught: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out what documents hold that were written from live ones, for people to look through."""
    live = {"unknown", "unknown key", "comment"}
    found = {name: names - live if name.endswith(".conf") else names for name, names in caught.items()}
    return {name: names for name, names in found.items() if names}


def effective(workspace: Workspace) -> None:
    for form in ("text", "json", "hocon", "yaml"):
        workspace.run("effective", "train-agent", "--base", "clearml.conf", "--format", form)
    workspace.run("--debug", "effective", "root@acme.io")
    workspace.run("effective", "train-agent", "--without-secrets")
    workspace.look("effective", "train-agent", "--path", "case.innocent", "--reveal", codes=(64,))
    workspace.look("effective", "canary", codes=(64,))


def test_a_wrong_key_is_not_told(workspace: Workspace) -> None:
    workspace.project.environment["CLEARML_API_SECRET_KEY"] = workspace.net.secrets["api"] = "canaryWRONGapiSECRETkey"
    workspace.look("plan", codes=(7,))
    workspace.look("plan", "--secret-key", "canaryWRONGapiSECRETkey", codes=(7,))


def echo(request: httpx.Request) -> httpx.Response | None:
    """A server that quotes all that it is sent in its refusals."""
    if endpoint_of(request) in {"users.add_or_update_vault", "auth.create_credentials"}:
        return refusal(400, 12, f"cannot take {request.content.decode()}")
    return None


def broken_answer(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """A server whose answers about new credentials do not fit the reference, with the secret key in them."""
    if endpoint_of(request) == "auth.create_credentials":
        text = response.text.replace('"access_key":', '"other":')
        return httpx.Response(response.status_code, text=text, headers={"Content-Type": "application/json"})
    return response


@pytest.mark.parametrize("hooks", [{"instead": echo}, {"after": broken_answer}], ids=["echo", "broken"])
def test_applies_that_fail_tell_no_secret(hooks: dict[str, object], tmp_path: Path) -> None:
    project, net = plant(tmp_path)
    untouched = {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    workspace = Workspace(project, net, "", untouched)
    for name in ("inline", "url", "block", "environment", "misread", "decrypted", "script", "argument"):
        del net.secrets[name]  # What a document holds is not known as a value, only by its place.
    workspace.run("--debug", "apply", "--yes", wire=tampering(**hooks), codes=(6, 7))
    workspace.run("apply", "--yes", "--format", "json", wire=tampering(**hooks), codes=(6, 7))
    workspace.run("history", "--format", "json")
    for path in (project.folder / "out").iterdir():
        workspace.untouched[path] = path.read_bytes()
    assert workspace.caught_in_files() == {}


def test_a_delivery_that_fails_tells_no_secret(tmp_path: Path) -> None:
    project, net = plant(tmp_path)
    project.write_file("take.sh", '#!/bin/sh\nkey=$(cat)\necho "$key"\necho "$key" >&2\nexit 3\n')
    result = project.run("--debug", "apply", "--yes")
    assert result.code == 6, result
    assert "secret_key" not in result.output
    assert net.caught(result.output.encode()) == set()


def test_missing_secrets_are_named_and_the_others_not_told(tmp_path: Path) -> None:
    project, net = plant(tmp_path)
    del project.environment["CANARY_ENV"]
    workspace = Workspace(project, net, "", {})
    assert "CANARY_ENV" in workspace.look("plan", codes=(3,)).stderr
    shown = workspace.look("effective", "train-agent").stdout
    assert "case.innocent" in shown
    workspace.look("effective", "train-agent", "--diff")


def test_a_served_sandbox_and_its_children_show_no_key_that_they_were_not_asked_for(tmp_path: Path) -> None:
    project, net = plant(tmp_path)
    command = [sys.executable, "-m", "reconciler", "sandbox", "serve", "--db", project.sandbox.path, "--port", "0"]
    server = subprocess.Popen(
        command,
        cwd=project.folder,
        env=clean_environment(project.folder / "home", **project.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert server.stderr is not None
    first = server.stderr.readline()
    arguments = Path(f"/proc/{server.pid}/cmdline")
    seen = arguments.read_bytes() if arguments.exists() else b""
    server.send_signal(signal.SIGINT)
    out, err = server.communicate(timeout=20)
    assert b"listens on" in first
    assert net.caught(first + out + err + seen) == set()
