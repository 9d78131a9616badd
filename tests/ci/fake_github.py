"""As much of GitHub as the action meets: a runner for its steps, and an API that keeps the comments of pull requests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.ci.loopback import Request, answering
from tests.ci.workflow_files import ACTION, ROOT, read
from tests.support.runner import clean_environment

REPOSITORY = "acme/workspace"
TOKEN = "ghs-token-of-the-job"
BOT = {"login": "github-actions[bot]", "type": "Bot"}


@dataclass
class Comments:
    """The API's comments, and every request that it was sent."""

    url: str = ""
    all: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    refusing: bool = False

    def add(self, body: str, user: dict[str, str]) -> None:
        self.all.append({"id": 100 + len(self.all), "body": body, "user": user})

    def answer(self, request: Request) -> tuple[int, bytes]:
        status, answer = self._answer(request)
        return status, json.dumps(answer).encode()

    def _answer(self, request: Request) -> tuple[int, Any]:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}" or request.path == "/user":
            return 403, {"message": "Resource not accessible by integration"}
        self.requests.append(f"{request.method} {request.path}")
        if request.method == "GET":
            page, size = int(request.query["page"]), int(request.query["per_page"])
            return 200, self.all[(page - 1) * size : page * size]
        if self.refusing:
            return 403, {"message": "Resource not accessible by integration"}
        body = json.loads(request.body)["body"]
        if request.method == "POST":
            self.add(body, BOT)
            return 201, self.all[-1]
        number = int(request.path.rpartition("/")[2])
        comment = next(comment for comment in self.all if comment["id"] == number)
        comment["body"] = body
        return 200, comment


@contextmanager
def comments_api() -> Iterator[Comments]:
    """Serve comments on a free port of this machine."""
    comments = Comments()
    with answering(comments.answer) as comments.url:
        yield comments


@dataclass(frozen=True)
class Ended:
    """How the action ended."""

    code: int
    outputs: dict[str, str]
    log: str
    summary: str


@dataclass
class Runner:
    """Runs the bash steps of ``action.yml`` in a checkout, as GitHub's runner does.

    ``uses:`` steps are passed over. So is the one that installs, unless ``installing``: the command is the one of this
    environment then.
    """

    temporary: Path
    api: str
    environment: dict[str, str] = field(default_factory=dict)
    installing: bool = False

    def run(self, checkout: Path, event: dict[str, Any], event_name: str = "pull_request", **inputs: str) -> Ended:
        """Run the action with these inputs, ``_`` standing for ``-``."""
        action = read(ACTION)
        given = {name: spec.get("default", "") for name, spec in action["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        values = {f"inputs.{name}": value for name, value in given.items()}
        values["inputs.github-token"] = values["inputs.github-token"].replace("${{ github.token }}", TOKEN)
        environment = self._prepare(event, event_name)
        log, code = "", 0
        for step in action["runs"]["steps"]:
            if "run" not in step or (step.get("id") == "install" and not self.installing):
                continue
            own = {name: evaluated(text, values) for name, text in step["env"].items()}
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
                cwd=checkout,
                env=environment | own,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                timeout=300,
                check=False,
            )
            log += done.stdout
            outputs = outputs_in(Path(environment["GITHUB_OUTPUT"]))
            values |= {f"steps.{step.get('id')}.outputs.{name}": value for name, value in outputs.items()}
            Path(environment["GITHUB_OUTPUT"]).write_text("")
            code = done.returncode
            if code:
                break
        result = {name: evaluated(spec["value"], values) for name, spec in action["outputs"].items()}
        return Ended(code, result, log, Path(environment["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8"))

    def _prepare(self, event: dict[str, Any], event_name: str) -> dict[str, str]:
        self.temporary.mkdir(exist_ok=True)
        paths = {name: self.temporary / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in paths.values():
            path.write_text("")
        event_path = self.temporary / "event.json"
        event_path.write_text(json.dumps(event))
        if not self.installing:
            (self.temporary / "clearml-reconciler").mkdir(exist_ok=True)
            link = self.temporary / "clearml-reconciler" / "bin"
            if not link.exists():
                link.symlink_to(Path(sys.executable).parent)
        return clean_environment(
            self.temporary,
            RUNNER_TEMP=str(self.temporary),
            GITHUB_ACTIONS="true",
            GITHUB_ACTION_PATH=str(ROOT),
            GITHUB_API_URL=self.api,
            GITHUB_EVENT_NAME=event_name,
            GITHUB_EVENT_PATH=str(event_path),
            GITHUB_REPOSITORY=REPOSITORY,
            GITHUB_RUN_ID="4711",
            GITHUB_SERVER_URL="https://github.com",
            no_proxy="127.0.0.1",
            **{name: str(path) for name, path in paths.items()},
            **self.environment,
        )


def evaluated(text: str, values: dict[str, str]) -> str:
    """Return a text with its expressions replaced; what has no value is empty, as with GitHub."""
    return re.sub(r"\$\{\{\s*(\S+)\s*\}\}", lambda found: values.get(found[1], ""), text)


def outputs_in(path: Path) -> dict[str, str]:
    """Read what a step wrote into GITHUB_OUTPUT."""
    text = path.read_text(encoding="utf-8")
    return {found[1]: found[3] for found in re.finditer(r"^(\S+)<<(\w+)\n(.*?)\n?\2\n", text, re.DOTALL | re.MULTILINE)}


def pull_request(commit: str, number: int = 7) -> dict[str, Any]:
    return {"pull_request": {"number": number, "head": {"sha": commit}}}
