"""One parser for all vault tests of a process: its child and its cache are what a run would have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.vaults.parse import DocumentParser

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def parser() -> Iterator[DocumentParser]:
    with DocumentParser() as parser:
        yield parser
