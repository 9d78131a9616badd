from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.vaults.parse import DocumentParser


@pytest.fixture(scope="session")
def parser() -> Iterator[DocumentParser]:
    with DocumentParser() as opened:
        yield opened
