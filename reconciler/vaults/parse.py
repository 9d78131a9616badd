"""One door for every document: checked, parsed once per run and content, and counted."""

from __future__ import annotations

import hashlib
import re
import threading
from typing import Self

from reconciler.model.resources import DocumentFormat
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.hocon import HoconProcess
from reconciler.vaults.limits import check_text, check_tree
from reconciler.vaults.tree import List, Object, Scalar, Tree, children

_Key = tuple[DocumentFormat, bytes]

# What JSON and pyhocon read differently: escapes that pyhocon leaves as they are, and tabs and line separators.
_UNLIKE_JSON = re.compile(r'\\[^"\\nrt]|[\u2028\u2029]')
_JSON_DEPTH = 24


class DocumentParser:
    """Parses documents. Equal text in the same format is parsed once; ``full_parses`` counts how often that was needed.

    Use it as a context manager: it may own a child process. It can be used from several threads.
    """

    def __init__(self) -> None:
        self.full_parses = 0
        self._cache: dict[_Key, Tree | DocumentError] = {}
        self._lock = threading.Lock()
        self._hocon = HoconProcess()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child process, if one was needed."""
        with self._lock:
            self._hocon.close()

    def parse(self, document_format: DocumentFormat, text: str) -> Tree:
        """Return the document's tree; raises :class:`DocumentError`."""
        with self._lock:
            found = self._known(document_format, text)
        if isinstance(found, DocumentError):
            raise _again(found)
        return found

    def _known(self, document_format: DocumentFormat, text: str) -> Tree | DocumentError:
        key = _key(document_format, text)
        found = self._cache.get(key)
        if found is None:
            self.full_parses += 1
            found = self._cache[key] = _outcome(document_format, text, self._hocon)
        return found


def _key(document_format: DocumentFormat, text: str) -> _Key:
    return document_format, hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _again(error: DocumentError) -> DocumentError:
    """Return a fresh copy: an exception that is raised twice grows its traceback."""
    return DocumentError(error.message, error.line, error.column, hint=error.hint)


def _outcome(document_format: DocumentFormat, text: str, process: HoconProcess) -> Tree | DocumentError:
    try:
        return _parse(document_format, text, process)
    except DocumentError as error:
        return _again(error)


def _parse(document_format: DocumentFormat, text: str, process: HoconProcess) -> Tree:
    check_text(document_format, text)
    if document_format is DocumentFormat.JSON:
        from reconciler.vaults.json_reader import parse_json

        return check_tree(parse_json(text), text)
    if document_format is DocumentFormat.YAML:
        from reconciler.vaults.yaml_reader import parse_yaml

        return check_tree(parse_yaml(text), text)
    tree = _easy(text)
    return tree if tree is not None else check_tree(process.parse(text), text)


def _easy(text: str) -> Tree | None:
    """Parse HOCON without pyhocon where that is known to give the same; ``None`` where it is not known.

    JSON is HOCON, and pyhocon reads it as itself within the limits that are checked here (a test compares both).
    """
    try:
        check_text(DocumentFormat.HOCON, text)
        if text.lstrip(" \r\n")[:1] != "{":
            from reconciler.vaults.hocon_fast import parse_plain

            return parse_plain(text)
        if _UNLIKE_JSON.search(text):
            return None
        from reconciler.vaults.json_reader import parse_json

        tree = parse_json(text)
    except DocumentError:
        return None
    return tree if _reads_alike(tree, _JSON_DEPTH) else None


def _reads_alike(tree: Tree, levels: int) -> bool:
    """Tell whether pyhocon reads this tree's JSON as JSON readers do."""
    if isinstance(tree, Object | List) and levels == 0:
        return False
    for key, value in children(tree):
        if isinstance(key, str):
            if not key or '"' in key or "\\" in key or "\n" in key or key != key.strip():
                return False
        elif value == Scalar(""):
            return False  # pyhocon drops empty texts from lists.
        if not _reads_alike(value, levels - 1):
            return False
    return True
