from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.vaults.parse import DocumentParser
from tests.contract import judge
from tests.contract.watching import watch_sandboxes
from tests.support.project import Project, example_project, new_project
from tests.support.sandboxes import Sandbox, new_sandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Rewrite the golden files; read the diff.")
    parser.addoption("--all-faults", action="store_true", help="Let every call fail in every way, not a sample.")


@pytest.fixture(scope="session", autouse=True)
def _watched_sandboxes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        watch_sandboxes(patch)
        yield


@pytest.fixture(autouse=True)
def _published_contract(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test is about: what our client sends and what the sandbox answers fits the published contract."""
    yield
    violations = judge.violations()
    if request.node.get_closest_marker("unpublished"):
        assert violations, "everything fitted the published contract: take the mark away"
        return
    assert not violations, "outside the published contract:\n" + "\n".join(violations)


@pytest.fixture(scope="session")
def parser() -> Iterator[DocumentParser]:
    with DocumentParser() as opened:
        yield opened


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with a golden file beside the test, or rewrites that file with ``--update-golden``."""
    folder = Path(request.path).parent / "golden"

    def check(name: str, text: str) -> None:
        path = folder / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return new_sandbox(tmp_path / "sandbox.db")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


@pytest.fixture
def small_team(tmp_path: Path) -> Project:
    """The small example beside an empty sandbox, with its variables set."""
    return example_project(tmp_path, "small-team", S3_KEY="AKIA-small-team", S3_SECRET="hunter2-small-team")
