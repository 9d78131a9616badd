"""The inputs: a workspace of a given size, as a declaration and as a sandbox that holds the same."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from reconciler.sandbox import state
from reconciler.sandbox.bulk import load_workspace
from reconciler.sandbox.store import Store

SEED = 20261124
ADMINS = 5
ROOT = state.Person("root", "root@acme.io", "Root", "admin")

HEAD = """\
version: 1
workspace: {{name: acme-ml, server: "{server}"}}
policy: {{min_admins: 1, max_removals: 100%}}
"""


@dataclass(frozen=True)
class Shape:
    """How much of everything. ``principals`` are people; one service account comes on twenty of them."""

    principals: int
    document: int = 200

    @property
    def accounts(self) -> int:
        return self.principals // 20

    @property
    def groups(self) -> int:
        return self.principals // 20

    @property
    def each(self) -> int:
        """How many people are in each group."""
        return min(100, self.principals // 10)

    @property
    def vaults(self) -> int:
        return self.principals // 50


class Inputs:
    """A workspace of one shape; the same seed makes the same one."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        choose = random.Random(SEED)
        people = range(shape.principals)
        self.emails = [f"person{number:06}@acme.io" for number in people]
        self.groups = [sorted(choose.sample(people, shape.each)) for _ in range(shape.groups)]
        self.documents = [_document(choose, number, shape.document) for number in range(shape.vaults)]

    def role(self, number: int) -> str:
        return "admin" if number < ADMINS else "user"

    def declaration(self, server: str, *, changed: bool = False, broken: bool = False) -> str:
        """Return the declaration of all; ``changed``: one in a hundred people, groups and vaults otherwise.

        ``broken``: one in a hundred people with a role that there is not.
        """
        lines = [HEAD.format(server=server).rstrip(), "members:", f"  - {{email: {ROOT.email}, role: admin}}"]
        for number, email in enumerate(self.emails):
            role = self.role(number)
            if number % 100 == 99:
                role = "consumer" if changed else "boss" if broken else role
            lines.append(f"  - {{email: {email}, name: Person {number}, role: {role}}}")
        lines.append("service_accounts:")
        for number in range(self.shape.accounts):
            credential = f"{{label: main, deliver: {{file: out/agent-{number}.conf}}}}"
            lines.append(f"  - {{name: agent-{number}, impersonation: false, credentials: [{credential}]}}")
        lines.append("groups:")
        for number, members in enumerate(self.groups):
            kept = members[1:] if changed and number % 100 == 49 else members
            lines += [f"  - name: group-{number}", f"    service_accounts: [agent-{number}]", "    members:"]
            lines += [f"      - {self.emails[member]}" for member in kept]
        lines.append("vaults:")
        for number, document in enumerate(self.documents):
            text = document.replace("eu-west-1", "us-east-1") if changed and number % 100 == 49 else document
            lines += [f"  - name: vault-{number}", f"    group: group-{number}", "    data: |"]
            lines += [f"      {line}" for line in text.splitlines()]
        return "\n".join(lines) + "\n"

    def workspace(self) -> state.Workspace:
        """Return the workspace that the declaration asks for."""
        people = tuple(
            state.Person(f"p{number:06}", email, f"Person {number}", self.role(number))
            for number, email in enumerate(self.emails)
        )
        accounts = tuple(
            state.ServiceAccount(
                f"a{number:06}", f"agent-{number}", credentials=(state.AccessKey(f"K{number}", "main"),)
            )
            for number in range(self.shape.accounts)
        )
        groups = tuple(
            state.Group(
                f"g{number:06}",
                f"group-{number}",
                users=frozenset(f"p{member:06}" for member in members) | {f"a{number:06}"},
            )
            for number, members in enumerate(self.groups)
        )
        vaults = tuple(
            state.Vault(f"v{number:06}", f"vault-{number}", document, "group", f"g{number:06}")
            for number, document in enumerate(self.documents)
        )
        return state.Workspace((ROOT, *people), service_accounts=accounts, groups=groups, vaults=vaults)


def resources(declaration: str) -> list[Any]:
    """Return every resource of a declaration as a plain value, the credentials by themselves."""
    lists = YAML(typ="safe").load(declaration)
    accounts = lists.get("service_accounts", [])
    credentials = [{"account": account["name"], **one} for account in accounts for one in account.pop("credentials")]
    return [*lists.get("members", []), *accounts, *credentials, *lists["groups"], *lists.get("vaults", [])]


def new_groups(count: int, server: str) -> str:
    """Return a declaration with so many groups that are not in an empty workspace yet, and nothing else."""
    lines = [HEAD.format(server=server).rstrip(), "groups:"]
    return (
        "\n".join([*lines, *(f"  - {{name: group-{number}, members: [{ROOT.email}]}}" for number in range(count))])
        + "\n"
    )


def write_declaration(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "workspace.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def make_sandbox(path: Path, workspace: state.Workspace) -> str:
    """Make a sandbox that holds this workspace, and return a token of its first admin."""
    with Store.open(path) as store:
        load_workspace(store, workspace)
        return store.session_for(ROOT.id)


def empty_workspace() -> state.Workspace:
    return state.Workspace((ROOT,))


def _document(choose: random.Random, number: int, size: int) -> str:
    """Return a document of about this many bytes, written in HOCON's own way, so that JSON's reader does not do."""
    lines = ["sdk.aws.s3.region = eu-west-1", f'sdk.aws.s3.bucket = "bucket-{number}"']
    length = sum(map(len, lines))
    while length < size:
        value = json.dumps(f"{choose.getrandbits(64):016x}")
        lines.append(f"sdk.development.setting_{len(lines)} {{ first = {value}, second = {len(lines)} }}")
        length += len(lines[-1]) + 1
    return "\n".join(lines) + "\n"
