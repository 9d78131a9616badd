"""A declared rename is made on the live side, in everything that is known of the resource."""

from __future__ import annotations

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from reconciler.model.live import Caller, CredentialFacts, Live
from reconciler.model.resources import Address, OwnerKind, Resource, ServiceAccount, Vault
from reconciler.plan.changes import Guard
from reconciler.plan.renames import under_new_names
from reconciler.vaults.parse import DocumentParser
from tests.build import account_vault, admin, credential, desired, group, live, planned, rule, vault

ROOT, OTHER = admin("root@acme.io"), ServiceAccount("other")


def workspace(account: str, team: str, file: str, words: str) -> tuple[Resource, ...]:
    """A workspace whose account, group, vault and rule are called like this."""
    return (
        ROOT,
        OTHER,
        ServiceAccount(account),
        credential("other", "ci", None),
        credential(account, "ci", None),
        account_vault(account, "a: 1"),
        account_vault("other", "a: 1"),
        group("all", "root@acme.io", accounts=["other", account]),
        group(team, "root@acme.io"),
        vault(file, team, "a: 1"),
        vault("same", team, "a: 1"),
        rule(words, accounts=["other", account], groups=["all", team]),
    )


OLD = workspace("agent", "research", "settings", "vision")
NEW = workspace("trainer", "researchers", "defaults", "sight")
RENAMES = {
    Address.service_account("trainer"): Address.service_account("agent"),
    Address.group("researchers"): Address.group("research"),
    Address.vault(OwnerKind.GROUP, "researchers", "defaults"): Address.vault(
        OwnerKind.GROUP, "researchers", "settings"
    ),
    rule("sight").address: rule("vision").address,
}
MOVES = {old.address: new.address for old, new in zip(OLD, NEW, strict=True)}


def existing() -> Live:
    agent = Address.service_account("agent")
    return replace(
        live(*OLD, caller="root@acme.io"),
        caller=Caller("id-of-agent", agent, "k", "admin"),
        ambiguous={Address.credential("agent", "twice"): ("k1", "k2")},
        strangers={Address.group("research"): frozenset({"stranger"})},
        credentials={Address.credential("agent", "ci"): CredentialFacts("k", "ci")},
        credential_counts={agent: 3},
        server_rules={"made": rule("made", accounts=["agent", "other"], groups=["research", "all"])},
    )


def test_all_that_is_known_of_it_moves_with_it() -> None:
    found = under_new_names(existing(), desired(*NEW, renames=RENAMES))
    assert set(found.snapshot.resources) == {item.address for item in NEW}
    assert found.ids == {MOVES[address]: identifier for address, identifier in existing().ids.items()}
    assert found.caller == Caller("id-of-agent", Address.service_account("trainer"), "k", "admin")
    assert found.ambiguous == {Address.credential("trainer", "twice"): ("k1", "k2")}
    assert found.strangers == {Address.group("researchers"): frozenset({"stranger"})}
    assert found.credentials == {Address.credential("trainer", "ci"): CredentialFacts("k", "ci")}
    assert found.credential_counts == {Address.service_account("trainer"): 3}
    assert found.server_rules == {"made": rule("made", accounts=["trainer", "other"], groups=["researchers", "all"])}


def test_what_refers_to_it_refers_to_it_by_its_new_name() -> None:
    found = under_new_names(existing(), desired(*NEW, renames=RENAMES)).snapshot
    assert found.groups[Address.group("all")].service_accounts == {"other", "trainer"}
    words = found.access_rules[rule("sight").address]
    assert (words.service_accounts, words.groups) == ({"other", "trainer"}, {"all", "researchers"})
    assert {item.owner for item in found.vaults.values()} == {"trainer", "other", "researchers"}
    assert {item.account for item in found.credentials.values()} == {"trainer", "other"}


def test_its_own_names_are_all_that_changes(parser: DocumentParser) -> None:
    wanted = desired(*NEW, renames=RENAMES, credentials_of=["trainer", "other"], vaults_of=["trainer", "other"])
    plan = planned(wanted, live(*OLD), parser, allow=tuple(Guard)).plan
    assert {change.title: [to_builtins(edit)["before"] for edit in change.edits] for change in plan.changes} == {
        "trainer": ["agent"],
        "researchers": ["research"],
        "defaults → researchers": ["settings"],
        "sight": ["vision"],
        "trainer → trainer": ["agent"],
    }
    assert plan.possible_renames == ()


def test_the_one_who_runs_it_is_safe_under_a_new_name_too(parser: DocumentParser) -> None:
    boss = ServiceAccount("boss", admin=True)
    caller = Caller("id-service_account-boss", boss.address, None, "admin")
    wanted = desired(ROOT, ServiceAccount("chief"), renames={Address.service_account("chief"): boss.address})
    plan = planned(wanted, replace(live(ROOT, boss), caller=caller), parser).plan
    assert [item.guard for item in plan.refused] == [Guard.OWN_IDENTITY]


@pytest.mark.parametrize(
    ("declared", "there"),
    [
        pytest.param(("researchers",), ("researchers",), id="the old name is gone"),
        pytest.param(("researchers",), ("researchers", "research"), id="the new name is there already"),
        pytest.param((), ("research",), id="the new name is not declared"),
    ],
)
def test_a_rename_that_is_done_or_of_nothing_changes_nothing(declared: tuple[str, ...], there: tuple[str, ...]) -> None:
    wanted = desired(ROOT, *map(group, declared), renames={Address.group("researchers"): Address.group("research")})
    known = live(ROOT, *map(group, there))
    assert under_new_names(known, wanted) is known


def test_a_vault_of_its_own_that_has_another_name_keeps_it() -> None:
    tuned = replace(account_vault("agent", "a: 1"), name="tuned")
    renamed = replace(tuned, owner="trainer")
    wanted = desired(
        ROOT,
        ServiceAccount("trainer"),
        renamed,
        renames={Address.service_account("trainer"): Address.service_account("agent")},
    )
    found = under_new_names(live(ROOT, ServiceAccount("agent"), tuned), wanted)
    (kept,) = found.snapshot.vaults.values()
    assert isinstance(kept, Vault)
    assert (kept.name, kept.owner, kept.address) == ("tuned", "trainer", renamed.address)


def test_a_caller_who_is_nobody_known_stays_so() -> None:
    known = replace(live(*OLD), caller=Caller("id-of-nobody", None, None, "admin"))
    assert under_new_names(known, desired(*NEW, renames=RENAMES)).caller == known.caller
