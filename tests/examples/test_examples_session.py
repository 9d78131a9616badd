"""The example's script prints what the tutorial says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pages import fits, parts
from tests.support.project import EXAMPLES

PAGE = EXAMPLES.parent / "docs" / "tutorial" / "session.md"


def test_the_session_is_what_the_script_prints(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    shutil.copytree(EXAMPLES / "small-team", tmp_path / "examples" / "small-team")
    environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", tmp_path / "examples" / "small-team" / "try.sh"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    printed = abridged(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8008", done.stdout))
    page = PAGE.read_text(encoding="utf-8")
    (shown,) = [part.text for part in parts(page) if part.about == "try.sh runs these commands"]
    if request.config.getoption("--update-golden") and not fits(shown, printed):
        PAGE.write_text(page.replace(shown, printed), encoding="utf-8")
    else:
        assert fits(shown, printed), printed
    assert list((EXAMPLES / "small-team").glob("*.before")) == []


def abridged(session: str) -> str:
    """Return a session without the plans that `apply` shows again: each becomes a line with `…`."""
    return (
        re.sub(r"(\$ reconciler apply [^\n]*\n).*?(?=applied )", r"\1…\n", session, flags=re.DOTALL).rstrip("\n") + "\n"
    )
