"""The portable document: JSON that JSON, YAML and HOCON readers, and so every client, read the same."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from reconciler.errors import SecretUnavailableError
from reconciler.model.resources import DocumentFormat
from reconciler.model.secret import Secret
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.references import bind
from reconciler.vaults.tree import List, Object, Path, PythonObject, Scalar, Tree, path_text

if TYPE_CHECKING:
    from reconciler.model.resources import Vault
    from reconciler.vaults.parse import DocumentParser

MAXIMUM_LEVELS = 24
"""Clients fail on about 30 nested objects; this leaves room for the configuration around a vault."""

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(r'[\\"\n\r\t]')
# Readers disagree on these, escaped or not: pyhocon reads only five escapes, and line ends where others do not.
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def write_portable_json(tree: Tree) -> str:
    """Write a tree so that every reader gets the same; raises :class:`DocumentError` that names the path."""
    if not isinstance(tree, Object):
        raise DocumentError("a vault must be an object at its top to be read by clients")
    return _write(tree, (), MAXIMUM_LEVELS, "") + "\n"


def stored_text(vault: Vault, parser: DocumentParser) -> Secret:
    """Return the text to store for a declared vault, secrets included.

    The author's own text where it is stored in the format that it is written in, otherwise the portable JSON of its
    meaning. Raises :class:`DocumentError`, or :class:`SecretUnavailableError` if the run has no value for a secret.
    """
    document = vault.document
    if vault.format is document.format:
        from reconciler.vaults.render import render

        return render(document, parser)
    if vault.format is not DocumentFormat.JSON:
        raise DocumentError(f"{document.format} can be stored as it is or as json, not as {vault.format}")
    bound = bind(document, parser)
    if bound.unbound:
        missing = ", ".join(name for name, value in document.secrets if value is None)
        raise SecretUnavailableError(f"secrets were not resolved in this run: {missing}")
    return Secret(write_portable_json(bound.tree))


def _write(tree: Tree, path: Path, levels: int, indent: str) -> str:
    if isinstance(tree, Object | List):
        if levels == 0:
            raise _error(path, f"is nested more than {MAXIMUM_LEVELS} levels deep")
        return _write_container(tree, path, levels, indent)
    if isinstance(tree, Scalar):
        value = tree.value
        if isinstance(value, str):
            return _text(value, path)
        if isinstance(value, float):
            return _float(value)
        return json.dumps(value)
    what = "a duration" if isinstance(tree, PythonObject) else "a substitution"
    raise _error(path, f"is {what}, which only HOCON can express")


def _write_container(tree: Object | List, path: Path, levels: int, indent: str) -> str:
    inner = indent + "  "
    if isinstance(tree, Object):
        lines = [
            f"{_key(key, path)}: {_write(value, (*path, key), levels - 1, inner)}"
            for key, value in tree.entries.items()
        ]
    else:
        lines = []
        for index, item in enumerate(tree.items):
            if item == Scalar(""):
                raise _error((*path, index), "is an empty string in a list, which clients drop")
            lines.append(_write(item, (*path, index), levels - 1, inner))
    opening, closing = "{}" if isinstance(tree, Object) else "[]"
    if not lines:
        return opening + closing
    return f"{opening}\n{inner}" + f",\n{inner}".join(lines) + f"\n{indent}{closing}"


def _key(key: str, path: Path) -> str:
    if not key or key != key.strip() or _ESCAPED.search(key) or _UNSAFE.search(key):
        raise _error((*path, key), "has a key that not every client can read")
    return f'"{key}"'


def _text(value: str, path: Path) -> str:
    if _UNSAFE.search(value):
        raise _error(path, "holds control or line-separator characters, which not every client can read")
    return '"' + _ESCAPED.sub(lambda match: _ESCAPES[match.group()], value) + '"'


def _float(value: float) -> str:
    """Write a float with a dot and a signed exponent: ``1e5`` is a text to YAML 1.1 readers."""
    text = repr(value)
    mantissa, exponent, power = text.partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    if exponent and power[0] not in "+-":
        power = "+" + power
    return mantissa + exponent + power


def _error(path: Path, message: str) -> DocumentError:
    return DocumentError(f"{path_text(path)} {message}")
