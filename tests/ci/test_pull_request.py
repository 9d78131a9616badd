"""A whole pull request, played with a real repository, a sandbox on a port, and the action's own steps."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from reconciler.plan.changes import NEVER_LIFTED, Guard
from tests.ci.fake_github import BOT, REPOSITORY, Comments, Ended, Runner, comments_api, pull_request
from tests.support.project import EXAMPLES, example_project
from tests.support.sandboxes import ADMIN_KEY, ADMIN_SECRET, Sandbox

VAULT_SECRETS = {"S3_KEY": "AKIA-of-the-journey", "S3_SECRET": "hunter2-of-the-journey"}


@dataclass(frozen=True)
class Repository:
    """A clone with real commits."""

    folder: Path

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@acme.io", "-c", "commit.gpgsign=false")
        command = ["git", "-C", str(self.folder), *who, *arguments]
        return subprocess.check_output(command, text=True, stderr=subprocess.STDOUT).strip()

    def replace(self, old: str, new: str) -> None:
        """Edit the declaration and commit that."""
        path = self.folder / "workspace.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        self.git("commit", "-qam", f"Say {new}")

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")


@dataclass(frozen=True)
class Forge:
    """The repository, where it is hosted, and the workspace that it declares."""

    repository: Repository
    sandbox: Sandbox
    server: str
    comments: Comments
    runner: Runner

    @property
    def pages(self) -> dict[str, str]:
        """Where the action leaves the forms of a plan."""
        names = {"page": "plan.html", "sarif": "plan.sarif"}
        return {name: str(self.runner.temporary / f"clearml-reconciler-{file}") for name, file in names.items()}

    def action(self, command: str, *, event_name: str = "pull_request", **inputs: str) -> Ended:
        """Run the action on what is checked out; commands with a server get the key pair."""
        if command != "validate":
            inputs = {"server": self.server, "access_key": ADMIN_KEY, "secret_key": ADMIN_SECRET} | inputs
        event = pull_request(self.repository.head) if event_name.startswith("pull_request") else {}
        ended = self.runner.run(self.repository.folder, event, event_name, command=command, **inputs)
        for secret in (ADMIN_SECRET, *VAULT_SECRETS.values()):
            told = ended.log.replace(f"::add-mask::{ADMIN_SECRET}\n", "") + ended.summary + str(self.comments.all)
            assert secret not in told
        return ended


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    """The small team's repository, merged and applied, whose people have all signed in."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    project = example_project(folder, "small-team", **VAULT_SECRETS)
    (folder / "out").mkdir(exist_ok=True)
    every_guard = [f"--allow={guard.value}" for guard in Guard if guard not in NEVER_LIFTED]
    for _ in range(2):  # invited, and then complete
        assert project.apply("--server", project.sandbox.server, *every_guard).code == 0
        project.sandbox.accept(*project.sandbox.truth().invited)
    repository = Repository(folder)
    (folder / ".gitignore").write_text("*\n!workspace.yaml\n!vaults\n!vaults/*\n")
    repository.git("init", "-q", "-b", "main")
    repository.git("add", ".")
    repository.git("commit", "-qm", "Declare the workspace")
    with project.sandbox.on_a_port() as server, comments_api() as comments:
        runner = Runner(tmp_path / "runner", comments.url, dict(VAULT_SECRETS))
        yield Forge(repository, project.sandbox, server, comments, runner)


