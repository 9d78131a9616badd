from __future__ import annotations

import pytest

from reconciler.errors import UsageError
from reconciler.model.resources import Group, Member, ServiceAccount
from reconciler.model.snapshot import Snapshot
from reconciler.plan.access.index import AccessIndex, Through
from reconciler.plan.access.names import find_principal
from tests.build import account_vault, admin, group, vault

INDEX = AccessIndex(
    Snapshot.of(
        [
            admin("root@acme.io"),
            Member("lena@acme.io"),
            ServiceAccount("train-agent"),
            ServiceAccount("admin-bot", admin=True),
            group("researchers", "lena@acme.io", "guest@acme.io", accounts=["train-agent"]),
            group("operators", "root@acme.io"),
            Group("elsewhere"),
            account_vault("train-agent", "own: 1"),
            account_vault("admin-bot", "own: 2"),
            vault("all", "Users", "a: 1"),
            vault("admins", "Admins", "a: 2"),
            vault("s3", "researchers", "a: 3"),
            vault("ops", "operators", "a: 4"),
            vault("far", "elsewhere", "a: 5"),
        ]
    )
)


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("lena@acme.io", [("all", Through.EVERYONE), ("s3", Through.GROUP)]),
        ("ROOT@acme.io", [("all", Through.EVERYONE), ("admins", Through.ADMIN), ("ops", Through.GROUP)]),
        ("train-agent", [("all", Through.EVERYONE), ("s3", Through.GROUP), ("train-agent", Through.ITSELF)]),
        ("admin-bot", [("all", Through.EVERYONE), ("admins", Through.ADMIN), ("admin-bot", Through.ITSELF)]),
        ("guest@acme.io", [("all", Through.EVERYONE), ("s3", Through.GROUP)]),
    ],
)
def test_vaults_reach_people_and_accounts_through_their_groups(who: str, expected: list[tuple[str, Through]]) -> None:
    principal = find_principal(who, INDEX)
    assert [(item.vault.name, item.through) for item in INDEX.vaults(principal)] == expected
    unknown = INDEX.unknown_groups(principal)
    assert "elsewhere" in unknown
    assert ("Admins" in unknown) is (who == "guest@acme.io")


def test_an_unknown_name_is_answered_with_the_nearest_ones() -> None:
    with pytest.raises(UsageError, match="trainagent is neither a member nor a service account") as error:
        find_principal("trainagent", INDEX)
    assert error.value.hint == "did you mean train-agent?"
    with pytest.raises(UsageError) as error:
        find_principal("zzzz", INDEX)
    assert error.value.hint == "give a member's e-mail or a service account's name"


def test_a_name_that_means_two_is_refused() -> None:
    both = AccessIndex(Snapshot.of([Member("x@acme.io"), ServiceAccount("x@acme.io")]))
    with pytest.raises(UsageError, match="both a member and a service account"):
        find_principal("x@acme.io", both)
