"""Sends word of drift to people and programs, each thing once, and remembers in the record that they know."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reconciler.drift.news import find_news
from reconciler.errors import ReconcilerError, RecordError, UsageError
from reconciler.frozen import Frozen
from reconciler.model.secret import Secret
from reconciler.model.text import harmless
from reconciler.notify import library
from reconciler.notify.send import post
from reconciler.notify.signature import signature_headers
from reconciler.notify.target import Target, TargetKind, read_target
from reconciler.record.merge import with_reported
from reconciler.views.drift_messages import message_text, message_title, slack_message, webhook_message
from reconciler.views.run_link import run_link

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reconciler.commands.drift import DriftResult
    from reconciler.commands.record_keeping import Past
    from reconciler.commands.session import Session
    from reconciler.drift.news import News

SECRET_VARIABLE = "RECONCILER_NOTIFY_SECRET"  # noqa: S105 - the name of a variable
_LONGEST_SECRET = 4096


class Receivers(Frozen):
    """Who gets word, and the secret that webhooks are signed with."""

    targets: tuple[Target, ...] = ()
    secret: Secret | None = None


def read_receivers(session: Session, urls: Sequence[str], secret_file: Path | None) -> Receivers:
    """Read the receivers and the secret before anything else happens; both are masked from then on.

    Raises :class:`UsageError`.
    """
    targets = tuple(read_target(url) for url in urls)
    session.secrets.add(*(target.url for target in targets))
    for target in targets:
        if target.kind is TargetKind.LIBRARY:
            library.check(target)
    secret = _secret(session, secret_file)
    session.secrets.add(secret)
    return Receivers(targets, secret)


def _secret(session: Session, file: Path | None) -> Secret | None:
    if file is None:
        text = session.environment.get(SECRET_VARIABLE, "")
    else:
        try:
            with (session.folder / file).open(encoding="utf-8") as opened:
                text = opened.read(_LONGEST_SECRET).strip()
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"--notify-secret-file: {harmless(str(file))} cannot be read") from None
        if not text:
            raise UsageError(f"--notify-secret-file: {harmless(str(file))} is empty")
    return Secret(text) if text else None


async def announce_drift(session: Session, receivers: Receivers, result: DriftResult) -> tuple[str, ...]:
    """Send every receiver what is new and what is healed; return what went wrong, if anything did.

    What could not be sent to one of them is sent again next time, to all.
    """
    if not receivers.targets:
        return ()
    past = result.past
    known = past.record.reported if past.record is not None else ()
    news = find_news(result.drift, known, session.world.clock.now())
    if news.is_empty:
        return ()
    if past.store is None or past.trouble is not None:
        session.reporter.note("No record can be written, so the same drift will be reported again next time.")
    sent = await asyncio.gather(*(_sent(session, receivers, target, result, news) for target in receivers.targets))
    troubles = tuple(trouble for trouble in sent if trouble is not None)
    return troubles or await _remembered(past, news)


async def _sent(session: Session, receivers: Receivers, target: Target, result: DriftResult, news: News) -> str | None:
    """Send word to one receiver; return what went wrong."""
    plan, drift, world = result.plan, result.drift, session.world
    run = run_link(session.environment)
    transport = session.wire.webhook_transport()
    try:
        match target.kind:
            case TargetKind.LIBRARY:
                title, text = session.secrets.mask(message_title(plan, news)), message_text(drift, news, run)
                await library.send(target, title, session.secrets.mask(text), world.in_thread)
            case TargetKind.SLACK:
                body = _masked(session, slack_message(plan, drift, news, run))
                await post(target, body, {}, world.clock.sleep, transport)
            case TargetKind.WEBHOOK:
                body = _masked(session, webhook_message(plan, drift, news, run))
                headers = signature_headers(body, receivers.secret, world.clock.now())
                await post(target, body, headers, world.clock.sleep, transport)
    except ReconcilerError as error:
        return error.message
    return None


def _masked(session: Session, body: bytes) -> bytes:
    return session.secrets.mask_result(body.decode()).encode()


async def _remembered(past: Past, news: News) -> tuple[str, ...]:
    if past.store is None or past.trouble is not None:
        return ()
    try:
        await past.store.update(lambda record: with_reported(record, news.told))
    except RecordError as error:
        return (f"what was sent could not be recorded, so it will be sent again: {error.message}",)
    return ()
