"""The options of ``drift`` that say what deserves attention, what fails, and who is told."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from reconciler.declaration.values import parse_duration
from reconciler.drift.attention import Limits
from reconciler.drift.report import AttentionKind, DriftClass
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from reconciler.drift.report import Drift

Returned = TypeVar("Returned")

NONE = "none"
ATTENTION = "attention"
_OFF = "off"
_CLASSES = tuple(item.value for item in DriftClass)
_CHOICES = (*_CLASSES, ATTENTION, *(item.value for item in AttentionKind))


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
    if names == {NONE}:
        return frozenset()
    if names - set(_CHOICES):
        raise click.BadParameter(f"choose among {', '.join(_CHOICES)}, or {NONE}")
    return frozenset(names)


class Watch(Frozen):
    """What to look at, what fails the check, and who is told."""

    limits: Limits
    fail_on: frozenset[str]
    notify: tuple[str, ...]
    secret_file: Path | None
    metrics: Path | None
    issue_body: Path | None

    def fails(self, drift: Drift) -> bool:
        """Tell whether anything is found that the check shall fail on."""
        found = {item.value for item in drift.classes} | {item.what.value for item in drift.attention}
        return bool(found & self.fail_on) or (ATTENTION in self.fail_on and bool(drift.attention))


def watch_options(command: Callable[..., Returned]) -> Callable[..., Returned]:
    """Add the options and pass them on as one ``watch``."""

    @click.option(
        "--expiring-within",
        callback=_duration,
        default="14d",
        show_default=True,
        metavar="TIME|off",
        help="Point at credentials that end within this time.",
    )
    @click.option(
        "--unused-for",
        callback=_duration,
        default="90d",
        show_default=True,
        metavar="TIME|off",
        help="Point at credentials that were not used for this time.",
    )
    @click.option(
        "--pending-for",
        callback=_duration,
        default="14d",
        show_default=True,
        metavar="TIME|off",
        help="Point at invitations that nobody accepted for this time.",
    )
    @click.option(
        "--inactive-for",
        callback=_duration,
        default="180d",
        show_default=True,
        metavar="TIME|off",
        help="Point at admins who were not active for this time.",
    )
    @click.option(
        "--fail-on",
        callback=_failing,
        default=",".join(_CLASSES),
        metavar="NAME,…",
        help=f"What makes the exit code 2: {', '.join(_CHOICES)}, or {NONE}. [default: every class of drift]",
    )
    @click.option(
        "--notify",
        multiple=True,
        envvar="RECONCILER_NOTIFY",
        metavar="URL",
        help="Tell a webhook, a chat (slack+https://…) or another service what is new and what is healed, once. "
        "May be given more than once. [env: RECONCILER_NOTIFY]",
    )
    @click.option(
        "--notify-secret-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The secret that webhooks are signed with (or RECONCILER_NOTIFY_SECRET).",
    )
    @click.option(
        "--metrics",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write metrics for Prometheus into this file.",
    )
    @click.option(
        "--issue-body",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write the report as the body of a GitHub issue into this file.",
    )
    @functools.wraps(command)
    def wrapper(
        *arguments: object,
        expiring_within: timedelta | None,
        unused_for: timedelta | None,
        pending_for: timedelta | None,
        inactive_for: timedelta | None,
        fail_on: frozenset[str],
        notify: tuple[str, ...],
        notify_secret_file: Path | None,
        metrics: Path | None,
        issue_body: Path | None,
        **others: object,
    ) -> Returned:
        limits = Limits(expiring_within, unused_for, pending_for, inactive_for)
        watch = Watch(limits, fail_on, notify, notify_secret_file, metrics, issue_body)
        return command(*arguments, watch=watch, **others)

    return wrapper
