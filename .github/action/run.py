"""Run one command of reconciler for the action: options from the environment, results into GitHub's own files.

It always ends with 0 once the command has run; the command's exit code is an output, for the action's last step.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS = ("validate", "plan", "apply", "drift")
USAGE = 64
SUMMARY_CHARACTERS = 200_000  # GitHub takes 1 MiB of summary from a step; a character has up to four bytes


class UsageError(Exception):
    """An input that makes no sense, or is not safe."""


def arguments_of(environ: Mapping[str, str]) -> list[str]:
    """Return the command line that the inputs ask for.

    Raises :class:`UsageError` for an input that has no meaning for the command, and where a key could go astray.
    """
    command, plan_file = environ["INPUT_COMMAND"], environ["INPUT_PLAN_FILE"]
    without_secrets, comment = _flag(environ, "WITHOUT_SECRETS"), _flag(environ, "COMMENT")
    allowed = environ["INPUT_ALLOW"].split()
    if command not in COMMANDS:
        raise UsageError(f"command is one of {', '.join(COMMANDS)}")
    for name, given, commands in (
        ("plan-file", plan_file, ("plan", "apply")),
        ("allow", allowed, ("plan", "apply")),
        ("without-secrets", without_secrets, ("plan", "drift")),
        ("comment", comment, ("plan",)),
    ):
        if given and command not in commands:
            raise UsageError(f"{name} has no meaning for {command}")
    if command != "validate":
        _check_safe(environ)

    options = [f"--allow={guard}" for guard in allowed]
    if environ["INPUT_SERVER"] and command != "validate":
        options.append(f"--server={environ['INPUT_SERVER']}")
    if without_secrets:
        options.append("--without-secrets")
    file = environ["INPUT_FILE"]
    if command == "validate":
        options += ["--format=github", "--step-summary"]
    elif command == "plan":
        forms = [f"--write={form}={path}" for form, path in forms_of(environ).items()]
        options += ["--step-summary", f"--out={plan_file or 'plan.json'}", *forms]
    elif command == "apply":
        options += ["--yes", *_plan_option(plan_file, file)]
    return [command, *options, "--", file]


def forms_of(environ: Mapping[str, str]) -> dict[str, Path]:
    """Return where each form of a plan is written: all of them from one run."""
    folder = Path(environ["RUNNER_TEMP"])
    names = {"markdown": "comment.md", "github": "annotations", "html": "plan.html", "sarif": "plan.sarif"}
    return {form: folder / f"clearml-reconciler-{name}" for form, name in names.items()}


def _flag(environ: Mapping[str, str], name: str) -> bool:
    text = environ[f"INPUT_{name}"].lower()
    if text not in ("", "true", "false"):
        raise UsageError(f"{name.lower().replace('_', '-')} is true or false")
    return text == "true"


def _check_safe(environ: Mapping[str, str]) -> None:
    """Refuse what would hand a key to whoever wrote the pull request."""
    if environ.get("GITHUB_EVENT_NAME") == "pull_request_target":
        raise UsageError(
            "pull_request_target has secrets, and the declaration of somebody who may be trusted with none; "
            "use pull_request, and only validate pull requests from forks"
        )
    if not environ["INPUT_SERVER"] and not environ.get("CLEARML_API_HOST"):
        raise UsageError(
            "give server, or set CLEARML_API_HOST: otherwise a pull request could name another server and get the key"
        )


def _plan_option(plan_file: str, declaration: str) -> list[str]:
    """Return the option that names the plan, if it is one for this declaration, and not a declaration itself."""
    if not plan_file:
        return []
    try:
        plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"plan-file is no saved plan that can be read: {error}") from error
    made_from = plan.get("declaration") if isinstance(plan, dict) else None
    if made_from is None or Path(made_from) != Path(declaration):
        raise UsageError(f"plan-file was made from {made_from!r}, not from {declaration!r}")
    return [f"--plan={plan_file}"]


def environment_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the command's environment: the job's, with the credentials that the inputs give."""
    own = {name: value for name, value in environ.items() if not name.startswith("INPUT_")}
    for name in ("ACCESS_KEY", "SECRET_KEY"):
        if environ[f"INPUT_{name}"]:
            own[f"CLEARML_API_{name}"] = environ[f"INPUT_{name}"]
    return own


