from __future__ import annotations

import pytest

from reconciler.plan.document import Plan
from reconciler.vaults.parse import DocumentParser
from tests.views.rich_plan import rich_plan


@pytest.fixture(scope="session")
def review(parser: DocumentParser) -> Plan:
    """A plan with something of everything in it."""
    return rich_plan(parser)
