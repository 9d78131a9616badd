"""Each example is valid, and brings an empty sandbox to what it declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.declaration.load import load
from reconciler.vaults.parse import DocumentParser
from tests.support.project import EXAMPLES, Project, complete_example

FOLDERS = sorted(path.parent.name for path in EXAMPLES.glob("*/workspace.yaml"))


@pytest.fixture(params=FOLDERS)
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    return complete_example(tmp_path, request.param)


def test_it_is_valid_without_a_warning(example: Project) -> None:
    result = example.run("validate", "--format", "json")
    assert (result.code, result.json["problems"]) == (0, []), result


def test_it_converges_on_an_empty_sandbox(example: Project) -> None:
    server = ("--server", example.sandbox.server)
    assert example.run("plan", "--detailed-exitcode", *server).code == 2
    assert example.apply(*server).code == 0
    waiting = example.run("plan", "--detailed-exitcode", *server)
    assert waiting.code == 0, waiting
    assert "Waiting:" in waiting.stdout

    example.sandbox.accept(*example.sandbox.truth().invited)
    assert example.apply(*server).code == 0
    result = example.run("drift", *server)
    assert result.code == 0, result
    assert "Waiting:" not in result.stdout


def test_no_two_vaults_of_it_disagree_about_anybody(example: Project, parser: DocumentParser) -> None:
    declaration = load(example.folder / "workspace.yaml", documents=parser)
    people = [entry.item.email for entry in declaration.members or ()]
    for who in people + [entry.item.name for entry in declaration.service_accounts or ()]:
        result = example.run("effective", who)
        assert (result.code, "Conflict" in result.stdout) == (0, False), result


def test_every_document_of_it_is_used(example: Project, parser: DocumentParser) -> None:
    declaration = load(example.folder / "workspace.yaml", documents=parser)
    used = {Path(file).resolve() for file in declaration.files}
    there = {path.resolve() for path in (example.folder / "vaults").rglob("*") if path.is_file()}
    assert there <= used


def test_every_delivered_key_signs_in(example: Project) -> None:
    assert example.apply("--server", example.sandbox.server).code == 0
    delivered = sorted((example.folder / "out").glob("*.conf"))
    assert delivered
    for path in delivered:
        assert path.stat().st_mode & 0o777 == 0o600
        words = path.read_text(encoding="utf-8").split()
        key, secret = (words[words.index(f"{name}:") + 1].strip('"') for name in ("access_key", "secret_key"))
        assert example.sandbox.sign_in(key, secret) == 200
