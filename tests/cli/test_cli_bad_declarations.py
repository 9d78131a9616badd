from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.wires import Calls

HEAD = 'version: 1\nworkspace: {name: acme-ml, server: "sandbox:sandbox.db"}\npolicy: {min_admins: 1}\n'
COMMANDS = (("validate",), ("plan",), ("apply", "--yes"), ("drift",))
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding="utf-8")


def entry(content: str) -> Callable[[Path], object]:
    return text(HEAD + content)


def folder(path: Path) -> None:
    path.mkdir()


def nothing(path: Path) -> None:
    del path


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 4)


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


FILES = [
    pytest.param(nothing, "workspace.yaml", id="a missing file"),
    pytest.param(text(""), "empty", id="an empty file"),
    pytest.param(text("# only a comment\n"), "empty", id="a file of comments"),
    pytest.param(folder, "this is a folder, not a file", id="a directory"),
    pytest.param(binary, "workspace.yaml", id="a binary file"),
    pytest.param(huge, "this file is too large: 100.0 MiB", id="a file of 100 MB"),
    pytest.param(endless, "workspace.yaml", id="a device without end"),
    pytest.param(text("- version: 1\n- members: []\n"), "list", id="a list"),
    pytest.param(text("just words"), "a single value, not a mapping", id="a text"),
    pytest.param(text("version: [1\n"), "workspace.yaml:", id="broken YAML"),
    pytest.param(text("<<<<<<< HEAD\nversion: 1\n=======\nversion: 1\n>>>>>>> x\n"), "merge", id="conflict markers"),
    pytest.param(text("\tversion: 1"), "workspace.yaml:1", id="a tab"),
    pytest.param(text("version: 1\nversion: 1\n"), "version", id="a key twice"),
    pytest.param(text("version: !!python/object/apply:os.system ['id']"), "tag", id="a tag that runs code"),
    pytest.param(text("version: 2\nworkspace: {name: a, server: 'https://a.io'}"), "version", id="another version"),
    pytest.param(text("version: 1\n"), "workspace", id="no workspace"),
    pytest.param(text("version: 1\nworkspace: {name: a, server: 'ftp://a.io'}\n"), "server", id="no web address"),
    pytest.param(entry("include: [nothing/*.yaml]\n"), "nothing/*.yaml", id="an include that matches nothing"),
    pytest.param(entry("include: [../*.yaml]\n"), "..", id="an include that leaves the folder"),
    pytest.param(entry("memberz: []\n"), "members", id="an unknown key"),
    pytest.param(entry("members: [{email: root@acme.io, role: admin}, {email: nobody}]\n"), "nobody", id="no e-mail"),
    pytest.param(entry("groups: [{name: Users}]\n"), "built-in", id="a built-in group"),
    pytest.param(entry("groups: [{name: a}, {name: A}]\n"), "twice", id="a name twice"),
    pytest.param(entry("groups: [{name: g, service_accounts: [x]}]\nservice_accounts: []\n"), "x", id="an unknown name"),
    pytest.param(entry("groups: [{name: g}]\nvaults: [{name: v, group: g, data: 'a: {{{'}]\n"), "hocon", id="a bad document"),
    pytest.param(
        entry("groups: [{name: g}]\nvaults: [{name: v, group: g, data: 'a: \"@{X}\"'}]\n"), "X", id="an undeclared secret"
    ),
    pytest.param(
        entry("groups: [{name: g}]\nvaults: [{name: v, group: g, file: ../x}]\n"), "../x", id="a document elsewhere"
    ),
    pytest.param(entry("members: [{email: root@acme.io}]\n"), "min_admins", id="a policy that cannot hold"),
]  # fmt: skip

WRONG_TYPES = [
    "version: one",
    "workspace: acme",
    "workspace: {name: 1, server: 2}",
    "workspace: []",
    "include: teams",
    "include: [{}]",
    "manage: all",
    "manage: {members: some}",
    "policy: 2",
    "policy: {min_admins: two}",
    "policy: {min_admins: 0}",
    "policy: {max_removals: -1}",
    "policy: {max_removals: 200%}",
    "policy: {protect: [root@acme.io]}",
    "members: root@acme.io",
    "members: {email: root@acme.io}",
    "members: [root@acme.io]",
    "members: [[]]",
    "members: [null]",
    "members: [{email: 1}]",
    "members: [{email: [a@acme.io]}]",
    "members: [{email: a@acme.io, role: root}]",
    "members: [{email: a@acme.io, role: superuser}]",
    "members: [{role: admin}]",
    "service_accounts: [{name: {}}]",
    "service_accounts: [{name: a, impersonation: yes}]",
    "service_accounts: [{name: a, admin: 1}]",
    "service_accounts: [{name: a, credentials: {label: x}}]",
    "service_accounts: [{name: a, credentials: [{label: 1}]}]",
    "service_accounts: [{name: a, credentials: [{label: x, expires_in: 90}]}]",
    "service_accounts: [{name: a, credentials: [{label: x, expires_in: soon}]}]",
    "service_accounts: [{name: a, credentials: [{label: x, deliver: out/x}]}]",
    "service_accounts: [{name: a, vault: text}]",
    "groups: [{name: 1}]",
    "groups: [{name: true}]",
    "groups: [{name: a, members: root@acme.io}]",
    "groups: [{name: a, members: [1]}]",
    "groups: [{name: a, description: 1}]",
    "vaults: [{name: v}]",
    "vaults: [{name: v, group: g, data: {a: 1}}]",
    "vaults: [{name: v, group: g, data: x, file: y}]",
    "vaults: [{name: v, group: g, data: x, format: toml}]",
    "vaults: [{name: v, group: g, data: x, enabled: 'no'}]",
    "vaults: [{name: v, group: g, data: x, secrets: [A]}]",
    "vaults: [{name: v, group: g, data: x, secrets: {A: value}}]",
    "vaults: [{name: v, group: g, data: x, secrets: {A: {env: 1}}}]",
]


