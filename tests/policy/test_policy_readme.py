"""The README says what rules may ask, and its rules work."""

from __future__ import annotations

import re

import pytest

from reconciler.model.policy import RuleSubject
from reconciler.plan.policy.fields import FIELDS
from tests.support.project import EXAMPLES, Project

README = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("\n## Rules of your own\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("subject", list(RuleSubject))
def test_it_lists_every_field_with_its_type(subject: RuleSubject) -> None:
    cells = "; ".join(f"`{name}` ({field.type.value}) {field.meaning}" for name, field in FIELDS[subject].items())
    assert f"| `{subject.value}` | {cells} |" in SECTION


def test_its_rules_are_valid_and_are_kept(project: Project) -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)
    (project.folder / "policy.yaml").write_text(block, encoding="utf-8")
    people = "members: [{email: root@acme.io, role: admin}, {email: eve@other.io}]\n"
    groups = "groups: [{name: finance, members: [root@acme.io]}]\n"
    project.declare(people + groups, policy="min_admins: 1, rules: policy.yaml")
    assert project.run("validate").code == 0
    project.declare(people + groups.replace("root@", "eve@other.io, root@"), policy="min_admins: 1, rules: policy.yaml")
    result = project.run("validate")
    assert (result.code, "holds acme.io, other.io" in result.stdout) == (4, True), result
