"""A sandbox in memory, with a clock and randomness that the tests hold."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import httpx
import pytest
from sandbox_client import Client, Clock

from reconciler.sandbox.app import create_app
from reconciler.sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[Store]:
    numbers = itertools.count(1)
    with Store.open(":memory:", clock=clock, randomness=lambda length: f"{next(numbers):0{length}}") as opened:
        yield opened


@pytest.fixture
def admin(store: Store) -> Iterator[Client]:
    with asyncio.Runner() as runner:
        http = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(store)), base_url="http://sandbox")
        headers = {"Authorization": f"Bearer {store.session_for_admin()}"}
        yield Client(http, runner, headers)
        runner.run(http.aclose())