def refused(project: Project, *command: str) -> str:
    before, calls = project.sandbox.truth(), Calls()
    result = project.run(*command, wire=calls.wire)
    assert result.code == 3, result
    assert "Traceback" not in result.output
    assert "internal error" not in result.output
    assert not UNSAFE.search(result.output)
    assert project.sandbox.truth() == before
    assert calls.made == []
    return result.output


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(("make", "told"), FILES)
def test_a_file_that_is_no_declaration(
    make: Callable[[Path], object], told: str, command: tuple[str, ...], project: Project
) -> None:
    make(project.folder / "workspace.yaml")
    assert told.lower() in refused(project, *command).lower()


@pytest.mark.parametrize("line", WRONG_TYPES)
def test_wrong_types_are_told_with_their_place(line: str, project: Project) -> None:
    top = line.partition(":")[0]
    head = "".join(kept for kept in HEAD.splitlines(keepends=True) if not kept.startswith(f"{top}:"))
    (project.folder / "workspace.yaml").write_text(f"{head}{line}\n")
    number = head.count("\n") + 1
    told = refused(project, "validate")
    assert re.search(rf"^workspace\.yaml:{number}:\d+: ", told, re.MULTILINE), told


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("line\\nbreak", "line\\nbreak"),
        ("bell\\x07", "bell\\x07"),
        ("red\\e[31m", "red\\x1b[31m"),
        ("c1\\x9b31m", "c1\\x9b31m"),
        ("right\\u202eleft", "right\\u202eleft"),
        ("zero\\u200bwidth", "zero\\u200bwidth"),
        ("separator\\u2028x", "separator\\u2028x"),
    ],
)
@pytest.mark.parametrize(
    "line",
    [
        'members: [{{email: root@acme.io, role: admin}}, {{email: "{0}@acme.io"}}]',
        'members: [{{email: root@acme.io, role: admin, name: "{0}"}}]',
        'groups: [{{name: "{0}"}}]',
        'groups: [{{name: a, was: "{0}"}}]',
        'groups: [{{name: g}}]\nvaults: [{{name: "{0}", group: g, data: "a: 1"}}]',
        'service_accounts: [{{name: "{0}"}}]',
        'service_accounts: [{{name: a, credentials: [{{label: "{0}"}}]}}]',
    ],
)
def test_a_declared_name_with_hidden_characters_is_refused_and_shown_escaped(
    line: str, name: str, shown: str, project: Project
) -> None:
    (project.folder / "workspace.yaml").write_text(HEAD + line.format(name) + "\n")
    assert shown in refused(project, "validate")


def test_every_error_is_told_at_once(project: Project) -> None:
    (project.folder / "workspace.yaml").write_text(
        HEAD
        + "members: [{email: root@acme.io, role: admin}, {email: nobody}, {email: ROOT@acme.io}]\n"
        + "groups: [{name: Users}, {name: g, members: [ghost@acme.io]}]\n"
        + "vaults: [{name: v, group: nowhere, data: 'a: 1'}]\n"
    )
    told = refused(project, "validate")
    for words in ("nobody", "twice", "built-in", "ghost@acme.io", "nowhere"):
        assert words in told


@pytest.mark.parametrize("form", ["json", "github"])
def test_problems_in_other_forms(form: str, project: Project) -> None:
    (project.folder / "workspace.yaml").write_text(HEAD + 'groups: [{name: "a\\nb"}]\n')
    result = project.run("validate", "--format", form)
    assert result.code == 3
    if form == "json":
        (problem,) = result.json["problems"]
        assert (problem["file"], problem["line"], problem["severity"]) == ("workspace.yaml", 4, "error")
        assert result.json["valid"] is False
    else:
        assert re.fullmatch(r"::error file=workspace.yaml,line=4,col=\d+,title=invalid-name::.*\n", result.stdout)
