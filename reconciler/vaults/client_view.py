"""What clients make of a stored vault, and where that is not what its author meant.

Clients read every vault as HOCON, whatever its format says. Findings name paths of the author's document, never values
and never paths of a misread one: in a misread document secrets turn into keys.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.resources import DocumentFormat
from reconciler.vaults.hocon import Outcome
from reconciler.vaults.redact import CLIENT_TARGET, MONITORING_TARGET, SSH_TARGET
from reconciler.vaults.references import LITERAL, is_template, mark
from reconciler.vaults.showing import shown_path
from reconciler.vaults.tree import (
    Expression,
    List,
    Object,
    Path,
    PythonObject,
    Scalar,
    Substitution,
    Tree,
    children,
    depth,
    leaves,
    lookup,
    path_text,
)
from reconciler.yaml.values import Oddity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.resources import Document, Vault
    from reconciler.vaults.hocon import Reading, Received
    from reconciler.vaults.parse import DocumentParser

MAXIMUM_LEVELS = 30
_SHOWN = 20
_EMPTY_ITEM = re.compile(r'(?:[\[,\n]|^)[ \t]*""[ \t]*(?=[,\]\n])')
_NOT_CODE = re.compile(r'"""[\s\S]*?"*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*|(?<![^\s,{}\[\]=:])//[^\n]*')

MACHINE_KEYS = tuple(
    ("agent", key) for key in ("cuda_version", "cudnn_version", "default_python", "worker_id", "worker_name", "debug")
)
"""What the Agent keeps its own value of, whatever a vault says."""

REDIRECTING_KEYS = (
    *(("api", key) for key in ("api_server", "web_server", "files_server", "host", "auth_server")),
    ("api", "credentials"),
)
"""What makes the next session sign in elsewhere, with the user's keys, or as somebody else."""


class ClientRule(StrEnum):
    """The ways in which a client's reading can differ from its author's meaning."""

    DIFFERENT = "client-reads-differently"
    DROPPED = "client-drops-vault"
    MACHINE_KEY = "machine-specific-key"
    REDIRECT = "redirects-clients"
    UNRESOLVED = "unresolved-substitution"
    VANISHES = "optional-substitution-vanishes"
    EMPTY_ITEM = "empty-text-in-list"
    TOO_DEEP = "too-deep-for-clients"
    ENDLESS = "client-may-hang"
    APPEND = "append-sees-no-base"
    NOT_JSON = "not-strict-json"
    AMBIGUOUS = "ambiguous-number"


class ClientWarning(Frozen):
    """One finding; ``path`` is a path in the author's document, empty where the whole document is meant."""

    rule: ClientRule
    path: str
    message: str

    @property
    def sentence(self) -> str:
        """The message, after the path that it is about."""
        return f"{self.path}: {self.message}" if self.path else self.message


def client_differences(vault: Vault, parser: DocumentParser) -> tuple[ClientWarning, ...]:
    """Return what clients will not read as it was meant; raises :class:`DocumentError` if the document does not parse.

    Secrets are not needed: their places count, not their values. Of other targets
    only those of SSH servers and for monitoring are known.
    """
    if vault.target == SSH_TARGET and not _is_strict_json(vault):
        message = "remote sessions read SSH-server vaults as strict JSON only; write it with format: json"
        return (ClientWarning(ClientRule.NOT_JSON, "", message),)
    text, tree = _meant(vault.document, parser)
    found = list(_ambiguous(vault.document.format, text))
    if vault.target in {CLIENT_TARGET, MONITORING_TARGET}:
        found += _found(vault, text, tree, parser)
    return tuple(found)


def _ambiguous(document_format: DocumentFormat, text: str) -> Iterator[ClientWarning]:
    if document_format is not DocumentFormat.YAML:
        return
    from reconciler.vaults.yaml_reader import leading_zeros

    for line in leading_zeros(text):
        message = f"line {line}: {Oddity.LEADING_ZERO}; here it is read as decimal: leave the zero out, or quote it"
        yield ClientWarning(ClientRule.AMBIGUOUS, "", message)


