"""Text files of a declaration: read within limits, decoded strictly, and refused in one clear sentence."""

from __future__ import annotations

import re
import stat
from pathlib import PurePath
from typing import TYPE_CHECKING, NoReturn

from reconciler.errors import Place, SourceError
from reconciler.model.text import harmless
from reconciler.yaml.reader import read
from reconciler.yaml.tree import place_at

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.yaml.tree import YamlTree

MAXIMUM_FILE_BYTES = 16 * 1024 * 1024
"""The largest declaration file that is read (bytes); more can be split over included files."""

MAXIMUM_DOCUMENT_BYTES = 1024 * 1024
"""The largest vault document that is read (bytes)."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_ORDINARY = bytes([*b"\t\n\r", *range(0x20, 0x7F)])
_CONFLICT = re.compile(r"^(?:<{7}|>{7}|\|{7})(?: .*)?$", re.MULTILINE)
_CONFLICT_SIGNS = ("<<<<<<<", ">>>>>>>", "|||||||")


def read_source(path: Path, shown: str, *, limit: int = MAXIMUM_FILE_BYTES) -> str:
    """Return the text of a file, without its byte order mark.

    ``shown`` is the path as messages name it, ``limit`` the size in bytes past which the file is refused unread.
    Raises :class:`SourceError`.
    """
    text = _decode(_read_bytes(path, shown, limit), shown)
    _refuse_forbidden(text, shown)
    return text


def read_yaml(text: str, file: str) -> YamlTree:
    """Read one YAML document with a mapping at its top. Raises :class:`SourceError`."""
    tree = read(text, file)
    if tree.root is None:
        message = "this file is empty: a declaration begins with `version: 1`; to remove nothing, leave lists out"
        raise SourceError("empty-file", message, Place(file))
    if not isinstance(tree.root, dict):
        kind = "a list" if isinstance(tree.root, list) else "a single value"
        raise SourceError("wrong-type", f"the file is {kind}, not a mapping of keys to values", tree.place())
    return tree


def _read_bytes(path: Path, shown: str, limit: int) -> bytes:
    start = Place(shown)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise SourceError(
                "file-not-readable", "this is a folder, not a file", start, hint="name the file inside it"
            )
        if not stat.S_ISREG(status.st_mode):
            raise SourceError("file-not-readable", "this is not a regular file", start)
        if status.st_size > limit:
            _too_large(limit, start, status.st_size)
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        hint = _what_is_there(path, shown)
        raise SourceError("file-not-found", "this file does not exist", start, hint=hint) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its path cannot be used"
        raise SourceError("file-not-readable", f"this file cannot be read: {reason}", start) from None
    if len(data) > limit:
        _too_large(limit, start, len(data))
    return data


def _what_is_there(path: Path, shown: str) -> str | None:
    """Return what may be meant instead of a missing YAML file: another ending, or the same name one folder below."""
    if path.suffix not in (".yaml", ".yml"):
        return None
    other = path.with_suffix(".yml" if path.suffix == ".yaml" else ".yaml")
    try:
        found = [other] if other.is_file() else sorted(path.parent.glob(f"*/{path.name}"))
    except (OSError, ValueError):
        return None
    if len(found) != 1:
        return None
    meant = PurePath(shown).parent / found[0].relative_to(path.parent)
    return f"did you mean {harmless(meant.as_posix())}?"


def _too_large(limit: int, place: Place, size: int) -> NoReturn:
    message = f"this file is too large: {_size(size)}, the limit is {_size(limit)}"
    raise SourceError("file-too-large", message, place, hint="split it over several files with `include`")


def _size(count: int) -> str:
    return f"{count / 1024 / 1024:.1f} MiB" if count >= 1024 * 1024 else f"{count / 1024:.1f} KiB"


def _decode(data: bytes, shown: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SourceError("not-utf8", "this file is UTF-16, not UTF-8", Place(shown), hint="save it as UTF-8")
    data = data.removeprefix(_BYTE_ORDER_MARK)
    if b"\x00" in data:
        raise SourceError("not-text", "this is a binary file, not text: it holds a NUL byte", Place(shown))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        message = f"this file is not UTF-8: byte 0x{data[error.start]:02x} is not allowed here"
        place = place_at(before, len(before), shown)
        raise SourceError("not-utf8", message, place, hint="save it as UTF-8") from None


def _refuse_forbidden(text: str, shown: str) -> None:
    extraordinary = text.encode().translate(None, _ORDINARY).decode()
    found = _FORBIDDEN.search(text) if _FORBIDDEN.search(extraordinary) else None
    if found:
        message = f"there is a control character (U+{ord(found.group()):04X}) here"
        raise SourceError("control-character", message, place_at(text, found.start(), shown), hint="remove it")
    found = _CONFLICT.search(text) if any(sign in text for sign in _CONFLICT_SIGNS) else None
    if found:
        message = "a merge conflict was left here"
        hint = "resolve the conflict and remove its markers"
        raise SourceError("merge-conflict", message, place_at(text, found.start(), shown), hint=hint)
