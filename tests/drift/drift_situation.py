"""What a situation is, and what a declaration can do in one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from drift_team import TEAM

from tests.support.sandboxes import Sandbox

OUTSIDE, PENDING, CONFLICT = "changed-outside", "not-yet-applied", "conflict"
ALL = ("ada@acme.io", "bob@acme.io", "agent")


def nothing(sandbox: Sandbox) -> None:
    del sandbox


@dataclass(frozen=True)
class Situation:
    """``outside`` happens to the workspace, ``edit`` (old text, new text) to the declaration."""

    name: str
    outside: Callable[[Sandbox], object] = nothing
    edit: tuple[tuple[str, str], ...] = ()
    expected: dict[str, str] = field(default_factory=dict)
    parts: dict[str, dict[str, str]] = field(default_factory=dict)
    agreeing: tuple[str, ...] = ()
    memory: str = "record"


def edit(*pairs: str) -> tuple[tuple[str, str], ...]:
    return tuple(zip(pairs[::2], pairs[1::2], strict=True))


ROLE = edit("{email: bob@acme.io}", "{email: bob@acme.io, role: consumer}")
BOB_LEAVES = edit("[ada@acme.io, bob@acme.io], service", "[ada@acme.io], service")
NO_READERS = edit("  - {name: readers, members: [bob@acme.io]}\n", "")
NEW_GROUP = edit("groups:\n", "groups:\n  - {name: makers, members: [ada@acme.io]}\n")
REGION = edit("region: eu", "region: us")
IMPERSONATION = edit("impersonation: false", "impersonation: true")
NO_VAULT = edit('vaults:\n  - {name: s3, group: operators, format: hocon, data: "region: eu"}\n', "vaults: []\n")
NO_RULE = edit(TEAM[TEAM.index("  - {name: vision") :], "  []\n")
NO_KEY = edit("credentials: [{label: ci, deliver: {file: out/ci.conf}}]", "credentials: []")
NEW_KEY = edit("out/ci.conf}}]", "out/ci.conf}}, {label: cd, deliver: {file: out/cd.conf}}]")
NO_BOB = edit(
    "  - {email: bob@acme.io}\n",
    "",
    "ada@acme.io, bob@acme.io]",
    "ada@acme.io]",
    "members: [bob@acme.io]",
    "members: []",
)


def s3(text: str) -> Callable[[Sandbox], object]:
    return lambda sandbox: sandbox.set_vault("s3", "operators", text)


def vision(*people: str, **fields: Any) -> Callable[[Sandbox], object]:
    return lambda sandbox: sandbox.set_rule("vision", *people, **fields)
