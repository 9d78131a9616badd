from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.plan.credential_report import CredentialLine, Standing
from reconciler.views.credentials import render_credentials
from reconciler.views.palette import Palette

END = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "left", "told"),
    [
        (0, 0, ("today", "2026-11-24 (in less than a day)")),
        (1, 1, ("1d", "2026-11-24 (in 1d)")),
        (90, -1, ("90d", "2026-11-24 (expired)")),
    ],
)
def test_times_are_told_in_days_and_none_as_nought(age: int, left: int, told: tuple[str, str]) -> None:
    line = CredentialLine(
        "agent", "ci", Standing.DECLARED, "ABCDEFGHIJKLMNOP", age_days=age, expires=END, expires_in_days=left
    )
    shown = render_credentials([line], Palette(False))
    assert all(words in shown for words in told)
