"""A declaration of ten thousand people is read in a moment."""

from __future__ import annotations

import gc
import time
from pathlib import Path

from ruamel.yaml import YAML


def _large(people: int, groups: int, each: int) -> str:
    lines = ["members:"]
    lines += [
        f"  - {{email: person{number:05}@acme.io, name: Person {number}, role: {'admin' if number < 5 else 'user'}}}"
        for number in range(people)
    ]
    lines.append("groups:")
    for group in range(groups):
        lines += [f"  - name: group-{group}", "    members:"]
        lines += [f"      - person{(group * 37 + number * 11) % people:05}@acme.io" for number in range(each)]
    return "\n".join(lines) + "\n"


def test_ten_thousand_members_load_faster_than_a_yaml_loader_alone_reads_them(files) -> None:
    files.top(_large(10_000, 500, 100))
    text = Path("workspace.yaml").read_text()
    begin = time.perf_counter()
    declaration = files.load()
    ours = time.perf_counter() - begin
    begin = time.perf_counter()
    YAML(typ="safe").load(text)
    theirs = time.perf_counter() - begin
    assert len(declaration.members) == 10_000
    assert gc.isenabled()
    assert ours < theirs
