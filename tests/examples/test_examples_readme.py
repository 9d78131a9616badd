"""The README says what is true."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import click
import pytest
from ruamel.yaml import YAML

from reconciler.cli.main import cli
from reconciler.errors import ExitCode
from reconciler.plan.changes import NEVER_LIFTED, Guard
from tests.support.project import EXAMPLES, Project

ROOT = EXAMPLES.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = [line for line in README.splitlines() if line.startswith("|")]
SERVER_OPTIONS = {"--server", "--access-key", "--secret-key", "--allow-http", "--concurrency", "--timeout"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield " ".join((*path, name)), command


@pytest.mark.parametrize(("name", "command"), list(commands(cli)))
def test_it_names_every_option_of_every_command(name: str, command: click.Command) -> None:
    assert any(f"`reconciler {name}" in row for row in ROWS)
    for option in command.params:
        if isinstance(option, click.Option):
            for spelling in option.opts:
                rows = [row for row in ROWS if re.search(rf"`[^`]*{spelling}\b[^`]*`", row)]
                assert any(f"`{name}`" in row for row in rows) or (rows and spelling in SERVER_OPTIONS), spelling


def test_it_names_every_option_before_the_command() -> None:
    for option in (*cli.params, cli.get_help_option(click.Context(cli))):
        assert option is not None
        assert any(f"`{max(option.opts, key=len)}" in row for row in ROWS), option.opts


def test_it_names_no_option_that_is_not_there() -> None:
    spellings = {"--help"} | {spelling for option in cli.params for spelling in option.opts}
    spellings |= {spelling for _, command in commands(cli) for option in command.params for spelling in option.opts}
    named = {
        spelling
        for row in ROWS
        for code in re.findall(r"`([^`]*)`", row)
        for spelling in re.findall(r"--[a-z-]+", code)
    }
    assert named <= spellings


def test_it_names_every_field_of_the_file() -> None:
    named = " ".join(code for row in ROWS for code in re.findall(r"`([^`]*)`", row.split(" | ")[0]))
    schema = json.loads((ROOT / "schemas" / "workspace.schema.json").read_text(encoding="utf-8"))
    parts = {"the top": schema, **schema["$defs"]}
    missing = {
        f"{name}: {field}"
        for name, part in parts.items()
        for field in part.get("properties", ())
        if not re.search(rf"\b{field}\b", named)
    }
    assert not missing


def test_it_names_every_guard_and_how_to_lift_it() -> None:
    table = README.partition("## Guards")[2].partition("\n## ")[0].splitlines()
    for guard in Guard:
        row = next(row for row in table if row.startswith(f"| `{guard.value}`"))
        assert ("cannot be lifted" in row) if guard in NEVER_LIFTED else (f"`--allow {guard.value}`" in row)


def test_it_names_every_exit_code() -> None:
    table = README.partition("## Exit codes")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == [str(code.value) for code in ExitCode]


def test_every_declaration_in_it_is_valid(project: Project) -> None:
    whole = [block for block in blocks("yaml") if re.search(r"^version: 1$", block, re.MULTILINE)]
    assert whole
    for block in whole:
        (project.folder / "workspace.yaml").write_text(block, encoding="utf-8")
        result = project.run("validate")
        assert (result.code, result.stdout) == (0, ""), result


def test_every_other_yaml_in_it_can_be_read() -> None:
    workflows = [YAML(typ="safe", pure=True).load(block) for block in blocks("yaml") if "jobs:" in block]
    assert len(workflows) == 2
    for workflow in workflows:
        for job in workflow["jobs"].values():
            assert all({"uses", "run"} & step.keys() for step in job["steps"])


def test_every_link_in_it_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif "://" not in target:
            assert (ROOT / target).is_file(), target


def test_the_session_is_what_the_script_prints(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    shutil.copytree(EXAMPLES / "small-team", tmp_path / "examples" / "small-team")
    environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", tmp_path / "examples" / "small-team" / "try.sh"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    printed = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8008", done.stdout)
    shown = next(block for block in blocks("console") if "$ reconciler drift" in block)
    if request.config.getoption("--update-golden"):
        (ROOT / "README.md").write_text(README.replace(shown, abridged(printed)), encoding="utf-8")
        shown = abridged(printed)
    assert ordered(shown) == ordered(abridged(printed))
    assert list((EXAMPLES / "small-team").glob("*.before")) == []


def abridged(session: str) -> str:
    """Return a session without the plans that `apply` shows again: each becomes a line with `…`."""
    return (
        re.sub(r"(\$ reconciler apply [^\n]*\n).*?(?=applied )", r"\1…\n", session, flags=re.DOTALL).rstrip("\n") + "\n"
    )


def ordered(text: str) -> str:
    """Return the text with operations that ran side by side in one order."""
    runs = groupby(text.splitlines(keepends=True), key=lambda line: line.startswith("applied "))
    return "".join(line for applied, lines in runs for line in (sorted(lines) if applied else lines))
