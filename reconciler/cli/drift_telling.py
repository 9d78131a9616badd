"""Tells people of drift, each thing once, and remembers in the record that they know."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from reconciler.drift.news import find_news
from reconciler.errors import ReconcilerError, RecordError, UsageError
from reconciler.model.secret import Secret
from reconciler.model.text import harmless
from reconciler.notify import library
from reconciler.notify.send import post
from reconciler.notify.signature import signature_headers
from reconciler.notify.target import Target, TargetKind, read_target
from reconciler.record.merge import with_told
from reconciler.views.drift_messages import message_text, message_title, slack_message, webhook_message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.cli.drift_options import Watch
    from reconciler.cli.recorded import Recorded
    from reconciler.drift.news import News
    from reconciler.drift.report import Drift
    from reconciler.plan.document import Plan

SECRET_VARIABLE = "RECONCILER_NOTIFY_SECRET"  # noqa: S105 - the name of a variable
_LONGEST_SECRET = 4096


def read_targets(watch: Watch, console: Console) -> tuple[tuple[Target, ...], Secret | None]:
    """Read the receivers and the secret before anything else happens; both are masked from then on.

    Raises :class:`UsageError`.
    """
    targets = tuple(read_target(url) for url in watch.notify)
    console.secrets.add(*(target.url for target in targets))
    for target in targets:
        if target.kind is TargetKind.LIBRARY:
            library.check(target)
    secret = _secret(watch.secret_file)
    console.secrets.add(secret)
    return targets, secret


def _secret(file: Path | None) -> Secret | None:
    if file is None:
        text = os.environ.get(SECRET_VARIABLE, "")
    else:
        try:
            with file.open(encoding="utf-8") as opened:
                text = opened.read(_LONGEST_SECRET).strip()
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"--notify-secret-file: {harmless(str(file))} cannot be read") from None
        if not text:
            raise UsageError(f"--notify-secret-file: {harmless(str(file))} is empty")
    return Secret(text) if text else None


async def tell(
    targets: Sequence[Target], secret: Secret | None, plan: Plan, drift: Drift, recorded: Recorded, console: Console
) -> bool:
    """Tell every receiver what is new and what is healed; return whether all of them, if any had to, were told.

    What could not be told to one of them is told again next time, to all.
    """
    if not targets:
        return True
    known = recorded.record.told if recorded.record is not None else ()
    news = find_news(drift, known, console.edges.now())
    if news.is_empty:
        return True
    if recorded.store is None:
        console.note("There is no record that can be written, so the same drift will be told again next time.")
    troubles = [
        trouble
        for trouble in await asyncio.gather(*(_tell(target, secret, plan, drift, news, console) for target in targets))
        if trouble is not None
    ]
    for trouble in troubles:
        console.error(trouble)
    if troubles:
        return False
    return await _remember(recorded, news, console)


async def _tell(
    target: Target, secret: Secret | None, plan: Plan, drift: Drift, news: News, console: Console
) -> str | None:
    """Tell one receiver; return what went wrong."""
    sleep = console.edges.timing.sleep if console.edges.timing is not None else asyncio.sleep
    try:
        match target.kind:
            case TargetKind.LIBRARY:
                title, text = message_title(plan, news), message_text(drift, news)
                await library.send(target, console.secrets.mask(title), console.secrets.mask(text))
            case TargetKind.SLACK:
                await post(target, _masked(slack_message(plan, drift, news), console), {}, sleep)
            case TargetKind.WEBHOOK:
                body = _masked(webhook_message(plan, drift, news), console)
                await post(target, body, signature_headers(body, secret, console.edges.now()), sleep)
    except ReconcilerError as error:
        return error.message
    return None


def _masked(body: bytes, console: Console) -> bytes:
    return console.secrets.mask_result(body.decode()).encode()


async def _remember(recorded: Recorded, news: News, console: Console) -> bool:
    if recorded.store is None:
        return True
    try:
        await recorded.store.update(lambda record: with_told(record, news.told))
    except RecordError as error:
        console.error(f"what was told could not be written down, so it will be told again: {error.message}")
        return False
    return True
