"""The options of ``drift`` that say what deserves attention, what fails, and who is notified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import gather, stacked
from reconciler.declaration.values import parse_duration
from reconciler.drift.attention import Limits
from reconciler.drift.report import AttentionKind, DriftClass
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from reconciler.cli.options import Command
    from reconciler.drift.report import Drift

_NONE = "none"
_ATTENTION = "attention"
_OFF = "off"
_CLASSES = tuple(item.value for item in DriftClass)
_CHOICES = (*_CLASSES, _ATTENTION, *(item.value for item in AttentionKind))


def _duration(_: click.Context, __: click.Parameter, value: str) -> timedelta | None:
    """Read a duration, or ``off``."""
    if value == _OFF:
        return None
    try:
        return parse_duration(value)
    except (ValueError, OverflowError):
        raise click.BadParameter("must be off, or a whole number and m, h, d or w, like 14d") from None


def _failing(_: click.Context, __: click.Parameter, value: str) -> frozenset[str]:
    """Read names between commas."""
    names = {part.strip() for part in value.split(",")}
    if names == {_NONE}:
        return frozenset()
    if names - set(_CHOICES):
        raise click.BadParameter(f"choose among {', '.join(_CHOICES)}, or {_NONE}")
    return frozenset(names)


class DriftOutput(Frozen):
    """What fails the check, and where the result goes beside people."""

    fail_on: frozenset[str]
    output_format: str
    metrics: Path | None
    issue_body: Path | None

    def fails(self, drift: Drift) -> bool:
        """Return whether anything is found that the check is to fail on."""
        found = {item.value for item in drift.classes} | {item.what.value for item in drift.attention}
        return bool(found & self.fail_on) or (_ATTENTION in self.fail_on and bool(drift.attention))


class Notification(Frozen):
    """Who is notified of drift, and the file with the secret that signs it."""

    notify: tuple[str, ...]
    notify_secret_file: Path | None


def _limit(name: str, default: str, sentence: str) -> Callable[[Command], Command]:
    return click.option(name, callback=_duration, default=default, show_default=True, metavar="TIME|off", help=sentence)


limit_options = stacked(
    _limit("--expiring-within", "14d", "Report credentials that expire within this time."),
    _limit("--unused-for", "90d", "Report credentials that were not used for this time."),
    _limit("--pending-for", "14d", "Report invitations that nobody accepted for this time."),
    _limit("--inactive-for", "180d", "Report admins who were not active for this time."),
    gather("limits", Limits),
)
"""The options that say how long is too long; they become one ``limits``."""

fail_on_option = click.option(
    "--fail-on",
    callback=_failing,
    default=",".join((*_CLASSES, AttentionKind.UNREADABLE.value)),
    metavar="NAME,…",
    help=f"What makes the exit code 2: {', '.join(_CHOICES)}, or {_NONE}. [default: every class of drift, and "
    f"{AttentionKind.UNREADABLE.value}]",
)

notification_options = stacked(
    click.option(
        "--notify",
        multiple=True,
        envvar="RECONCILER_NOTIFY",
        metavar="URL",
        help="Notify a webhook, a chat (slack+https://…) or another service of new and of resolved drift, once. "
        "May be given more than once. [env: RECONCILER_NOTIFY]",
    ),
    click.option(
        "--notify-secret-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The secret that webhooks are signed with (or RECONCILER_NOTIFY_SECRET).",
    ),
    gather("notification", Notification),
)
"""The options that say who is notified; they become one ``notification``."""

metrics_option = click.option(
    "--metrics", type=click.Path(path_type=Path), metavar="FILE", help="Write metrics for Prometheus into this file."
)

issue_body_option = click.option(
    "--issue-body",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the report as the body of a GitHub issue into this file.",
)
