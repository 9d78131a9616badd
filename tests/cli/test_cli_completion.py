"""Completion in a shell, as bash, zsh and fish ask for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.terminal import PROGRAM, program_environment


def completed(folder: Path, words: str, position: int) -> list[str]:
    variables = {"_RECONCILER_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(position)}
    done = subprocess.run(
        PROGRAM, cwd=folder, env=program_environment(folder, **variables), capture_output=True, text=True, check=True
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str, tmp_path: Path) -> None:
    environment = program_environment(tmp_path, _RECONCILER_COMPLETE=f"{shell}_source")
    done = subprocess.run(PROGRAM, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert f"_RECONCILER_COMPLETE={shell}_complete" in done.stdout


def test_commands_options_and_choices_are_completed(tmp_path: Path) -> None:
    assert completed(tmp_path, "reconciler pl", 1) == ["plan"]
    assert "--write" in completed(tmp_path, "reconciler plan --wr", 2)
    assert completed(tmp_path, "reconciler plan --format ju", 3) == ["junit"]


def test_names_come_from_the_declaration_and_what_it_includes(tmp_path: Path) -> None:
    (tmp_path / "teams").mkdir()
    (tmp_path / "teams" / "ml.yaml").write_text("service_accounts: [{name: lab-agent}]\n")
    (tmp_path / "workspace.yaml").write_text("include: [teams/*.yaml]\nmembers: [{email: lena@acme.io}, {nme: x}, 5]\n")
    assert completed(tmp_path, "reconciler effective l", 2) == ["lab-agent", "lena@acme.io"]
    assert completed(tmp_path, "reconciler access le", 2) == ["lena@acme.io"]


def test_a_declaration_that_cannot_be_read_completes_nothing(tmp_path: Path) -> None:
    (tmp_path / "workspace.yaml").write_text("members: [\n")
    assert completed(tmp_path, "reconciler effective l", 2) == []
