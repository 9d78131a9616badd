"""The small values of a declaration that are written as texts: durations, limits, targets, server addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, StringConstraints, WithJsonSchema

from reconciler.model.access import ALL
from reconciler.model.desired import Limit
from reconciler.vaults.tree import parse_path

DURATION_PATTERN: Final = r"^[1-9][0-9]{0,5}[mhdw]$"
SHARE_PATTERN: Final = r"^(100|[0-9]{1,2})(\.[0-9]+)?%$"
DOMAIN_PATTERN: Final = r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
TARGET_PATTERN: Final = r"^(client|ui-storage|ssh-server|monitoring|type:[A-Za-z0-9_.-]+)$"

UI_STORAGE_TYPE: Final = "ui_storage_credentials"
"""The API's type text for the web page's storage credentials.

Uncertain: ClearML's reference names the target and not its text. Where a server calls it otherwise, a declaration says
so with ``target: type:NAME``.
"""

TARGET_TYPES: Final = {
    "client": "config",
    "ssh-server": "remote_session_ssh_server",
    "monitoring": "monitoring",
    "ui-storage": UI_STORAGE_TYPE,
}
"""The API's type text of each target that has a name of its own."""

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(value: object) -> timedelta:
    """Read ``30m``, ``12h``, ``90d`` or ``2w``. Raises ``ValueError``."""
    if not isinstance(value, str) or not re.fullmatch(DURATION_PATTERN, value):
        raise ValueError("must be a duration: a whole number and m, h, d or w, like `90d` or `12h`")
    return timedelta(**{_UNITS[value[-1]]: int(value[:-1])})


def parse_limit(value: object) -> Limit:
    """Read a number (``5``), a share (``20%``), or a share and a floor under it. Raises ``ValueError``."""
    count = _count(value)
    if count is not None:
        return Limit(count=count)
    share, at_least = value, None
    if isinstance(value, dict) and value.keys() == {"share", "at_least"}:
        at_least = _count(value["at_least"])
        share = value["share"] if at_least is not None else None
    if isinstance(share, str) and re.fullmatch(SHARE_PATTERN, share) and (part := float(share[:-1]) / 100) <= 1:
        return Limit(share=part, at_least=at_least)
    raise ValueError("must be a number of removals, like `5`, or a share, like `20%` or `{share: 20%, at_least: 3}`")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def parse_version(value: object) -> object:
    """Let the number 1 pass and nothing that only equals it, such as ``true``. Raises ``ValueError``."""
    if type(value) is not int or value != 1:
        raise ValueError("must be 1")
    return value


def parse_target(value: object) -> str:
    """Read ``client``, ``monitoring``, ``ssh-server``, ``ui-storage`` or ``type:NAME``, into the API's type text."""
    if isinstance(value, str) and re.fullmatch(TARGET_PATTERN, value):
        return TARGET_TYPES.get(value) or value.removeprefix("type:")
    raise ValueError("must be client, ui-storage, ssh-server, monitoring, or type:NAME with the API's own name for it")


def parse_server(value: object) -> str:
    """Read the address of an API server: a URL without credentials, or ``sandbox:`` and a file."""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("must be a URL, like `https://api.clear.ml`")
    if value.startswith("sandbox:") and len(value) > len("sandbox:"):
        return value
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a valid URL") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or " " in value:
        raise ValueError("must be a URL, like `https://api.clear.ml`")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain credentials: use the environment, an option or clearml.conf")
    if parts.query or parts.fragment:
        raise ValueError("must be a URL without `?` and `#`")
    return value.rstrip("/")


@dataclass(frozen=True, slots=True)
class Reference:
    """Which entity is meant: the text that stands in the file, or a given id."""

    text: str | None = None
    id: str | None = None


def parse_key_pattern(value: object) -> str:
    """Read a path of keys like ``sdk.http.*``, in which ``*`` stands for one key. Raises ``ValueError``."""
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 300:
        raise ValueError("must be a path of keys, like `sdk.http.*`")
    if not all(isinstance(part, str) for part in parse_path(value)):
        raise ValueError("must be a path of keys, like `sdk.http.*`: leave positions in lists out")
    return value


def parse_reference(value: object) -> Reference:
    """Read a name, ``*`` for all, or ``{id: …}``. Raises ``ValueError``."""
    if isinstance(value, str) and value:
        return Reference(id=ALL) if value == ALL else Reference(text=value)
    if isinstance(value, dict) and value.keys() == {"id"} and isinstance(value["id"], str) and value["id"]:
        return Reference(id=value["id"])
    raise ValueError('must be a name in quotes, "*" for all, or {id: …} with the server\'s id')


KeyPattern = Annotated[
    str, BeforeValidator(parse_key_pattern), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 300})
]
Domain = Annotated[str, StringConstraints(pattern=DOMAIN_PATTERN, max_length=253)]
Version = Annotated[Literal[1], BeforeValidator(parse_version)]
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "examples": ["90d", "12h", "30m", "2w"]}),
]
RemovalLimit = Annotated[
    Limit,
    BeforeValidator(parse_limit),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": SHARE_PATTERN},
                {
                    "type": "object",
                    "properties": {
                        "share": {
                            "type": "string",
                            "pattern": SHARE_PATTERN,
                            "description": "The maximum share of each set that one plan may remove.",
                        },
                        "at_least": {
                            "type": "integer",
                            "minimum": 0,
                            "description": "How many removals always pass, however small the set is.",
                        },
                    },
                    "required": ["share", "at_least"],
                    "additionalProperties": False,
                },
            ],
            "examples": ["20%", 5, {"share": "20%", "at_least": 3}],
        }
    ),
]
Target = Annotated[
    str,
    BeforeValidator(parse_target),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": TARGET_PATTERN,
            "examples": ["client", "ui-storage", "ssh-server", "monitoring", "type:other"],
        }
    ),
]
Server = Annotated[
    str,
    BeforeValidator(parse_server),
    WithJsonSchema({"type": "string", "pattern": "^(https?://|sandbox:).+", "examples": ["https://api.clear.ml"]}),
]


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """The file that a key goes to; ``gitignore``: the run makes git ignore it."""

    path: str
    gitignore: bool = False


def parse_delivered_file(value: object) -> DeliveredFile:
    """Read a path, or a path and whether git is made to ignore it. Raises ``ValueError``."""
    if isinstance(value, str) and value:
        return DeliveredFile(value)
    if isinstance(value, dict) and {"path"} <= value.keys() <= {"path", "gitignore"}:
        path, ignored = value["path"], value.get("gitignore", False)
        if isinstance(path, str) and path and isinstance(ignored, bool):
            return DeliveredFile(path, ignored)
    raise ValueError("must be a path, like `out/key.conf`, or `{path: out/key.conf, gitignore: true}`")


KeyFile = Annotated[
    DeliveredFile,
    BeforeValidator(parse_delivered_file),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "properties": {
                        "path": {"type": "string", "minLength": 1, "description": "The file."},
                        "gitignore": {
                            "type": "boolean",
                            "description": "Whether the run adds the file to the .gitignore beside it.",
                        },
                    },
                    "required": ["path"],
                    "additionalProperties": False,
                },
            ],
            "examples": ["out/k8s-prod.conf", {"path": "out/k8s-prod.conf", "gitignore": True}],
        }
    ),
]
EntityReference = Annotated[
    Reference,
    BeforeValidator(parse_reference),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "properties": {"id": {"type": "string", "minLength": 1, "description": "The server's id."}},
                    "required": ["id"],
                    "additionalProperties": False,
                },
            ],
            "examples": ["Vision", ALL],
        }
    ),
]
