"""``reconciler history`` and ``reconciler unlock``: they need no server."""

from __future__ import annotations

from pathlib import Path

import pytest
from record_support import ACME, NOON, keep_record, lock_of, record_path, run_entry

from reconciler.plan.outcomes import Outcome
from reconciler.record.document import Commit, OperationEntry, Record, Who
from reconciler.record.lock import SUFFIX
from tests.support.project import Project

HOSTILE = "eve\x1b[31m\u202e@acme.io"


def keep(project: Project, *runs: object, name: str = "acme.json", lock: str | None = None) -> Path:
    folder = project.folder / ".reconciler"
    folder.mkdir(exist_ok=True)
    path = folder / name
    keep_record(path, Record(workspace=ACME, runs=runs))  # type: ignore[arg-type]
    if lock is not None:
        path.with_name(name + SUFFIX).write_bytes(lock_of(lock, boot="another machine").to_bytes())
    return path


def invited(title: str, outcome: Outcome | None = Outcome.APPLIED, message: str = "") -> OperationEntry:
    return OperationEntry(operation="invite", kind="member", title=title, outcome=outcome, message=message)  # type: ignore[arg-type]


RUNS = (
    run_entry("20260301T120000Z-cccccc", operations=(invited("tom@acme.io", None),), total=1),
    run_entry(
        "20260301T110000Z-bbbbbb",
        finished=NOON,
        who=Who(user="ci-bot", started_by="octocat"),
        commit=Commit(sha="0123456789abcdef", dirty=True),
        counts={Outcome.APPLIED: 2, Outcome.FAILED: 1},
        operations=(invited("ada@acme.io"), invited("bob@acme.io", Outcome.FAILED, "no more members")),
        total=3,
        remaining=1,
        allowed=("max-removals",),
    ),
    run_entry("20260301T100000Z-aaaaaa", finished=NOON, remaining=0, counts={Outcome.APPLIED: 9}, total=9),
)


def test_runs_are_listed_the_newest_first(project: Project) -> None:
    keep(project, *RUNS)
    result = project.run("history")
    assert result.code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "acme-ml   https://api.acme.io"
    assert lines[1].split("  ")[0] == "RUN"
    assert lines[2].endswith("not finished")
    assert lines[3].split() == (
        [
            "20260301T110000Z-bbbbbb",
            "2026-03-01",
            "12:00:00",
            "ci-bot",
            "(octocat)",
            "0123456789",
            "+",
            "changes",
            "2",
            "1",
            "0",
            "0",
            "1",
            "change",
            "left",
        ]
    )
    assert lines[4].endswith("converged")


def test_the_limit_says_what_it_leaves_out(project: Project) -> None:
    keep(project, *RUNS)
    shown = project.run("history", "--limit", "1").stdout
    assert "cccccc" in shown
    assert "bbbbbb" not in shown
    assert "2 older runs not shown (--limit)." in shown


def test_one_run_is_shown_with_its_operations(project: Project) -> None:
    keep(project, *RUNS)
    shown = project.run("history", "--run", "20260301T11").stdout
    assert "by        ci-bot (octocat)" in shown
    assert "allowed   max-removals" in shown
    assert "applied   invite ada@acme.io\n" in shown
    assert "failed    invite bob@acme.io: no more members\n" in shown
    assert "1 operation no longer kept." in shown
    assert "unknown   invite tom@acme.io" in project.run("history", "--run", "20260301T12").stdout


@pytest.mark.parametrize(("wanted", "said"), [("2025", "there is no run"), ("2026", "3 runs have an id")])
def test_an_id_that_means_no_single_run_is_wrong_usage(project: Project, wanted: str, said: str) -> None:
    keep(project, *RUNS)
    result = project.run("history", "--run", wanted)
    assert result.code == 64
    assert said in result.stderr


def test_as_json_it_has_everything(project: Project) -> None:
    keep(project, *RUNS, lock="20260301T120000Z-cccccc")
    shown = project.run("history", "--format", "json").json
    assert shown["format"] == "clearml-reconciler/history/1"
    assert shown["running"] == "20260301T120000Z-cccccc"
    assert [run["id"][-6:] for run in shown["runs"]] == ["cccccc", "bbbbbb", "aaaaaa"]
    assert shown["runs"][1]["operations"][1]["outcome"] == "failed"


def test_a_run_that_holds_the_lock_is_running(project: Project) -> None:
    keep(project, *RUNS, lock="20260301T120000Z-cccccc")
    assert project.run("history").stdout.splitlines()[2].endswith("running")


def row_of(project: Project) -> list[str]:
    """Return the counts of the newest run: applied, failed, skipped, unknown."""
    lines = project.run("history").stdout.splitlines()
    return lines[2][lines[1].index("APPLIED") :].split()[:4]


