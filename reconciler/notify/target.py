"""Where messages go. An address may hold a token, so it is kept as a secret; only its host is ever shown."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

from reconciler.clearml.settings import is_loopback
from reconciler.errors import UsageError
from reconciler.frozen import Frozen
from reconciler.model.secret import Secret
from reconciler.model.text import harmless

_SLACK_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
_SLACK = "slack+"


class TargetKind(StrEnum):
    """How a target wants its messages."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    LIBRARY = "library"


class Target(Frozen):
    """One receiver; ``shown`` is what to call it."""

    kind: TargetKind
    url: Secret
    shown: str


def read_target(text: str) -> Target:
    """Read the address of a receiver.

    ``https://…`` gets the JSON document; ``slack+https://…``, and Slack's own hosts, a message for people; any other
    scheme is for the notification library. ``http://`` only reaches this machine. Raises :class:`UsageError`.
    """
    chat = text.startswith(_SLACK)
    url = text.removeprefix(_SLACK)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError("--notify: this is not an address") from None
    if parts.scheme not in ("https", "http"):
        if not parts.scheme or "://" not in url or chat:
            raise UsageError("--notify needs an address, like https://hooks.example.com/drift")
        return Target(TargetKind.LIBRARY, Secret(url), f"{harmless(parts.scheme)}://…")
    if not host:
        raise UsageError("--notify: the address names no host")
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(f"--notify: http://{harmless(host)} would send it unprotected", hint="use https://")
    kind = TargetKind.SLACK if chat or host in _SLACK_HOSTS else TargetKind.WEBHOOK
    return Target(kind, Secret(url), harmless(host))
