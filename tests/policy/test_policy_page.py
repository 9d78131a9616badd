"""The rules of the how-to page work."""

from __future__ import annotations

from tests.support.pages import parts
from tests.support.project import EXAMPLES, Project

PAGE = (EXAMPLES.parent / "docs" / "how-to" / "policy.md").read_text(encoding="utf-8")


def test_its_rules_are_valid_and_are_kept(project: Project) -> None:
    (block,) = [part.text for part in parts(PAGE) if part.about == "policy.yaml"]
    (project.folder / "policy.yaml").write_text(block, encoding="utf-8")
    people = "members: [{email: root@acme.io, role: admin}, {email: eve@other.io}]\n"
    groups = "groups: [{name: researchers, members: [root@acme.io]}]\n"
    project.declare(people + groups, policy="min_admins: 1, rules: policy.yaml")
    assert project.run("validate").code == 0
    project.declare(people + groups.replace("root@", "eve@other.io, root@"), policy="min_admins: 1, rules: policy.yaml")
    result = project.run("validate")
    assert (result.code, "holds acme.io, other.io" in result.stdout) == (4, True), result