def test_a_whole_pull_request(forge: Forge) -> None:
    repository, comments = forge.repository, forge.comments
    repository.git("checkout", "-qb", "tom-researches")
    repository.replace("ada@acme.io, lena@acme.io]", "ada@acme.io, lena@acme.io, tom@acme.io]")
    assert forge.action("validate").code == 0

    planned = forge.action("plan", comment="true")
    assert planned.code == 0
    assert planned.outputs == {"exit-code": "0", "changes": "1", "plan": "plan.json", **forge.pages}
    [comment] = comments.all
    assert comment["body"].startswith("<!-- clearml-reconciler: ")
    assert "`tom@acme.io`" in comment["body"]
    assert repository.head in comment["body"]
    assert "`tom@acme.io`" in planned.summary
    first = dict(comment)

    repository.replace("[root@acme.io, tom@acme.io]", "[root@acme.io, tom@acme.io, ada@acme.io]")
    assert forge.action("plan", comment="true").outputs["changes"] == "2"
    [again] = comments.all
    assert again["id"] == first["id"]
    assert "`operators`" in again["body"]
    assert "`operators`" not in first["body"]
    listing = f"/repos/{REPOSITORY}/issues/7/comments"
    updating = f"/repos/{REPOSITORY}/issues/comments/{comment['id']}"
    assert comments.requests == [f"GET {listing}", f"POST {listing}", f"GET {listing}", f"PATCH {updating}"]

    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge pull request 7", "tom-researches")
    forge.sandbox.call("users.set_role", user=forge.sandbox.truth().id_of("lena@acme.io"), role="admin")
    forge.sandbox.set_group("researchers", "root@acme.io", "lena@acme.io", "train-agent")
    outside = forge.sandbox.truth()

    stale = forge.action("apply", event_name="push", plan_file="plan.json")
    assert (stale.code, stale.outputs["exit-code"]) == (5, "5")
    assert "group researchers: the workspace has moved" in stale.log
    assert forge.sandbox.truth() == outside

    anew = forge.action("plan", event_name="push")
    assert (anew.code, anew.outputs["changes"]) == (0, "3")
    applied = forge.action("apply", event_name="workflow_dispatch", plan_file="plan.json")
    assert applied.code == 0, applied.log
    assert "Applied: 0 added, 3 changed, 0 removed." in applied.summary
    assert forge.sandbox.truth().members["lena@acme.io"] == "user"
    assert forge.sandbox.truth().groups["operators"] == {"root@acme.io", "tom@acme.io", "ada@acme.io"}
    drift = forge.action("drift", event_name="schedule")
    assert (drift.code, drift.outputs) == (0, {"exit-code": "0", "changes": "0", "plan": "", "page": "", "sarif": ""})


def test_drift_is_counted_and_fails_the_job(forge: Forge) -> None:
    lena = forge.sandbox.truth().id_of("lena@acme.io")
    forge.sandbox.call("users.set_role", user=lena, role="admin")
    drift = forge.action("drift", event_name="schedule", without_secrets="true")
    assert (drift.code, drift.outputs["exit-code"], drift.outputs["changes"]) == (2, "2", "1")
    assert "lena@acme.io" in drift.summary


def test_what_people_write_ends_no_block_and_commands_no_runner(forge: Forge) -> None:
    forge.sandbox.set_group("operators", "root@acme.io", "tom@acme.io", description="one")
    forge.repository.replace("- name: operators", '- name: operators\n    description: "```` ::error::pwned"')
    drift = forge.action("drift", event_name="schedule")
    assert drift.outputs["changes"] == "1"
    heading, _, opening, *_, closing = drift.summary.splitlines()
    assert (heading, opening, closing) == ("### reconciler drift", "`````text", "`````")
    stopped = re.search(r"^::stop-commands::(\w+)\n.*::error::pwned.*^::\1::$", drift.log, re.DOTALL | re.MULTILINE)
    assert stopped


def test_an_invalid_pull_request_outdates_the_comment_of_the_last_plan(forge: Forge) -> None:
    assert forge.action("plan", comment="true").code == 0
    forge.repository.replace("role: admin}   # whoever", "role: emperor}   # whoever")
    validated = forge.action("validate")
    assert validated.code == 3
    assert "::error file=workspace.yaml,line=" in validated.log
    planned = forge.action("plan", comment="true")
    assert planned.code == 3
    assert planned.outputs == {"exit-code": "3", "changes": "", "plan": "", **forge.pages}
    [comment] = forge.comments.all
    assert comment["body"].startswith("<!-- clearml-reconciler: ")
    assert "### No plan for `acme-ml`: the declaration has 1 error\n" in comment["body"]
    assert "`workspace.yaml:" in comment["body"]
    assert comment["body"].partition("\n###")[0] == "<!-- clearml-reconciler: acme-ml workspace.yaml -->"
    assert "### No plan for `acme-ml`" in planned.summary
    assert "::error file=workspace.yaml,line=" in planned.log
    assert forge.repository.head in comment["body"]


