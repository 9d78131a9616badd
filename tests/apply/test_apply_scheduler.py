from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from reconciler.apply.scheduler import run_all
from reconciler.errors import AnswerLostError, UsageError
from reconciler.model.resources import Kind
from reconciler.plan.changes import Action, Change, Reason
from reconciler.plan.operations import Operation, OperationKind
from reconciler.plan.outcomes import Outcome, Report, Result


def operation(name: str) -> Operation:
    change = Change(action=Action.CREATE, kind=Kind.GROUP, key=(name,), title=name, reason=Reason.DECLARED)
    return Operation(OperationKind.CREATE_GROUP, change)


@dataclass
class Stage:
    """Runs operations by name; ``needs`` are dependencies, ``ends`` the errors that some of them end with."""

    needs: Mapping[str, str] = field(default_factory=dict)
    ends: Mapping[str, Exception] = field(default_factory=dict)
    stop_after: str | None = None
    slow: str | None = None
    concurrency: int = 4
    started: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    most_at_once: int = 0
    under_way: int = 0

    def run(self, names: str) -> dict[str, Result]:
        return asyncio.run(self._run([operation(name) for name in names]))

    async def _run(self, operations: list[Operation]) -> dict[str, Result]:
        stop = asyncio.Event()
        by_name = {item.change.title: item for item in operations}
        dependencies = {
            item.identity: frozenset(by_name[name].identity for name in self.needs.get(item.change.title, ""))
            for item in operations
        }

        async def perform(item: Operation) -> None:
            name = item.change.title
            self.started.append(name)
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
            await asyncio.sleep(0.05 if name == self.slow else 0.001)
            self.under_way -= 1
            if name == self.stop_after:
                stop.set()
            if name in self.ends:
                raise self.ends[name]

        results: list[Result] = []
        async for result in run_all(operations, dependencies, perform, concurrency=self.concurrency, stop=stop):
            results.append(result)
            self.heard.append(result.operation.change.title)
        report = Report.of(results, operations, interrupted=stop.is_set())
        assert [result.operation for result in report.results] == operations
        assert sorted(self.heard) == sorted(by_name)
        return {result.operation.change.title: result for result in report.results}


def outcomes(results: dict[str, Result]) -> dict[str, str]:
    return {name: result.outcome.value for name, result in results.items()}


def test_everything_is_carried_out_and_told_in_the_given_order() -> None:
    assert outcomes(Stage().run("cab")) == {"c": "applied", "a": "applied", "b": "applied"}


def test_nothing_to_do_is_done_at_once() -> None:
    assert Stage().run("") == {}


def test_dependencies_go_first_whatever_the_order() -> None:
    stage = Stage(needs={"a": "b", "b": "cd"})
    stage.run("abcd")
    assert stage.started.index("b") > max(stage.started.index("c"), stage.started.index("d"))
    assert stage.started.index("a") > stage.started.index("b")


def test_independent_operations_run_side_by_side_within_the_limit() -> None:
    wide, narrow = Stage(concurrency=3), Stage(concurrency=1)
    wide.run("abcdefgh")
    narrow.run("abcdefgh")
    assert (wide.most_at_once, narrow.most_at_once) == (3, 1)


def test_what_is_ready_is_started_in_the_given_order() -> None:
    stage = Stage(concurrency=1)
    stage.run("fbdaec")
    assert stage.started == list("fbdaec")


def test_nothing_waits_for_what_it_does_not_depend_on() -> None:
    stage = Stage(needs={"c": "b"}, slow="a")
    stage.run("abc")
    assert stage.heard == ["b", "c", "a"]


def test_what_depends_on_a_failure_is_skipped_with_all_its_dependents() -> None:
    stage = Stage(needs={"b": "a", "c": "b"}, ends={"a": UsageError("no")})
    results = stage.run("abc")
    assert outcomes(results) == {"a": "failed", "b": "skipped", "c": "skipped"}
    assert stage.started == ["a"]
    assert results["a"].message == "no"
    assert results["b"].message == "waits for: create group a"


def test_an_unrelated_failure_delays_and_skips_nothing() -> None:
    stage = Stage(needs={"c": "b"}, ends={"a": UsageError("no")})
    assert outcomes(stage.run("abc")) == {"a": "failed", "b": "applied", "c": "applied"}


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("a", "waits for: create group a"),
        ("ba", "waits for: create group b and 1 more"),
        ("bca", "waits for: create group b and 2 more"),
    ],
)
def test_missing_dependencies_are_told_by_the_first_and_their_number(missing: str, message: str) -> None:
    stage = Stage(needs={"d": "".join(sorted(missing))}, ends={name: UsageError("no") for name in missing})
    assert stage.run(missing + "d")["d"].message == message


def test_a_lost_answer_is_unknown_and_skips_dependents() -> None:
    stage = Stage(needs={"b": "a"}, ends={"a": AnswerLostError("nobody can tell")})
    results = stage.run("ab")
    assert outcomes(results) == {"a": "unknown", "b": "skipped"}
    assert results["a"].message == "nobody can tell"


def test_a_stop_lets_what_is_under_way_finish_and_starts_nothing_more() -> None:
    stage = Stage(stop_after="b", concurrency=2)
    results = stage.run("abcdef")
    assert {outcomes(results)[name] for name in "ab"} == {"applied"}
    assert {outcomes(results)[name] for name in "def"} == {"skipped"}
    assert results["f"].message == "the run was stopped"


def test_a_defect_of_ours_fails_its_operation_and_stops_the_run() -> None:
    stage = Stage(ends={"a": RuntimeError("hunter2")}, concurrency=1)
    results = stage.run("ab")
    assert outcomes(results) == {"a": "failed", "b": "skipped"}
    assert "RuntimeError" in results["a"].message
    assert "hunter2" not in results["a"].message
    assert results["a"].trace.startswith("Traceback")


def test_a_long_chain_is_no_problem() -> None:
    names = [chr(0x4E00 + number) for number in range(300)]
    stage = Stage(needs=dict(zip(names[1:], names, strict=False)))
    results = stage.run("".join(names))
    assert {result.outcome for result in results.values()} == {Outcome.APPLIED}
    assert stage.started == names
