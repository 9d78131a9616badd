"""The list of credentials: columns for people, JSON for machines. Access keys are shown in part only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.text import harmless, json_document
from reconciler.plan.credential_report import CredentialLine, Standing
from reconciler.views.columns import columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from reconciler.views.palette import Palette

_HEAD = ("ACCOUNT", "LABEL", "STANDING", "KEY", "AGE", "EXPIRES", "LAST USED")
_SHOWN = 4


def render_credentials(lines: Sequence[CredentialLine], palette: Palette) -> str:
    """Return one line per credential."""
    if not lines:
        return "There are no credentials of service accounts.\n"
    rows = [
        (
            harmless(line.account),
            harmless(line.label),
            line.standing.value,
            masked_key(line.access_key),
            _days(line.age_days),
            _end(line),
            _use(line),
        )
        for line in lines
    ]
    styles = [_style(line.standing, palette) for line in lines]
    head, *body = columns([_HEAD, *rows])
    return f"{palette.quiet(head)}\n" + "".join(f"{style(row)}\n" for style, row in zip(styles, body, strict=True))


def _style(standing: Standing, palette: Palette) -> Callable[[str], str]:
    return palette.change if standing in (Standing.DUE, Standing.UNDELIVERED, Standing.MISSING) else str


def masked_key(access_key: str | None) -> str:
    """Return an access key with its middle left out: enough to tell it, too little to use it."""
    if access_key is None:
        return "-"
    key = harmless(access_key)
    return f"{key[:_SHOWN]}…{key[-_SHOWN:]}" if len(key) > 3 * _SHOWN else "…"


def _days(days: int | None) -> str:
    return "-" if days is None else f"{days}d" if days > 0 else "today"


def _end(line: CredentialLine) -> str:
    if line.expires is None or line.expires_in_days is None:
        return "never" if line.access_key else "-"
    when = f"{line.expires:%Y-%m-%d}"
    return f"{when} (expired)" if line.expires_in_days < 0 else f"{when} (in {_within(line.expires_in_days)})"


def _within(days: int) -> str:
    return f"{days}d" if days > 0 else "less than a day"


def _use(line: CredentialLine) -> str:
    if line.last_used is None:
        return "never" if line.access_key else "-"
    where = f" from {harmless(line.last_used_from)}" if line.last_used_from else ""
    return f"{line.last_used:%Y-%m-%d}{where}"


def credentials_json(lines: Sequence[CredentialLine]) -> str:
    """Return the list as one JSON document."""
    entries = [
        {
            "account": line.account,
            "label": line.label,
            "standing": line.standing.value,
            "access_key": masked_key(line.access_key) if line.access_key else None,
            "age_days": line.age_days,
            "expires": _moment(line.expires),
            "expires_in_days": line.expires_in_days,
            "last_used": _moment(line.last_used),
            "last_used_from": line.last_used_from,
        }
        for line in lines
    ]
    return json_document({"credentials": entries})


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
