"""A converged workspace whose files have comments, styles and several places."""

from __future__ import annotations

import difflib

from tests.support.project import Project

TOKEN = "tok-declared-and-known"
BODY = """\
include: [teams/*.yaml]

# Everybody, sorted.
members:
  # the break-glass account
  - {email: root@acme.io, name: 'root', role: admin}   # never leaves
  - {email: ada@acme.io, name: "a", role: admin}
  # bob is a contractor
  - {email: bob@acme.io}   # until June
  - email: cyd@acme.io     # in several lines
    role: "user"

service_accounts:
  - name: agent
    impersonation: false   # on purpose
    credentials:
      - {label: ci, deliver: {file: out/ci.conf}}  # of CI
    vault: {format: hocon, file: vaults/agent.conf}
"""
TEAM = """\
# The team's own file.
groups:
  - name: research  # the first group
    description: "People, who research"
    members: [ada@acme.io, bob@acme.io]  # sorted
    service_accounts: [agent]

  - name: ops
    members:
      - root@acme.io   # always
      - cyd@acme.io

vaults:
  - name: s3   # storage
    group: research
    file: vaults/s3.conf
    secrets: {TOKEN: {env: TOKEN}}
  - name: inline
    group: ops
    data: |
      a: 1
      # note in the document
      b: 2

access_rules:
  - name: vision-rw  # rule
    resource: {project: Vision}
    permission: read_write
    groups: [research]
"""
S3 = '# storage of the team\nsdk.aws.s3 {\n  region: "eu"  # near\n  token: "@{TOKEN}"\n}\n'


def acme_project(project: Project) -> Project:
    """Converge a new project."""
    project.environment["TOKEN"] = TOKEN
    (project.folder / "out").mkdir()
    project.declare(BODY)
    project.write_file("teams/research.yaml", TEAM)
    project.write_file("vaults/agent.conf", "agent.x: 1\n")
    project.write_file("vaults/s3.conf", S3)
    project.sandbox.add_entity("project", "Vision", "id-vision")
    project.sandbox.add_entity("project", "Audio", "id-audio")
    for email in ("ada", "bob", "cyd"):
        project.sandbox.add_member(f"{email}@acme.io")
    project.converge()
    return project


def files(project: Project) -> dict[str, str]:
    """Return the texts of all files of a declaration, by their paths."""
    paths = [path for path in project.folder.rglob("*") if path.suffix in (".yaml", ".conf", ".json")]
    return {
        str(path.relative_to(project.folder)): path.read_bytes().decode()
        for path in paths
        if not {"out", ".reconciler"} & set(path.parts)
    }


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the lines that go and come, with their signs."""
    lines: list[str] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, "").splitlines(), after.get(name, "").splitlines()
        lines += [line for line in difflib.unified_diff(old, new, n=0, lineterm="") if line[:3] not in ("---", "+++")]
    return [line for line in lines if not line.startswith("@@")]


def adopted(project: Project, *keys: str) -> list[str]:
    """Adopt, and return the lines that changed; the declaration is in sync afterwards if no key was given."""
    before = files(project)
    result = project.run("adopt", *keys)
    assert result.code == 0, result
    if not any(":" in key for key in keys):
        drift = project.run("drift")
        assert drift.code == 0, drift
    return changed(before, files(project))


def user(project: Project, name: str) -> str:
    return project.sandbox.truth().id_of(name)