def test_from_a_first_mistake_to_drift(forge: Forge) -> None:
    """What stands in the one comment, the summary and the annotations at each step of a pull request."""
    repository, comments, path = forge.repository, forge.comments, forge.repository.folder / "workspace.yaml"
    good = path.read_text(encoding="utf-8")
    repository.git("checkout", "-qb", "without-tom")

    path.write_text(good.replace("groups:", "groups: ["), encoding="utf-8")
    assert "not valid YAML" in forge.action("validate").log
    broken = forge.action("plan", comment="true")
    assert (broken.code, len(comments.all)) == (3, 1)
    assert "### No plan for `acme-ml`" in comments.all[0]["body"]
    assert "not valid YAML" in broken.summary
    assert "title=yaml-syntax" in broken.log

    path.write_text(re.sub(r", (lena|tom)@acme.io|  - {email: (lena|tom)@acme.io.*}\n", "", good), encoding="utf-8")
    refused = forge.action("plan", comment="true")
    assert (refused.code, len(comments.all)) == (4, 1)
    assert "max-removals" in comments.all[0]["body"]
    assert "::error file=workspace.yaml,line=1,title=max-removals::" in refused.log

    down = replace(forge, server="http://127.0.0.1:1").action("plan", comment="true")
    assert (down.code, len(comments.all)) == (7, 1)
    assert "exit code 7" in comments.all[0]["body"]
    assert "title=server" in down.log

    allowed = forge.action("plan", comment="true", allow="max-removals empty-group")
    assert (allowed.code, len(comments.all)) == (0, 1)
    assert "Allowed on purpose" in comments.all[0]["body"]
    page = Path(allowed.outputs["page"]).read_text(encoding="utf-8")
    assert "tom@acme.io" in page

    applied = forge.action("apply", event_name="push", plan_file="plan.json", allow="max-removals empty-group")
    assert applied.code == 0, applied.log
    assert "tom@acme.io" not in forge.sandbox.truth().members
    assert forge.action("drift", event_name="schedule").code == 0
    forge.sandbox.call("users.set_role", user=forge.sandbox.truth().id_of("ada@acme.io"), role="user")
    assert forge.action("drift", event_name="schedule").code == 2


def test_two_workspaces_have_two_comments_and_one_that_cannot_be_read_outdates_its_own(forge: Forge) -> None:
    folder = forge.repository.folder
    text = (folder / "workspace.yaml").read_text(encoding="utf-8")
    (folder / "staging.yaml").write_text(text.replace("acme-ml", "acme-staging"), encoding="utf-8")
    for file in ("workspace.yaml", "staging.yaml"):
        assert forge.action("plan", comment="true", file=file).code in (0, 4)
    assert [body_of(comment)[0].split()[2:4] for comment in forge.comments.all] == [
        ["acme-ml", "workspace.yaml"],
        ["acme-staging", "staging.yaml"],
    ]
    (folder / "staging.yaml").write_text("\x00", encoding="utf-8")
    assert forge.action("plan", comment="true", file="staging.yaml").code == 3
    first, second = forge.comments.all
    assert "### Plan for `acme-ml`" in first["body"]
    assert body_of(second)[0] == "<!-- clearml-reconciler: acme-staging staging.yaml -->"
    assert body_of(second)[1].startswith("### No plan for `staging.yaml`")


def body_of(comment: dict[str, str]) -> list[str]:
    return comment["body"].splitlines()


def test_a_refused_plan_is_shown_and_fails_and_its_guard_is_lifted_by_name(forge: Forge) -> None:
    path = forge.repository.folder / "workspace.yaml"
    kept = re.sub(r", (lena|tom)@acme.io|  - {email: (lena|tom)@acme.io.*}\n", "", path.read_text())
    path.write_text(kept)
    refused = forge.action("plan", comment="true")
    assert (refused.code, refused.outputs["exit-code"], refused.outputs["plan"]) == (4, "4", "plan.json")
    assert "max-removals" in forge.comments.all[0]["body"]
    allowed = forge.action("plan", allow="max-removals=member\nempty-group\n")
    assert allowed.code == 0, allowed.log
    assert forge.action("apply", event_name="push", plan_file="plan.json", allow="max-removals").code == 0
    assert "tom@acme.io" not in forge.sandbox.truth().members


