"""Planted secrets, and the search for them in every spelling that a text can have them in."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote_plus

BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")


def spellings(value: str) -> set[bytes]:
    texts = {value, quote(value), quote(value, safe=""), quote_plus(value), html.escape(value)}
    texts |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    texts |= {value.replace("\n", "\\n"), value.replace("\n", "\\x0a")}
    return {text.encode() for text in texts}


def decoded(data: bytes) -> bytes:
    """Return everything that base64 in some data may stand for, and the data without its URL escapes."""
    found = [unquote_plus(data.decode("utf-8", "replace")).encode()]
    for match in BASE64.finditer(data):
        word = match.group().translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
        for start in range(4):
            part = word[start:]
            part = part[:-1] if len(part) % 4 == 1 else part
            found.append(base64.b64decode(part + b"=" * (-len(part) % 4)))
    return b"\n".join(found)


@dataclass
class Net:
    """Known secrets by name; the values of new keys are added as they come up."""

    secrets: dict[str, str] = field(default_factory=dict)

    def caught(self, data: bytes) -> set[str]:
        """Return the names of the secrets that are in the data in any spelling."""
        deep = decoded(data)
        return {
            name
            for name, value in self.secrets.items()
            if any(spelling in data or spelling in deep for spelling in spellings(value))
        }

    def caught_in_files(self, folders: list[Path], untouched: dict[Path, bytes]) -> dict[str, set[str]]:
        """Return, by file, the secrets in files that were made or changed."""
        found = {}
        for folder in folders:
            for path in files(folder):
                data = path.read_bytes()
                if untouched.get(path) != data and (names := self.caught(data) | self.caught(path.name.encode())):
                    found[path.name] = names
        return found


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