def _found(vault: Vault, text: str, tree: Tree, parser: DocumentParser) -> Iterator[ClientWarning]:
    document_format = vault.document.format
    if vault.format is document_format:  # otherwise it is sent as the portable JSON that every client reads the same
        yield from _received(document_format, tree, parser.read(text))
    yield from _keys(tree)
    if document_format is DocumentFormat.HOCON:
        yield from _spellings(tree, text)
    if vault.format is document_format is DocumentFormat.JSON:
        yield from _empty_items(tree)
    if depth(tree) > MAXIMUM_LEVELS:
        message = f"nested more than {MAXIMUM_LEVELS} levels deep: clients fail on it"
        yield ClientWarning(ClientRule.TOO_DEEP, "", message)


def _is_strict_json(vault: Vault) -> bool:
    if vault.format is not vault.document.format:
        return True  # sent as the portable JSON
    try:
        json.loads(vault.document.text.reveal())
    except (ValueError, RecursionError):
        return False
    return True


def _meant(document: Document, parser: DocumentParser) -> tuple[str, Tree]:
    source = document.text.reveal()
    if is_template(document) and LITERAL in source:
        marked = mark(document, parser)
        return marked.text, marked.tree
    return source, parser.parse(document.format, source)


def _received(document_format: DocumentFormat, meant: Tree, reading: Reading) -> Iterator[ClientWarning]:
    """Compare what was meant with what the clients' parser makes of it."""
    received = reading.usual
    if received.outcome is Outcome.ENDLESS:
        yield ClientWarning(ClientRule.ENDLESS, "", f"clients may never finish reading this: {received.reason}")
        return
    if received.outcome is Outcome.DROPPED:
        yield _dropped(received.reason + _at(received))
        return
    if reading.full.outcome is not Outcome.READ and (names := set(reading.asked) - set(_appended(meant))):
        yield _dropped(reading.full.reason, f" if their environment has {' or '.join(sorted(names))}")
    yield from _from_environment(meant, reading)
    if document_format is DocumentFormat.HOCON:
        yield from _unlike_hocon(meant, received.tree)
    elif received.tree != meant:
        yield from _unlike(meant, received.tree, document_format)


def _at(received: Received) -> str:
    return f" (line {received.line}, column {received.column})" if received.line else ""


def _from_environment(meant: Tree, reading: Reading) -> Iterator[ClientWarning]:
    for path, node in leaves(reading.full.tree):
        names = _names(node) if isinstance(node, Expression) else []
        if not names:
            continue
        wanted, name = lookup(meant, path), " and ".join(names)
        optional = isinstance(wanted, Expression) and all(
            part.optional for part in wanted.parts if isinstance(part, Substitution)
        )
        if reading.bare.outcome is Outcome.READ or optional:
            message = f"this is missing, or keeps an earlier value, on clients without {name} in their environment"
            yield ClientWarning(ClientRule.VANISHES, shown_path(path), message)
        else:
            message = f"clients look for {name} in their own environment, and drop the whole vault if it is not there"
            yield ClientWarning(ClientRule.UNRESOLVED, shown_path(path), message)


def _names(node: Expression) -> list[str]:
    return [part.path for part in node.parts if isinstance(part, Substitution)]


def _unlike_hocon(meant: Tree, seen: Object) -> Iterator[ClientWarning]:
    for path, node in leaves(seen):
        if isinstance(node, PythonObject):
            message = "clients turn a duration at the end of a document into another type; end with a comment"
            yield ClientWarning(ClientRule.DIFFERENT, shown_path(path), message)
    for path, node in leaves(meant):
        if not isinstance(node, Expression):
            continue
        found = lookup(seen, path)
        if found is None and not _may_vanish(node):
            yield ClientWarning(
                ClientRule.VANISHES, shown_path(path), "clients have no such key: what it refers to is null"
            )
        elif isinstance(found, Scalar) and isinstance(found.value, str) and not _holds(found.value, node):
            message = "clients keep an earlier value of this key, not the last one: set it once"
            yield ClientWarning(ClientRule.DIFFERENT, shown_path(path), message)


def _may_vanish(node: Expression) -> bool:
    return all(part.optional for part in node.parts if isinstance(part, Substitution))


def _holds(value: str, node: Expression) -> bool:
    """Return whether a text holds, in order, what its expression says literally."""
    at = 0
    for part in node.parts:
        if isinstance(part, Scalar) and isinstance(part.value, str):
            at = value.find(part.value.strip(), at)
            if at < 0:
                return False
    return True


