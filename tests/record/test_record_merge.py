"""How a record grows."""

from __future__ import annotations

from datetime import timedelta

from record_support import ACME, NOON, run_entry

from reconciler.model.resources import Address, Resource
from reconciler.model.snapshot import Snapshot
from reconciler.plan.changes import Action, Change, Reason
from reconciler.plan.documents import DocumentComparison
from reconciler.record.document import OperationEntry, Record
from reconciler.record.merge import KEPT_OPERATIONS, KEPT_RUNS, Sight, with_run, with_sight
from reconciler.vaults.parse import DocumentParser
from tests.build import KEY, group, live

EMPTY = Record(workspace=ACME)
OPERATORS = Address.group("operators")


def sight(*resources: Resource, declared: tuple[Address, ...] = (OPERATORS,), **fields: object) -> Sight:
    known = {"remaining": (), "touched": (), "documents": DocumentComparison(DocumentParser(), KEY), "seen": NOON}
    wanted = Snapshot({address: group(address.key[0]) for address in declared})
    return Sight(live=live(*resources), declared=wanted, **(known | fields))  # type: ignore[arg-type]


def change(action: Action, address: Address = OPERATORS) -> Change:
    return Change(action=action, kind=address.kind, key=address.key, title="operators", reason=Reason.DIFFERS)


def members_of(record: Record) -> set[str]:
    found = record.resource(OPERATORS)
    members = found.fields["members"] if found else ()
    assert isinstance(members, tuple)
    return set(members)


ADA = with_sight(EMPTY, sight(group("operators", "ada@acme.io")))
BOB_IS_IN = group("operators", "ada@acme.io", "bob@acme.io")


def test_what_is_as_declared_counts_as_applied() -> None:
    assert members_of(ADA) == {"ada@acme.io"}


def test_what_somebody_else_changed_keeps_what_was_known() -> None:
    after = with_sight(ADA, sight(BOB_IS_IN, remaining=(change(Action.UPDATE),)))
    assert members_of(after) == {"ada@acme.io"}


def test_what_differs_and_was_never_applied_stays_unknown() -> None:
    assert members_of(with_sight(EMPTY, sight(BOB_IS_IN, remaining=(change(Action.UPDATE),)))) == set()


def test_what_this_run_has_touched_is_kept_as_it_is_now() -> None:
    after = with_sight(ADA, sight(BOB_IS_IN, remaining=(change(Action.UPDATE),), touched=(OPERATORS,)))
    assert members_of(after) == {"ada@acme.io", "bob@acme.io"}


def test_what_is_gone_but_declared_keeps_what_was_known() -> None:
    assert members_of(with_sight(ADA, sight(remaining=(change(Action.CREATE),)))) == {"ada@acme.io"}


def test_what_is_still_to_be_removed_keeps_what_was_known() -> None:
    after = with_sight(ADA, sight(BOB_IS_IN, declared=(), remaining=(change(Action.DELETE),)))
    assert members_of(after) == {"ada@acme.io"}


def test_what_was_removed_or_is_no_longer_managed_is_forgotten() -> None:
    assert with_sight(ADA, sight(declared=())).resources == ()
    assert with_sight(ADA, sight(BOB_IS_IN, declared=())).resources == ()


def test_an_older_sight_never_replaces_a_newer_one() -> None:
    newer = with_sight(ADA, sight(BOB_IS_IN, seen=NOON + timedelta(hours=1)))
    assert with_sight(newer, sight(group("operators"))) == newer


def test_the_same_sight_later_changes_nothing() -> None:
    assert with_sight(ADA, sight(group("operators", "ada@acme.io"), seen=NOON + timedelta(days=1))) is ADA


def test_the_newest_run_comes_first_and_the_oldest_fall_out() -> None:
    record = EMPTY
    for number in range(KEPT_RUNS + 5):
        record = with_run(record, run_entry(f"run-{number}"))
    assert len(record.runs) == KEPT_RUNS
    assert record.runs[0].id == f"run-{KEPT_RUNS + 4}"
    assert record.runs[-1].id == "run-5"


def test_a_run_is_replaced_where_it_stands() -> None:
    record = with_run(with_run(EMPTY, run_entry("a")), run_entry("b"))
    again = with_run(record, run_entry("a", finished=NOON))
    assert [run.id for run in again.runs] == ["b", "a"]
    assert again.runs[1].finished == NOON


def test_old_runs_keep_their_counts_when_their_operations_are_too_many() -> None:
    operation = OperationEntry(operation="invite", kind=OPERATORS.kind, title="x")
    many = (operation,) * (KEPT_OPERATIONS - 10)
    record = with_run(EMPTY, run_entry("old", operations=many, total=len(many)))
    record = with_run(record, run_entry("new", operations=(operation,) * 20, total=20))
    assert [(run.id, len(run.operations), run.total) for run in record.runs] == [("new", 20, 20), ("old", 0, len(many))]
