"""A workspace with secrets planted wherever one can be: in sources, documents, live vaults, keys and URLs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from canary_net import Net, files

from reconciler.sandbox.store import Store
from tests.support.project import Project, new_project
from tests.support.runner import Result, Wire
from tests.support.sandboxes import ADMIN_KEY, ADMIN_SECRET

KEY_BLOCK = "-----BEGIN PRIVATE KEY-----\ncanary0PRIVATE0declared0k3yk3yk3y\n-----END PRIVATE KEY-----"
LIVE_BLOCK = "-----BEGIN PRIVATE KEY-----\ncanary0PRIVATE0live0k3yk3yk3yk3y\n-----END PRIVATE KEY-----"
PLANTED = {
    "env": 'canary/ENV+value="quoted" \\ ☃ end',
    "file": "canary-FILE value?with&signs%20",
    "command": "canary'COMMAND' $(value)",
    "inline": "canaryINLINEunderAsecretKEY",
    "url": "canaryURLpassw0rd",
    "block": KEY_BLOCK.split("\n")[1],
    "misread": "canaryMISREADasAkey",
    "environment": "canaryENVIRONMENTsection",
    "live": "canaryLIVEonlySECRET",
    "live url": "canaryLIVEurlPASS",
    "live block": LIVE_BLOCK.split("\n")[1],
    "live own": "canaryLIVEownVAULTtoken",
    "unknown": "canary of a live value at a path that no rule knows",
    "unknown key": "ghp_canaryKEYthatIsATokenItself0123456789",
    "decrypted": "canary of a literal in a file that CI decrypted",
    "script": "canaryPASSWORDinAscript",
    "argument": "canaryARGUMENTafterAnOption",
    "comment": "canary of a comment that only the server has",
    "api": ADMIN_SECRET,
}
DECLARATION = """\
members:
  - {email: root@acme.io, role: admin}
  - {email: lena@acme.io}
service_accounts:
  - name: train-agent
    credentials:
      - {label: file, expires_in: 30d, deliver: {file: out/key.conf}}
      - {label: env, deliver: {env_file: out/key.env}}
      - {label: k8s, deliver: {kubernetes_secret: {file: out/secret.json, name: train-agent}}}
      - {label: command, deliver: {command: [sh, take.sh]}}
    vault: {file: own.json, secrets: {TOKEN: {env: CANARY_ENV}}}
groups:
  - {name: researchers, members: [root@acme.io], service_accounts: [train-agent]}
vaults:
  - name: planted
    group: researchers
    file: planted.conf
    secrets: {A: {env: CANARY_ENV}, B: {file: SOURCES/file}, C: {command: [cat, SOURCES/command]}}
  - name: yaml
    group: researchers
    file: planted.yaml
    secrets: {A: {env: CANARY_ENV}}
  - {name: misread, group: Users, file: misread.yaml, send_as: yaml}
