"""The limits that every document must keep, checked before and after parsing."""

from __future__ import annotations

import re

from reconciler.model.resources import DocumentFormat
from reconciler.vaults.errors import DocumentError, position
from reconciler.vaults.tree import List, Object, Tree, texts

MAXIMUM_BYTES = 1_000_000
MAXIMUM_DEPTH = 64
MAXIMUM_NODES = 200_000
_MAXIMUM_BLANKS = 1_000

_ENCRYPTED, _ENCRYPTED_VALUE = "ENC[", "ENC[AES256_GCM,"
"""How values begin that SOPS encrypted."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_BLANKS = re.compile(rf"[ \t]{{{_MAXIMUM_BLANKS + 1}}}")


def too_deep(line: int | None = None, column: int | None = None) -> DocumentError:
    """Return the error for a document that is nested too deeply."""
    return DocumentError("the document is nested too deeply; clients fail beyond about 30 levels", line, column)


def check_text(document_format: DocumentFormat, text: str) -> None:
    """Refuse text that is too large or holds characters that no parser agrees on."""
    if len(text) > MAXIMUM_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAXIMUM_BYTES:
        raise DocumentError(f"the document is larger than {MAXIMUM_BYTES // 1000} kB")
    if match := _FORBIDDEN.search(text):
        code = ord(match.group())
        what = "half a surrogate pair" if 0xD800 <= code <= 0xDFFF else "a byte-order mark" if code == 0xFEFF else None
        what = what or "a control character"
        raise DocumentError(f"{what} (U+{code:04X}) cannot be part of a document", *position(text, match.start()))
    # pyhocon takes quadratic time over blanks: 20 000 of them after a "#" cost half a minute.
    if document_format is DocumentFormat.HOCON and (match := _BLANKS.search(text)):
        raise DocumentError(f"more than {_MAXIMUM_BLANKS} spaces in a row", *position(text, match.start()))


def check_tree(tree: Tree, text: str) -> Tree:
    """Refuse a tree whose root is no object or list, or whose texts hold what only an escape could have made."""
    if not isinstance(tree, Object | List):
        raise DocumentError("the document must be an object at its top", 1, 1)
    if _ENCRYPTED in text and _is_encrypted(tree):
        raise DocumentError(
            "this document is encrypted with SOPS, and clients would get the encrypted text",
            hint="keep it in plain text, with its secrets as @{NAME} and `command: [sops, …]` as their source",
        )
    if "\\u" in text or "\\U" in text:
        for value in texts(tree, keys=True):
            _check_characters(value)
    return tree


def _is_encrypted(tree: Tree) -> bool:
    """Return whether there is a block as SOPS leaves it, or a value that it encrypted."""
    if isinstance(tree, Object) and isinstance(about := tree.entries.get("sops"), Object):
        return not about.entries.keys().isdisjoint({"mac", "version", "lastmodified"})
    return any(value.startswith(_ENCRYPTED_VALUE) for value in texts(tree))


def _check_characters(value: str) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise DocumentError("an escape in the document makes half a surrogate pair") from None
