"""What a run costs, in calls and in documents parsed: exact, so that a slower way is seen without a clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from reconciler.sandbox import state
from reconciler.vaults.parse import DocumentParser
from tests.support.project import Project
from tests.support.wires import Calls

PEOPLE = 1203
LISTS = {
    "login.get_settings": 1,
    "permissions.get_access_rules": 1,
    "permissions.get_user_groups": 1,
    "users.get_organization_vaults": 1,
    "users.get_service_users": 1,
}
PAGES = {"users.get_all_ex": 3}
"""1 203 people, the first admin among them, and three accounts, by 500."""

OF_ACCOUNTS = {"auth.get_credentials": 2, "auth.locate_credentials": 1, "users.get_vaults": 1}
"""One of the three accounts declares a credential, one a credential and a vault, and one nothing.

Whose the first of these credentials is is asked once.
"""

READING = Counter(LISTS | PAGES | OF_ACCOUNTS)
HOCON = "sdk.aws.s3.region = {region}\nsdk.name = ${{HOME}}\n"


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many documents each run parsed in full, in order."""
    found: list[int] = []
    close = DocumentParser.close

    def noting(parser: DocumentParser) -> None:
        found.append(parser.full_parses)
        close(parser)

    monkeypatch.setattr(DocumentParser, "close", noting)
    return found


@pytest.fixture
def large(project: Project) -> Project:
    people = [state.Person("root", "root@acme.io", "Root", "admin")]
    people += [state.Person(f"p{number:04}", f"p{number}@acme.io", "P") for number in range(PEOPLE - 1)]
    accounts = [
        state.ServiceAccount("a1", "one", credentials=(state.AccessKey("K1", "main"),)),
        state.ServiceAccount("a2", "two", credentials=(state.AccessKey("K2", "main"),)),
        state.ServiceAccount("a3", "three"),
    ]
    text = HOCON.format(region="eu-west-1")
    vaults = [state.Vault(f"v{number}", f"vault-{number}", text, "group", "g1") for number in range(4)]
    vaults.append(state.Vault("v9", "two", text, "user", user="a2"))
    groups = [state.Group("g1", "team", users=frozenset({"root", "a1"}))]
    project.sandbox.load(state.Workspace(tuple(people), (), tuple(accounts), tuple(groups), tuple(vaults)))
    return project


def declare(project: Project, *, region: str = "eu-west-1", groups: int = 1, changed: int = 0) -> None:
    """Declare what is there; ``changed`` vaults get another ``region``, and there are to be so many ``groups``."""
    lines = ["members:", "  - {email: root@acme.io, role: admin}"]
    lines += [f"  - {{email: p{number}@acme.io}}" for number in range(PEOPLE - 1)]
    deliver = "{label: main, deliver: {file: key.conf}}"
    text = HOCON.format(region="eu-west-1")
    lines += [
        "service_accounts:",
        f"  - {{name: one, credentials: [{deliver}]}}",
        f"  - {{name: two, credentials: [{deliver.replace('key', 'other')}], vault: {{data: {text!r}}}}}".replace(
            "'", '"'
        ),
        "  - {name: three}",
        "groups:",
        "  - {name: team, members: [root@acme.io], service_accounts: [one]}",
        *(f"  - {{name: group-{number}, members: [root@acme.io]}}" for number in range(1, groups)),
        "vaults:",
    ]
    for number in range(4):
        lines += [f"  - name: vault-{number}", "    group: team", "    data: |"]
        shown = HOCON.format(region=region if number < changed else "eu-west-1")
        lines += [f"      {line}" for line in shown.splitlines()]
    project.declare("\n".join(lines) + "\n")


WHO = {"users.get_all_ex": 1}
"""Drift asks once more about people: when each of them was last active."""


@pytest.mark.parametrize(("command", "more"), [("plan", {}), ("drift", WHO)])
def test_a_comparison_costs_pages_lists_and_one_call_for_each_account_that_declares_something(
    large: Project, parses: list[int], command: str, more: dict[str, int]
) -> None:
    declare(large)
    calls = Calls()
    result = large.run(command, wire=calls.wire)
    assert result.code == 0, result
    assert Counter(calls.made) == READING + Counter(more)
    assert parses[-1] == 1, "equal text is parsed once, whoever's vault it is in"


def test_validate_calls_nothing_and_parses_each_text_once(large: Project, parses: list[int]) -> None:
    declare(large, region="us-east-1", changed=2)
    calls = Calls()
    assert large.run("validate", wire=calls.wire).code == 0
    assert calls.made == []
    assert parses[-1] == 2


def test_a_changed_document_costs_one_more_parse_and_no_more_calls(large: Project, parses: list[int]) -> None:
    declare(large, region="us-east-1", changed=2)
    calls = Calls()
    assert large.run("plan", wire=calls.wire).code == 0
    assert Counter(calls.made) == READING
    assert parses[-1] == 2


def test_an_apply_costs_one_write_for_each_change_and_one_look_at_all_vaults_that_change(
    large: Project, parses: list[int]
) -> None:
    declare(large, region="us-east-1", changed=2, groups=21)
    calls = Calls()
    result = large.apply(wire=calls.wire)
    assert result.code == 0, result
    writes = {"permissions.add_or_update_user_group": 20, "users.add_or_update_vault": 2}
    made = Counter(calls.made)
    assert {name: made[name] for name in calls.writes} == writes
    made.subtract(writes)
    looks = Counter({"users.get_organization_vaults": 1})
    assert +made == Counter({name: 2 * count for name, count in READING.items()}) + looks
    assert parses[-1] == 2