def test_a_marker_in_somebody_else_s_comment_is_not_trusted(forge: Forge) -> None:
    assert forge.action("plan", comment="true").code == 0
    marker = forge.comments.all.pop()["body"].partition("\n")[0]
    mallory = {"login": "mallory", "type": "User"}
    for number in range(150):
        forge.comments.add(f"{marker}\nNothing to see here.", mallory if number != 120 else BOT)
    assert forge.action("plan", comment="true").code == 0
    changed = [
        position for position, comment in enumerate(forge.comments.all) if "Nothing to see" not in comment["body"]
    ]
    assert changed == [120]


def test_a_comment_that_cannot_be_posted_fails_the_job_and_says_which_permission_it_needs(forge: Forge) -> None:
    forge.comments.refusing = True
    ended = forge.action("plan", comment="true")
    assert ended.code == 1
    assert "pull-requests: write" in ended.log


@pytest.mark.parametrize(
    ("event", "inputs", "why"),
    [
        ("pull_request_target", {"command": "plan"}, "only validate pull requests from forks"),
        ("pull_request", {"command": "plan", "server": ""}, "could name another server and get the key"),
        ("push", {"command": "destroy"}, "command is one of validate, plan, apply, drift"),
        ("push", {"command": "apply", "without_secrets": "true"}, "without-secrets has no meaning for apply"),
        ("push", {"command": "validate", "allow": "min-admins"}, "allow has no meaning for validate"),
        ("push", {"command": "plan", "comment": "yes"}, "comment is true or false"),
        ("push", {"command": "apply", "plan_file": "workspace.yaml"}, "no saved plan"),
        ("push", {"command": "apply", "plan_file": "absent.json"}, "no saved plan"),
    ],
)
def test_inputs_that_are_not_safe_or_make_no_sense_are_refused(
    event: str, inputs: dict[str, str], why: str, tmp_path: Path
) -> None:
    shutil.copy(EXAMPLES / "small-team" / "workspace.yaml", tmp_path)
    runner = Runner(tmp_path / "runner", "http://127.0.0.1:1")
    ended = runner.run(tmp_path, pull_request("0" * 40), event, **({"server": "https://127.0.0.1:1"} | inputs))
    assert (ended.code, ended.outputs["exit-code"]) == (64, "64")
    assert why in ended.log


def test_a_plan_for_another_declaration_is_not_applied(forge: Forge) -> None:
    assert forge.action("plan").code == 0
    plan = forge.repository.folder / "plan.json"
    plan.write_text(json.dumps(json.loads(plan.read_text()) | {"declaration": "elsewhere/workspace.yaml"}))
    ended = forge.action("apply", event_name="push", plan_file="plan.json")
    assert ended.code == 64
    assert "was made from 'elsewhere/workspace.yaml'" in ended.log


def test_nothing_in_a_checkout_takes_the_place_of_a_module(forge: Forge) -> None:
    """A pull request can hold any file: none of them runs because of its name."""
    for name in ("json", "pip", "reconciler", "urllib", "sitecustomize", "click"):
        (forge.repository.folder / f"{name}.py").write_text("raise SystemExit('run from the checkout')\n")
    ended = forge.action("plan", comment="true")
    assert ended.code == 0, ended.log
    assert "run from the checkout" not in ended.log


def test_credentials_come_from_the_job_s_environment_too(forge: Forge) -> None:
    keys = {"CLEARML_API_ACCESS_KEY": ADMIN_KEY, "CLEARML_API_SECRET_KEY": ADMIN_SECRET}
    inside = replace(forge, runner=replace(forge.runner, environment=VAULT_SECRETS | keys))
    assert inside.action("drift", event_name="schedule", access_key="", secret_key="").code == 0
    outside = forge.action("drift", event_name="schedule", access_key="", secret_key="")
    assert outside.code == 7


@pytest.mark.slow
def test_the_action_installs_its_own_checkout(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "small-team", tmp_path / "checkout")
    own = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    runner = Runner(tmp_path / "runner", "http://127.0.0.1:1", own, installing=True)
    ended = runner.run(tmp_path / "checkout", {}, "push", command="validate")
    if re.search(r"NewConnectionError|Could not find a version", ended.log):
        pytest.skip("no package index can be reached")
    assert ended.code == 0, ended.log
    assert (tmp_path / "runner" / "clearml-reconciler" / "bin" / "reconciler").is_file()
