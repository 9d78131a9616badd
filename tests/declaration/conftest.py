"""A folder with a declaration in it, and what loading it says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.declaration.load import load
from reconciler.errors import InvalidDeclarationError, Problem
from reconciler.vaults.parse import DocumentParser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.declaration.declaration import Declaration

TOP = "version: 1\nworkspace: {name: acme, server: 'https://api.acme.io'}\n"


class Files:
    """Files in the current folder; a top text without `version` gets the first two lines that every one needs."""

    def __init__(self, parser: DocumentParser) -> None:
        self._parser = parser

    def write(self, name: str, content: str | bytes) -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def top(self, text: str) -> None:
        self.write("workspace.yaml", TOP + text)

    def load(self, name: str = "workspace.yaml") -> Declaration:
        return load(Path(name), documents=self._parser)

    def loaded(self, text: str) -> Declaration:
        self.top(text)
        return self.load()

    def problems(self, name: str = "workspace.yaml") -> tuple[Problem, ...]:
        with pytest.raises(InvalidDeclarationError) as caught:
            self.load(name)
        return caught.value.problems

    def told(self, name: str = "workspace.yaml") -> list[str]:
        return [f"{problem.place}: {problem.message}" for problem in self.problems(name)]

    def told_of(self, text: str) -> list[str]:
        self.top(text)
        return self.told()


@pytest.fixture(scope="session")
def parser() -> Iterator[DocumentParser]:
    with DocumentParser() as parser:
        yield parser


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parser: DocumentParser) -> Files:
    monkeypatch.chdir(tmp_path)
    return Files(parser)
