"""One door for every document: checked, parsed once per run and content, and counted."""

from __future__ import annotations

import hashlib
import re
import threading
from typing import TYPE_CHECKING, Self

from reconciler.model.resources import DocumentFormat
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.hocon import Answer, HoconProcess, Outcome, Reading, Received
from reconciler.vaults.limits import MAXIMUM_BYTES, check_text, check_tree
from reconciler.vaults.tree import List, Object, Scalar, Tree, children

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        self._meanings: dict[_Key, Tree | DocumentError] = {}
        self._readings: dict[_Key, Reading] = {}
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

    def start(self) -> None:
        """Start the child process, to be ready when the first document needs it."""
        with self._lock:
            self._hocon.start()

    def parse(self, document_format: DocumentFormat, text: str) -> Tree:
        """Return what a document says; raises :class:`DocumentError`, also for what this project refuses in it."""
        key = _key(document_format, text)
        with self._lock:
            if key not in self._meanings:
                self._parse(document_format, text, key)
            found = self._meanings[key]
        if isinstance(found, DocumentError):
            raise found.at(found.line, found.column)
        return found

    def read(self, text: str) -> Reading:
        """Return what clients make of a stored text, which they read as HOCON whatever its format."""
        key = _key(DocumentFormat.HOCON, text)
        with self._lock:
            if key not in self._readings:
                self.full_parses += 1
                self._readings[key] = self._ask(text).reading
            return self._readings[key]

    def merge(self, texts: Sequence[str], orders: Sequence[Sequence[int]]) -> list[Object]:
        """Return the configurations that clients make of texts that they read, one for each order (lowest first).

        Raises :class:`DocumentError` if they take too long together.
        """
        with self._lock:
            return self._hocon.merge(texts, orders)

    def _parse(self, document_format: DocumentFormat, text: str, key: _Key) -> None:
        self.full_parses += 1
        try:
            check_text(document_format, text)
            if document_format is DocumentFormat.HOCON:
                answer = self._ask(text)
                self._readings[key] = answer.reading
                self._meanings[key] = _checked(answer.meaning, text)
            else:
                self._meanings[key] = _checked(_other(document_format, text), text)
        except DocumentError as error:
            self._meanings[key] = error.at(error.line, error.column)

    def _ask(self, text: str) -> Answer:
        """Ask the clients' parser, unless it is known what it would answer."""
        if len(text.encode("utf-8", "surrogatepass")) > MAXIMUM_BYTES:
            error = DocumentError(f"the document is larger than {MAXIMUM_BYTES // 1000} kB, so it was not parsed")
            unread = Received(Outcome.ENDLESS, reason=error.message)
            return Answer(error, Reading(unread, unread))
        plain = _easy(text)
        if isinstance(plain, Object):
            received = Received(Outcome.READ, plain)
            return Answer(plain, Reading(received, received))
        return self._hocon.read(text)


def _key(document_format: DocumentFormat, text: str) -> _Key:
    return document_format, hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _checked(found: Tree | DocumentError, text: str) -> Tree | DocumentError:
    return found if isinstance(found, DocumentError) else check_tree(found, text)


def _other(document_format: DocumentFormat, text: str) -> Tree:
    if document_format is DocumentFormat.JSON:
        from reconciler.vaults.json_reader import parse_json

        return parse_json(text)
    from reconciler.vaults.yaml_reader import parse_yaml

    return parse_yaml(text)


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
    """Return whether pyhocon reads this tree's JSON as JSON readers do."""
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
