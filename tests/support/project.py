"""A folder with a declaration and a sandbox beside it, and the command run in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from tests.build import GAINS
from tests.support.runner import Result, Wire, clean_environment, invoke, session_at
from tests.support.sandboxes import Sandbox, new_sandbox

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass
class Project:
    """A team's folder; ``environment`` holds the variables that its commands see beside the bare necessities."""

    folder: Path
    sandbox: Sandbox
    environment: dict[str, str] = field(default_factory=dict)
    wire: Wire | None = None
    allows_gains: bool = True

    def write(self, **files: str) -> None:
        """Write files by name, ``__`` standing for a slash and ``_dot_`` for a dot."""
        for name, text in files.items():
            self.write_file(name.replace("__", "/").replace("_dot_", "."), text)

    def write_file(self, path: str, text: str) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text), encoding="utf-8")
        return target

    def declare(self, text: str, *, policy: str = "min_admins: 1, max_removals: 100%") -> None:
        """Write workspace.yaml with this body below a head that names the sandbox."""
        head = f'version: 1\nworkspace: {{name: acme-ml, server: "{self.sandbox.server}"}}\npolicy: {{{policy}}}\n'
        (self.folder / "workspace.yaml").write_text(head + textwrap.dedent(text), encoding="utf-8")

    def commit(self) -> None:
        """Have git know the files as they are: reviewers can read the values in them."""
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@acme.io", "-c", "commit.gpgsign=false"]
        kept = [":!home", ":!out", ":!sandbox.db*", ":!.reconciler*", ":!temporary"]
        environment = clean_environment(self.folder / "home")
        for arguments in (
            ["init", "-q"],
            ["add", "-A", "--", ".", *kept],
            [*who, "commit", "-q", "--allow-empty", "-m", "As it is"],
        ):
            subprocess.run(["git", *arguments], cwd=self.folder, check=True, env=environment)

    def _allowing(self, arguments: tuple[str | Path, ...]) -> list[str | Path]:
        """Return the arguments with the guards on gains lifted, which most stories are not about."""
        place = next((index for index, word in enumerate(arguments, 1) if word in ("plan", "apply")), 0)
        lifts = [word for guard in GAINS for word in ("--allow", guard.value)] if self.allows_gains and place else []
        return [*arguments[:place], *lifts, *arguments[place:]]

    def run(self, *arguments: str | Path, wire: Wire | None = None, stdin: str | None = None) -> Result:
        """Run the command in this folder."""
        return invoke(
            *self._allowing(arguments),
            folder=self.folder,
            environment=clean_environment(self.folder / "home", **self.environment),
            session=session_at(wire=wire or self.wire),
            stdin=stdin,
        )

    def apply(self, *options: str, wire: Wire | None = None) -> Result:
        return self.run("apply", "--yes", *options, wire=wire)

    def converge(self, *options: str) -> Result:
        """Apply, and expect that nothing is left to do."""
        result = self.apply(*options)
        assert result.code == 0, result
        assert self.run("plan", "--detailed-exitcode").code == 0
        return result


def new_project(folder: Path) -> Project:
    """Make an empty project with a new sandbox."""
    (folder / "home").mkdir()
    return Project(folder, new_sandbox(folder / "sandbox.db"))


EXAMPLE_VARIABLES = (
    "S3_KEY",
    "S3_SECRET",
    "VISION_S3_KEY",
    "VISION_S3_SECRET",
    "LANGUAGE_GCS_JSON",
    "AZURE_ACCOUNT_KEY",
)


def complete_example(folder: Path, name: str) -> Project:
    """Copy an example beside a new sandbox, with everything that its secrets come from."""
    project = example_project(folder, name)
    (folder / "out").mkdir(exist_ok=True)
    seed = folder / "sandbox.yaml"
    if seed.exists():
        project.sandbox.plant(seed)
    program = project.write_file("bin/op", "#!/bin/sh\necho glpat-of-the-example\n")
    program.chmod(0o700)
    project.write_file("secrets/ssh_host_key", "host-key-of-the-example\n")
    project.environment["PATH"] = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    for variable in EXAMPLE_VARIABLES:
        project.environment[variable] = f'{{"value": "{variable.lower()}"}}'
    return project


def example_project(folder: Path, name: str, **environment: str) -> Project:
    """Copy an example beside a new sandbox; its commands need ``--server``."""
    project = new_project(folder)
    shutil.copytree(EXAMPLES / name, folder, dirs_exist_ok=True)
    project.environment.update(environment)
    return project
