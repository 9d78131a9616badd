"""The example of the page on the Python API runs and prints what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.terminal import REPOSITORY, run_script

PAGE = (REPOSITORY / "docs/reference/python-api.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_prints_what_the_page_says(tmp_path: Path) -> None:
    example, more = blocks("python")
    (printed,) = blocks("text")
    assert run_script(example + more, folder=tmp_path).stdout == printed


def test_every_function_of_the_page_is_there() -> None:
    import reconciler.commands

    (_, functions, session) = re.split(r"^## (?:Functions|The session)$", PAGE, flags=re.MULTILINE)
    names = set(re.findall(r"`([a-zA-Z_]+)`", functions.replace("`git`", "")))
    known = {name for name in names if name in reconciler.commands._HOME}
    commands = {"validate", "plan", "apply", "drift", "adopt", "fmt", "import", "effective", "access", "history"}
    assert names - known <= commands | {"unlock"}
    for field in re.findall(r"^\| `([a-z_]+)", session, re.MULTILINE):
        assert field in reconciler.commands.Session.__struct_fields__