@pytest.mark.parametrize(
    ("counts", "total", "shown"),
    [
        ({Outcome.APPLIED: 3}, 4, ["3", "0", "0", "1"]),
        ({}, 6000, ["0", "0", "0", "6000"]),
        ({Outcome.APPLIED: 1, Outcome.FAILED: 1, Outcome.UNKNOWN: 1}, 7, ["1", "1", "0", "5"]),
    ],
)
def test_of_a_run_that_was_killed_every_operation_without_an_end_is_unknown(
    counts: dict[Outcome, int], total: int, shown: list[str], project: Project
) -> None:
    keep(project, run_entry("20260301T120000Z-cccccc", counts=counts, total=total))
    assert row_of(project) == shown
    told = project.run("history", "--format", "json").json["runs"][0]["counts"]
    assert told["unknown"] == int(shown[-1])


def test_what_a_run_that_is_under_way_has_not_done_yet_is_not_unknown(project: Project) -> None:
    run = run_entry(
        "20260301T120000Z-cccccc", counts={Outcome.APPLIED: 1}, operations=(invited("a@b.c", None),), total=2
    )
    keep(project, run, lock="20260301T120000Z-cccccc")
    assert row_of(project) == ["1", "0", "0", "0"]
    assert "not ended invite a@b.c" in project.run("history", "--run", "2026").stdout


def test_hostile_names_are_shown_harmless(project: Project) -> None:
    keep(project, run_entry("run", who=Who(user=HOSTILE, started_by=HOSTILE), operations=(invited(HOSTILE),), total=1))
    for options in ((), ("--run", "run")):
        shown = project.run("history", *options).stdout
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "eve\\x1b[31m\\u202e@acme.io" in shown


def test_a_damaged_record_is_told_and_left_as_it_is(project: Project) -> None:
    path = keep(project, *RUNS)
    path.write_bytes(path.read_bytes()[:-40])
    before = path.read_bytes()
    result = project.run("history")
    assert result.code == 4
    assert "is damaged: it is not complete JSON" in result.stderr
    assert "--record" in result.stderr
    assert path.read_bytes() == before


def test_where_there_is_no_record_yet_that_is_said(project: Project) -> None:
    result = project.run("history")
    assert result.code == 64
    assert "there is no record in .reconciler" in result.stderr


def test_of_several_records_one_has_to_be_chosen(project: Project) -> None:
    keep(project, *RUNS)
    keep(project, name="other.json")
    result = project.run("history")
    assert result.code == 64
    assert "--record .reconciler/acme.json" in result.stderr
    assert "Nothing has been applied yet." in project.run("history", "--record", ".reconciler/other.json").stdout


def test_unlocking_asks_first_and_shows_who_holds_the_lock(project: Project) -> None:
    path = keep(project, *RUNS, lock="20260301T120000Z-cccccc")
    lock = path.with_name(path.name + SUFFIX)
    refused = project.run("unlock")
    assert refused.code == 64
    assert lock.exists()
    done = project.run("unlock", "--yes")
    assert done.code == 0
    assert "Locked by root@acme.io" in done.stderr
    assert "its lease lasts until 12:10 UTC" in done.stderr
    assert not lock.exists()
    assert "not locked" in project.run("unlock", "--yes").stderr


@pytest.mark.parametrize("content", [b"{", b'{"format": "\xff"}', b"[" * 100_000])
def test_a_lock_that_cannot_be_read_can_be_broken_too(content: bytes, project: Project) -> None:
    path = keep(project, *RUNS)
    lock = path.with_name(path.name + SUFFIX)
    lock.write_bytes(content)
    result = project.run("unlock", "--yes")
    assert result.code == 0
    assert "cannot be read" in result.stderr
    assert not lock.exists()


def test_a_lock_without_a_record_is_found(project: Project) -> None:
    path = keep(project, lock="x")
    path.unlink()
    assert project.run("unlock", "--yes").code == 0
    assert list(path.parent.iterdir()) == []


def test_the_record_of_a_project_is_found_by_its_declaration(project: Project) -> None:
    project.declare("groups: []\nmembers: [{email: root@acme.io, role: admin}]\n")
    project.converge()
    assert record_path(project).name.startswith("acme-ml-")
    assert "Nothing has been applied yet." in project.run("history", "workspace.yaml").stdout


def test_each_of_two_declarations_in_a_folder_has_its_own_history(project: Project) -> None:
    project.declare("groups: [{name: ops}]")
    other = (project.folder / "workspace.yaml").read_text().replace("acme-ml", "acme-staging")
    project.write_file("staging.yaml", other)
    for file in ("workspace.yaml", "staging.yaml"):
        assert project.apply(file).code in (0, 6)
    assert project.run("history").stdout.startswith("acme-ml ")
    assert project.run("history", "staging.yaml").stdout.startswith("acme-staging ")
    project.write_file("elsewhere.yaml", "workspace: {name: acme-elsewhere}\n")
    refused = project.run("history", "elsewhere.yaml")
    assert (refused.code, "there are several records" in refused.stderr) == (64, True)