def run(arguments: list[str], environ: Mapping[str, str]) -> tuple[int, str]:
    """Run reconciler, show in the log what it prints, and return its exit code and its result."""
    program = Path(sys.executable).with_name("reconciler")
    result = ""
    # Only validate may speak to the runner. Whatever else is printed holds names that people chose.
    token = None if arguments[0] == "validate" else secrets.token_hex(16)
    _tell(f"::stop-commands::{token}\n" if token else "")
    try:
        with subprocess.Popen(  # noqa: S603 - our own program, and no shell
            [program, *arguments],
            env=environment_of(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        ) as process:
            assert process.stdout is not None  # noqa: S101 - tells mypy what PIPE means
            for line in process.stdout:
                result += line
                _tell(line)
    finally:
        _tell(f"\n::{token}::\n" if token else "")
    return process.returncode, result


def changes_in(command: str, code: int, result: str, plan_file: Path) -> str:
    """Return how many resources a plan changes, or differ from the declaration; empty if nobody can tell."""
    if command == "plan" and plan_file.is_file():
        return str(len(json.loads(plan_file.read_text(encoding="utf-8"))["changes"]))
    if command == "drift":
        found = re.search(r"^Drift: (\d+) ", result, re.MULTILINE)
        return "0" if code == 0 else found[1] if found else ""
    return ""


def fenced(text: str) -> str:
    """Return a text as a block of code that nothing in it can end."""
    cut = text if len(text) <= SUMMARY_CHARACTERS else text[:SUMMARY_CHARACTERS] + "\n… (cut; the log has all of it)\n"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", cut)), default=0))
    return f"{fence}text\n{cut.rstrip()}\n{fence}\n"


def planned(environ: Mapping[str, str], code: int) -> dict[str, str]:
    """Make annotations of the plan, or of why there is none, and return the paths of its forms as outputs.

    A run that was killed wrote none of them: the comment says so all the same, so that nobody reads an old plan.
    """
    forms = forms_of(environ)
    if not forms["markdown"].is_file():
        declaration = quote(PurePosixPath(environ["INPUT_FILE"]).as_posix(), safe="._/").replace("--", "%2D%2D")
        forms["markdown"].write_text(
            f"<!-- clearml-reconciler: ? {declaration} -->\n### No plan\n\n"
            f"There is no plan for this commit: `reconciler plan` ended with exit code {code}.\n",
            encoding="utf-8",
        )
    if forms["github"].is_file():
        _tell(forms["github"].read_text(encoding="utf-8"))  # made of workflow commands, each of them escaped
    outputs = {name: str(forms[form]) for name, form in (("page", "html"), ("sarif", "sarif")) if forms[form].is_file()}
    if environ["INPUT_COMMENT"].lower() == "true":
        outputs["comment-file"] = str(forms["markdown"])
    return outputs


def main(environ: Mapping[str, str]) -> int:
    """Run the command, and write the outputs and the summary."""
    outputs: dict[str, str] = {}
    try:
        arguments = arguments_of(environ)
    except UsageError as error:
        _tell(f"::error title=clearml-reconciler::{_escaped(str(error))}\n")
        outputs["exit-code"] = str(USAGE)
    else:
        command, plan_file = arguments[0], Path(environ["INPUT_PLAN_FILE"] or "plan.json")
        if command == "plan":
            for path in (plan_file, *forms_of(environ).values()):
                path.unlink(missing_ok=True)  # what is there afterwards is of this run
        code, result = run(arguments, environ)
        outputs["exit-code"] = str(code)
        if command == "plan":
            outputs |= planned(environ, code)
        outputs["changes"] = changes_in(command, code, result, plan_file)
        if command == "plan" and plan_file.is_file():
            outputs["plan"] = str(plan_file)
        if result and command in ("apply", "drift"):  # plan writes its own
            with Path(environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as summary:
                summary.write(f"### reconciler {command}\n\n{fenced(result)}")
    with Path(environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        delimiter = secrets.token_hex(16)
        file.writelines(f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value in outputs.items())
    return 0


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _tell(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(os.environ))
