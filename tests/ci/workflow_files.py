"""The CI files of this repository, and the shell scripts within them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
CI_EXAMPLES = ROOT / "examples" / "ci"
ACTION = ROOT / "action.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml")) + sorted((CI_EXAMPLES / "github").glob("*.yml"))
GITLAB = CI_EXAMPLES / "gitlab" / "gitlab-ci.yml"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path)


@dataclass(frozen=True)
class Script:
    """A script as a CI system would run it."""

    where: str
    text: str
    shell: str = "bash"


def scripts() -> Iterator[Script]:
    for step in read(ACTION)["runs"]["steps"]:
        if "run" in step:
            yield Script(f"action.yml: {step['name']}", step["run"])
    for path in WORKFLOWS:
        for job, content in read(path)["jobs"].items():
            for number, step in enumerate(content["steps"]):
                if "run" in step:
                    yield Script(f"{name_of(path)}: {job}[{number}]", step["run"])
    for job, content in read(GITLAB).items():
        if isinstance(content, dict) and "script" in content:
            yield Script(f"{name_of(GITLAB)}: {job}", "\n".join(content["script"]), "sh")
    yield Script("examples/ci/cron/drift.sh", (CI_EXAMPLES / "cron" / "drift.sh").read_text(encoding="utf-8"), "sh")


def tool(name: str) -> str:
    """Return the path of a linter, or skip the test: they are conveniences, which the gate installs."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found