"""
PLANTED_CONF = """\
sdk.aws.s3 {{ key: "@{{A}}", secret: "{inline}", region: "eu-west-1" }}
case {{ innocent: "@{{B}}", mixed: "user @{{C}} here", copy: ${{sdk.aws.s3.secret}} }}
agent.package_manager.extra_index_url: ["https://ci:{url}@pypi.acme.io/simple"]
agent.docker_note: "see https://ci:{url}@wiki.acme.io"
files.f1 {{ path: "~/.ssh/id", contents: \"\"\"{block}\"\"\" }}
note: \"\"\"{block}\"\"\"
environment.SOMETHING: "{environment}"
company {{ motto: "{decrypted}", list: ["x", "{decrypted}"] }}
agent.extra_docker_shell_script: ["docker login -u robot -p {script} reg.acme.io"]
agent.extra_docker_arguments: ["--password", "{argument}"]
"""
PLANTED_YAML = """\
sdk:
  azure:
    storage:
      containers:
        - {{account_name: acme, account_key: "{inline}", container_name: x}}
case:
  yaml: '@{{A}}'
"""
MISREAD = "outer:\n  password: {inline}\n  secret: |\n    {misread}: more\n"
LIVE = """\
sdk.aws.s3 {{ secret: "{live}", region: "live-region" }}
agent.extra_index: "https://ci:{live_url}@pypi.acme.io"
files.f {{ contents: \"\"\"{live_block}\"\"\" }}
case {{ innocent: "{live}" }}
# {comment}
company {{ motto: "{unknown}", list: ["{unknown}", {{ deep: "{unknown}" }}], "{unknown_key}": 1 }}
copy: ${{company.motto}}
sdk.storage.direct_access: [{{ url: ${{company.motto}} }}]
agent.package_manager.type: ${{company.motto}}
agent.extra_docker_arguments: ["--network=host", "--password", "{argument}"]
"""


@dataclass
class Workspace:
    """The project, the net, and what a file looked like before any command ran."""

    project: Project
    net: Net
    url: str
    untouched: dict[Path, bytes]
    written: set[str] = field(default_factory=set)

    def run(self, *arguments: str | Path, wire: Wire | None = None, codes: tuple[int, ...] = (0,)) -> Result:
        """Run a command plainly and with --debug (unless it writes), and look at all that it printed."""
        result = self.project.run(*arguments, wire=wire)
        assert result.code in codes, result
        assert self.net.caught(result.output.encode()) == set(), arguments
        return result

    def look(self, *arguments: str | Path, codes: tuple[int, ...] = (0,)) -> Result:
        """Run a command that changes nothing, also with --debug."""
        self.run("--debug", *arguments, codes=codes)
        return self.run(*arguments, codes=codes)

    def learn_keys(self) -> None:
        """Take the secret keys that the sandbox knows into the net; only delivered files may hold them."""
        for path in sorted((self.project.folder / "out").iterdir()):
            self.untouched[path] = path.read_bytes()
        section = (self.project.folder / "out/key.conf").read_text(encoding="utf-8")
        self.net.secrets["delivered"] = section.split('secret_key: "')[1].split('"')[0]
        environment = (self.project.folder / "out/key.env").read_text(encoding="utf-8")
        self.net.secrets["delivered env"] = environment.split("CLEARML_API_SECRET_KEY=")[1].strip().strip("'")

    def caught_in_files(self) -> dict[str, set[str]]:
        folders = [self.project.folder, self.project.folder.parent / "temporary"]
        return self.net.caught_in_files(folders, self.untouched)


def plant(folder: Path) -> tuple[Project, Net]:
    """Write the declaration and its sources; the sandbox and the secrets' sources are outside of the work folder."""
    work, sources = folder / "work", folder / "sources"
    for path in (work, sources, folder / "temporary", folder / "server"):
        path.mkdir()
    project = new_project(work)
    database = folder / "server" / "sandbox.db"
    project.sandbox.path.rename(database)
    project.sandbox = type(project.sandbox)(database)
    (work / "out").mkdir()
    (sources / "file").write_text(PLANTED["file"] + "\n", encoding="utf-8")
    (sources / "command").write_text(PLANTED["command"], encoding="utf-8")
    values = {name.replace(" ", "_"): value for name, value in PLANTED.items()} | {"block": KEY_BLOCK}
    policy = f"min_admins: 1, max_removals: 100%, sources: ['{sources}/*']"
    project.declare(DECLARATION.replace("SOURCES", str(sources)), policy=policy)
    (work / "planted.conf").write_text(PLANTED_CONF.format(**values), encoding="utf-8")
    (work / "planted.yaml").write_text(PLANTED_YAML.format(**values), encoding="utf-8")
    (work / "misread.yaml").write_text(MISREAD.format(**values), encoding="utf-8")
    (work / "own.json").write_text('{"agent": {"git_token": "@{TOKEN}", "git_user": "x"}}', encoding="utf-8")
    (work / "clearml.conf").write_text(f'api.credentials {{ secret_key: "{PLANTED["inline"]}" }}\n', encoding="utf-8")
    take = work / "take.sh"
    take.write_text("#!/bin/sh\ncat > /dev/null\ncat /proc/self/cmdline /proc/$PPID/cmdline > seen-arguments\n")
    project.environment |= {"CANARY_ENV": PLANTED["env"], "TMPDIR": str(folder / "temporary")}
    return project, Net(dict(PLANTED))


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Workspace]:
    """The planted workspace, reached over HTTP with an API key."""
    project, net = plant(folder)
    with project.sandbox.on_a_port() as url:
        text = (project.folder / "workspace.yaml").read_text(encoding="utf-8")
        (project.folder / "workspace.yaml").write_text(text.replace(project.sandbox.server, url), encoding="utf-8")
        project.environment |= {"CLEARML_API_ACCESS_KEY": ADMIN_KEY, "CLEARML_API_SECRET_KEY": ADMIN_SECRET}
        untouched = {path: path.read_bytes() for path in files(project.folder)}
        yield Workspace(project, net, url, untouched)


def plant_live(workspace: Workspace) -> None:
    """Change a declared vault and make an undeclared one, with secrets that only the server has."""
    values = {name.replace(" ", "_"): value for name, value in PLANTED.items()} | {"live_block": LIVE_BLOCK}
    sandbox = workspace.project.sandbox
    sandbox.set_vault("planted", "researchers", LIVE.format(**values))
    sandbox.set_vault("undeclared", "researchers", LIVE.format(**values).replace("case", "environment"))
    with Store.open(sandbox.path):
        own = next(vault for title, vault in sandbox.truth().vaults.items() if title.endswith("→ train-agent"))
    text = f'{{"agent": {{"git_token": "{PLANTED["live own"]}"}}}}'
    fields: dict[str, Any] = {"id": own.id, "data": text, "scope": "user", "description": own.description}
    sandbox.call("users.add_or_update_vault", vault=fields | {"format": "json", "type": "config"})


class WrittenFiles:
    """Notes which files this process opens for writing, until it is told to stop; an audit hook stays for good."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self._listening = True
        sys.addaudithook(self._hear)

    def stop(self) -> None:
        self._listening = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._listening and event == "open" and isinstance(arguments[0], str):
            mode, flags = arguments[1], arguments[2]
            writes = any(sign in mode for sign in "wax+") if isinstance(mode, str) else bool((flags or 0) & 0o3)
            if writes:
                self.paths.add(arguments[0])
