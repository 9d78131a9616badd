"""What people and programs are told of drift: plain text, a message for Slack and its like, and a JSON document.

None of them holds a value of a field or of a document: only names, fields and which side moved.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from reconciler.drift.report import AttentionKind
from reconciler.model.text import harmless
from reconciler.views.drift_words import address_name, attention_sentence, finding_sentence, name, summary
from reconciler.views.markdown import shortened
from reconciler.views.sentences import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.drift.news import News
    from reconciler.drift.report import Drift
    from reconciler.plan.document import Plan

FORMAT = "clearml-reconciler/notification/1"
_SHOWN = 20
_LONGEST_LINE = 300
_LONGEST_TEXT = 2900
_EVERYBODY = re.compile(r"@(?=(?:all|channel|everyone|here)\b)", re.IGNORECASE)


def message_title(plan: Plan, news: News) -> str:
    """Return one line: which workspace, and how much is new and healed."""
    counts = (
        (len(news.findings), "new or changed"),
        (len(news.healed), "healed"),
        (len(news.attention), "to look at"),
    )
    told = ", ".join(f"{count} {words}" for count, words in counts if count)
    return f"Drift of the ClearML workspace {harmless(plan.workspace)}: {told}"


def message_lines(drift: Drift, news: News) -> Iterator[str]:
    """Return what is new, what is healed and what deserves a look, then what there is altogether."""
    lines = [f"{name(item.kind, item.title)}: {finding_sentence(item)}" for item in news.findings]
    lines += [f"healed: {address_name(address)}" for address in news.healed]
    lines += [f"look: {attention_sentence(item)}" for item in news.attention]
    yield from (shortened(line, _LONGEST_LINE) for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"and {len(lines) - _SHOWN} more"
    if drift.findings:
        yield f"In all: {counted(len(drift.findings), 'resource')} ({summary(drift.findings)})."
    elif _doubts(drift):
        yield "In all: no drift, as far as the workspace could be read."
    else:
        yield "In all: no drift."


def _doubts(drift: Drift) -> bool:
    return any(item.what is AttentionKind.UNREADABLE for item in drift.attention)


def message_text(drift: Drift, news: News, run: str | None = None) -> str:
    """Return the message below its title as plain text, with the address of the run that sends it, if it has one."""
    return "\n".join([*message_lines(drift, news), *([f"The run: {run}"] if run else [])])


def slack_message(plan: Plan, drift: Drift, news: News, run: str | None = None) -> bytes:
    """Return a message in Slack's form, which Mattermost and Rocket.Chat read too; no name in it calls anybody."""
    title = _quiet(message_title(plan, news))
    lines = [_quiet(line) for line in message_lines(drift, news)]
    body = shortened("\n".join(f"• {line}" for line in lines), _LONGEST_TEXT)
    blocks: list[dict[str, object]] = [
        {"type": "header", "text": {"type": "plain_text", "text": shortened(title, 150), "emoji": False}},
        {"type": "section", "text": {"type": "plain_text", "text": body, "emoji": False}},
    ]
    if run is not None:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"<{run}|The run>"}})
    escaped = f"{title}\n{body}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped += f"\n{run}" if run is not None else ""
    return json.dumps({"text": escaped, "mrkdwn": False, "blocks": blocks}).encode()


def _quiet(text: str) -> str:
    """Keep a name from calling everybody in a channel, by a character of no width after the sign."""
    return _EVERYBODY.sub("@\u200b", text)


def webhook_message(plan: Plan, drift: Drift, news: News, run: str | None = None) -> bytes:
    """Return the JSON document for programs."""
    content = {
        "format": FORMAT,
        "workspace": plan.workspace,
        "server": plan.server,
        "declaration": plan.declaration,
        "run": run,
        "in_sync": not drift.findings and not _doubts(drift),
        "title": message_title(plan, news),
        "drift": [_told(finding.plain()) for finding in news.findings],
        "healed": [{"kind": address.kind.value, "key": address.key} for address in news.healed],
        "attention": [item.plain() for item in news.attention],
        "total": len(drift.findings),
    }
    return json.dumps(content).encode()


def _told(finding: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in finding.items() if name != "sides"}
