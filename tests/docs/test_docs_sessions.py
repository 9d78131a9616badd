"""Every command in the README, the tutorial and the how-to pages is run, and prints what the page says."""

from __future__ import annotations

import re
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from random import SystemRandom

import pytest

from tests.support.pages import Shell, fits, parts, play, shell
from tests.support.project import EXAMPLES

ROOT = EXAMPLES.parent
PAGES = [*sorted((ROOT / "docs" / "tutorial").glob("*.md")), *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
NOT_RUN = {
    "it installs packages",
    "try.sh runs these commands",
    "it needs a cluster",
}
"""The reasons for which a block may be left out."""


@pytest.fixture(scope="session")
def port() -> int:
    """A port below those that the system hands out, so that it stays free between two pages."""
    while True:
        number = SystemRandom().randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", number)):
            return number


def start(opened: Shell) -> None:
    opened.run("reconciler sandbox serve --db ../sandbox.db --port 8008 >../exports 2>../serve.log &")
    opened.run("while ! grep -q SECRET_KEY ../exports; do sleep 0.1; done; . ../exports; export S3_KEY=k S3_SECRET=s")


@pytest.fixture(scope="session")
def applied_team(tmp_path_factory: pytest.TempPathFactory, port: int) -> Path:
    """The small example as a workspace in which everybody has signed in: the folder, and the sandbox beside it."""
    folder = tmp_path_factory.mktemp("team")
    with shell(folder, port) as opened:
        team = opened.here / "acme-ml"
        shutil.copytree(EXAMPLES / "small-team", team)
        opened.here = team
        declaration = (team / "workspace.yaml").read_text(encoding="utf-8")
        (team / "workspace.yaml").write_text(
            re.sub(r"^# yaml-lang.*\n", "", declaration).replace("https://api.clear.ml", f"http://127.0.0.1:{port}"),
            encoding="utf-8",
        )
        (team / "try.sh").unlink()
        start(opened)
        commands = ["reconciler apply --yes --allow new-admin --allow impersonation"]
        commands += [f"reconciler sandbox accept --db ../sandbox.db {name}@acme.io" for name in ("ada", "lena", "tom")]
        for command in [*commands, "reconciler apply --yes"]:
            printed = opened.run(command)
            assert "(exit code" not in printed, printed
    return folder


def open_team(opened: Shell, applied: Path) -> None:
    """Put a copy of the team's folder and its running sandbox into a shell."""
    shutil.rmtree(opened.here)
    shutil.copytree(applied / "work", opened.here)
    shutil.copy(applied / "environment", opened.state)
    opened.here = opened.here / "acme-ml"
    opened.run(f"cd {opened.here}; rm ../exports")
    opened.run("reconciler sandbox serve --db ../sandbox.db --port 8008 2>../serve.log &")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_print_what_it_says(
    page: Path, tmp_path: Path, port: int, request: pytest.FixtureRequest
) -> None:
    text = page.read_text(encoding="utf-8")
    with shell(tmp_path, port) as opened:
        if "<!-- team -->" in text:
            open_team(opened, request.getfixturevalue("applied_team"))
        played = play(text, opened)
    if request.config.getoption("--update-golden"):
        page.write_text(played, encoding="utf-8")
    else:
        assert played == text, "pytest --update-golden tests/docs writes what is printed now; read the diff"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_leaves_out_nothing_without_a_reason(page: Path) -> None:
    for part in parts(page.read_text(encoding="utf-8")):
        assert part.what not in {"sh", "bash", "shell"}, "commands are in `console` blocks"
        if part.what == "not run":
            assert part.about in NOT_RUN


@pytest.mark.parametrize(
    ("expected", "printed", "answer"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\n", False),
        ("a\n…\nz\n", "a\nb\nc\nz\n", True),
        ("a\n…\nz\n", "a\nz\n", True),
        ("a\n…\n", "a\nb\n", True),
        ("…\n", "a\nb\n", True),
        ("…\n", "a\nb\n(exit code 1)\n", False),
        ("…\n(exit code 1)\n", "a\nb\n(exit code 1)\n", True),
        ("a\n…\nz\n", "b\nz\n", False),
        ("applied b\napplied a\nend\n", "applied a\napplied b\nend\n", True),
        ("http://127.0.0.1:8008\n", "http://127.0.0.1:40123\n", True),
    ],
)
def test_an_ellipsis_stands_for_any_lines(expected: str, printed: str, *, answer: bool) -> None:
    assert fits(expected, printed) is answer
