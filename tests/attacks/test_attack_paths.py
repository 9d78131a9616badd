"""Names of files that are commands to a CI runner or a terminal, and modules that lie in wait in the working folder."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reconciler.errors import Place
from reconciler.model.text import harmless
from tests.support.project import Project
from tests.support.runner import clean_environment

HOSTILE = [
    "::error file=x::pwned.yaml",
    "::add-mask::a.yaml",
    "##[error]pwned.yaml",
    "a##vso[task.setvariable variable=PATH]b.yaml",
    "line\n::error::pwned.yaml",
    "color\x1b[31m.yaml",
    "turned\u202elmay.yaml",
    " ::error::space.yaml",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_a_file_name_commands_nobody(form: str, name: str, project: Project) -> None:
    project.declare("include: ['*pwned.yaml', '*a.yaml', '*b.yaml', 'c*.yaml', 't*.yaml', '*space.yaml']\n")
    project.write_file(name, "grups: []\n")
    result = project.run("validate", "--format", form)
    assert result.code == 3, result
    assert "grups" in result.output
    own = [line for line in result.output.splitlines() if line.lstrip().startswith("::")]
    assert all(line.startswith(("::error file=", "::warning file=")) and form == "github" for line in own)
    assert not [line for line in own if line.startswith("::error file=x::")]
    assert "##[" not in result.output
    assert "##vso[" not in result.output
    assert all(char == "\n" or char.isprintable() for char in result.output)


def test_a_plain_path_is_shown_as_it_is() -> None:
    assert str(Place("teams/é one.yaml", 3, 4)) == "teams/é one.yaml:3:4"
    assert str(Place("::error::x", 3, 4)) == '"::error::x":3:4'
    assert harmless("a ##[group] b") == "a #\\x23[group] b"


def test_no_module_is_taken_from_the_working_folder(project: Project) -> None:
    for module in ("click", "json", "msgspec"):
        (project.folder / f"{module}.py").write_text("raise SystemExit('taken over')\n")
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "--version"],
        cwd=project.folder,
        env=clean_environment(project.folder / "home"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