def _dropped(reason: str, when: str = "") -> ClientWarning:
    return ClientWarning(ClientRule.DROPPED, "", f"clients drop the whole vault{when}: {reason}")


def _unlike(meant: Tree, seen: Tree, document_format: DocumentFormat) -> Iterator[ClientWarning]:
    hint = " (send_as: json sends what every client reads the same)" if document_format is DocumentFormat.YAML else ""
    lost = [path for path, node in leaves(meant) if not _only_empty_items(node) and lookup(seen, path) != node]
    if document_format is DocumentFormat.JSON:
        # These have a rule of their own, and move what comes after them.
        lost = [path for path in lost if not _beside_empty_item(meant, path)]
    for path in lost[:_SHOWN]:
        yield ClientWarning(ClientRule.DIFFERENT, shown_path(path), f"clients read another value here, or none{hint}")
    if len(lost) > _SHOWN:
        message = f"clients read {len(lost) - _SHOWN} more values differently{hint}"
        yield ClientWarning(ClientRule.DIFFERENT, "", message)
    if not lost and document_format is DocumentFormat.YAML:
        message = f"clients read values that the document does not have{hint}"
        yield ClientWarning(ClientRule.DIFFERENT, "", message)


def _only_empty_items(node: Tree) -> bool:
    return isinstance(node, List) and all(item == Scalar("") for item in node.items)


def _beside_empty_item(tree: Tree, path: Path) -> bool:
    return any(
        isinstance(part, int) and isinstance(above := lookup(tree, path[:index]), List) and Scalar("") in above.items
        for index, part in enumerate(path)
    )


def _keys(tree: Tree) -> Iterator[ClientWarning]:
    for path in MACHINE_KEYS:
        if lookup(tree, path) is not None:
            message = "machine-specific: the Agent keeps its own value, whatever a vault says"
            yield ClientWarning(ClientRule.MACHINE_KEY, shown_path(path), message)
    for path in REDIRECTING_KEYS:
        if lookup(tree, path) is not None:
            message = "DANGER: this decides where every client that the vault reaches signs in next, or as which user"
            yield ClientWarning(ClientRule.REDIRECT, shown_path(path), message)


def _has_expression(tree: Tree) -> bool:
    return any(isinstance(node, Expression) for _, node in leaves(tree))


def _is_append(node: Expression, path: Path) -> bool:
    first = node.parts[0] if node.parts else None
    return (
        node.earlier is None
        and isinstance(first, Substitution)
        and first.optional
        and bool(path)
        and first.path.split(".")[-1].strip('" ') == str(path[-1])
    )


def _spellings(tree: Tree, text: str) -> Iterator[ClientWarning]:
    """Find what the tree says of ``+=``, and in the text what the parser already dropped from the tree."""
    for path in _appended(tree):
        message = "+= sees only this vault: nothing of the client's own list is kept"
        yield ClientWarning(ClientRule.APPEND, path, message)
    if "+=" not in text and '""' not in text:
        return
    code = _NOT_CODE.sub(_blank, text)
    if _EMPTY_ITEM.search(code):
        yield ClientWarning(ClientRule.EMPTY_ITEM, "", "clients drop empty strings from lists")
    if "+=" in code and not _has_expression(tree):
        yield ClientWarning(ClientRule.APPEND, "", "+= sees only this vault: nothing of the client's own value is kept")


def _appended(tree: Tree) -> list[str]:
    """Return the paths that are only appended to."""
    return [path_text(path) for path, node in leaves(tree) if isinstance(node, Expression) and _is_append(node, path)]


def _blank(match: re.Match[str]) -> str:
    """Replace a comment by nothing and a text by a harmless one, or by an empty one if it is empty."""
    found = match.group()
    return "" if found[0] != '"' else found if found == '""' else '"x"'


def _empty_items(tree: Tree, path: Path = ()) -> Iterator[ClientWarning]:
    for key, value in children(tree):
        here = (*path, key)
        if isinstance(tree, List) and value == Scalar(""):
            message = "clients drop empty strings from lists"
            yield ClientWarning(ClientRule.EMPTY_ITEM, shown_path(here), message)
        yield from _empty_items(value, here)
