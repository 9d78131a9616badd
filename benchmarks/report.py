"""Results as Markdown for people and JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from benchmarks.goals import APPLY, START, Verdict
from benchmarks.measure import Measured, Run


class Kept(NamedTuple):
    """What was found, by size: figures, API calls, and why a peer was left out."""

    measured: dict[int, dict[str, Measured]]
    calls: dict[int, dict[str, int]]
    left_out: dict[str, str]


def markdown(kept: Kept, verdicts: list[Verdict], growth: Mapping[str, float], repeat: int) -> str:
    """Return the report: goals first, then every figure."""
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of {repeat} runs in turn."
    lines = [
        "# Results of `python -m benchmarks`",
        "",
        f"{machine} Only the ratios mean something elsewhere.",
        "`noise` is the slowest run less the fastest one, as a share of the median.",
        "",
        "| goal | limit | by the clock | by processor time | met |",
        "|---|---|---|---|---|",
        *(verdict.row() for verdict in verdicts),
        "",
    ]
    lines += [f"Left out: {name}: {why}." for name, why in sorted(kept.left_out.items())]
    for size, jobs in sorted(kept.measured.items()):
        title = {START: "Start-up, and a slow server", APPLY: "Apply of 1 000 new groups"}.get(
            size, f"{size:,} principals".replace(",", " ")
        )
        lines += [
            "",
            f"## {title}",
            "",
            "| what | wall s | CPU s | peak MiB | noise | API calls |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(name, one, kept.calls.get(size, {}).get(name)) for name, one in jobs.items()]
    if growth:
        lines += ["", "## Growth", "", "| what | exponent, from 1 000 up |", "|---|---|"]
        lines += [f"| {name} | {exponent:.2f} |" for name, exponent in growth.items()]
    return "\n".join(lines) + "\n"


def _row(name: str, one: Measured, calls: int | None) -> str:
    shown = "" if calls is None else str(calls)
    return f"| {name} | {one.wall:.3f} | {one.cpu:.3f} | {one.memory:.0f} | {one.noise:.0%} | {shown} |"


def write(folder: Path, text: str, kept: Kept, verdicts: list[Verdict], growth: Mapping[str, float]) -> None:
    """Write ``results.md`` and ``results.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(text, encoding="utf-8")
    runs = {
        size: {name: [asdict(run) for run in one.runs] for name, one in jobs.items()}
        for size, jobs in kept.measured.items()
    }
    content = {
        "goals": [verdict.plain() for verdict in verdicts],
        "growth": growth,
        "runs": runs,
        "calls": kept.calls,
        "left_out": kept.left_out,
    }
    _results(folder).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(folder: Path) -> Kept:
    """Return what an earlier run wrote into a folder."""
    content = json.loads(_results(folder).read_text(encoding="utf-8"))
    measured = {
        int(size): {name: Measured(tuple(Run(**run) for run in runs)) for name, runs in jobs.items()}
        for size, jobs in content["runs"].items()
    }
    calls = {int(size): jobs for size, jobs in content["calls"].items()}
    return Kept(measured, calls, content["left_out"])


def _results(folder: Path) -> Path:
    return folder / "results.json"
