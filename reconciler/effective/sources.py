"""Vaults and base files as sources of configuration: what clients read in them, and what of it may be shown."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.effective.merge import Source
from reconciler.frozen import Frozen
from reconciler.model.resources import Document, DocumentFormat
from reconciler.model.secret import Secret
from reconciler.vaults.client_view import MACHINE_KEYS
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.places import value_lines
from reconciler.vaults.portable import stored_text
from reconciler.vaults.redact import CLIENT_TARGET, is_hidden, redact_tree
from reconciler.vaults.redactor import Redactor
from reconciler.vaults.references import bind
from reconciler.vaults.resolve import resolve
from reconciler.vaults.tree import (
    EMPTY,
    Expression,
    Object,
    Path,
    Substitution,
    Tree,
    leaves,
    lookup,
    parse_path,
    path_text,
    texts,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.model.resources import Vault
    from reconciler.vaults.parse import DocumentParser

BASE_RANK, VAULT_RANK = 0, 1
"""The base file lies lowest; all vaults that reach somebody, an own one too, come in an order that nobody documents."""


_MOST_STEPS = 20


class Standing(StrEnum):
    """Whether clients take a vault that reaches them."""

    APPLIES = "applies"
    DISABLED = "disabled"
    OTHER_TARGET = "other_target"
    DROPPED = "dropped"


class Read(Frozen):
    """A vault as clients read it; ``reason`` says why they drop it. ``left_out`` are keys that they never take."""

    standing: Standing
    source: Source | None = None
    reason: str = ""
    left_out: tuple[str, ...] = ()


class Discretion(Frozen):
    """Known secret values, which must not be shown wherever they are, unless all is to be revealed."""

    secrets: Redactor
    reveal: bool = False


def read_vault(
    vault: Vault,
    name: str,
    parser: DocumentParser,
    discretion: Discretion,
    references: Collection[Path] = (),
) -> Read:
    """Read a vault as a client does: enabled ones for clients, parsed as HOCON whatever their format.

    ``references`` are further places of secrets in it: those of its declaration, where the vault is live.
    """
    if vault.target != CLIENT_TARGET:
        return Read(Standing.OTHER_TARGET)
    if not vault.enabled:
        return Read(Standing.DISABLED)
    filled, stand_ins = _filled(vault)
    try:
        meant, bound = _meant(filled, parser)
        seen = parser.parse(DocumentFormat.HOCON, stored_text(filled, parser).reveal())
    except DocumentError as error:
        return Read(Standing.DROPPED, reason=error.message)
    if not isinstance(seen, Object):
        return Read(Standing.DROPPED, reason="it is not an object at its top")
    tree, left_out = _without_machine_keys(resolve(seen).tree)
    hidden = _hidden_paths(seen, tree, {*bound, *references}, discretion.secrets, stand_ins)
    misread: frozenset[Path] = frozenset()
    if meant != seen:
        misread = frozenset(path for path, _ in leaves(tree) if lookup(meant, path) is None)
        hidden |= {path for path, node in leaves(tree) if lookup(meant, path) != node}
    source = Source(
        name=name,
        tree=tree,
        shown=tree if discretion.reveal else redact_tree(tree, CLIENT_TARGET, hidden),
        rank=VAULT_RANK,
        file=vault.document.file,
        lines=value_lines(vault.document) if vault.document.file else {},
        misread=frozenset() if discretion.reveal else misread,
        unbound=frozenset(path for path, node in leaves(tree) if any(map(stand_ins.holds_secret, texts(node)))),
    )
    return Read(Standing.APPLIES, source, left_out=left_out)


def read_base(name: str, text: str, parser: DocumentParser, discretion: Discretion) -> Source:
    """Read a base file, such as ``clearml.conf``; raises :class:`DocumentError`."""
    document = Document(DocumentFormat.HOCON, Secret(text), (), name)
    seen = parser.parse(DocumentFormat.HOCON, text)
    tree = resolve(seen).tree
    if not isinstance(tree, Object):
        raise DocumentError("a configuration file must be an object at its top")
    hidden = _hidden_paths(seen, tree, set(), discretion.secrets, Redactor())
    shown = tree if discretion.reveal else redact_tree(tree, CLIENT_TARGET, hidden)
    return Source(name, tree, shown, BASE_RANK, name, value_lines(document))


def _filled(vault: Vault) -> tuple[Vault, Redactor]:
    """Give each secret that the run has no value for a word of its own, to be found again in what clients read."""
    document = vault.document
    source = document.text.reveal()
    prefix = "QxUNKNOWN"
    while prefix in source:
        prefix += "x"
    words = {
        name: Secret(f"{prefix}n{index}e") for index, (name, value) in enumerate(document.secrets) if value is None
    }
    bound = tuple((name, words.get(name, value)) for name, value in document.secrets)
    return replace(vault, document=replace(document, secrets=bound)), Redactor(words.values())


def _meant(vault: Vault, parser: DocumentParser) -> tuple[Tree, frozenset[Path]]:
    """Return what the author wrote and where it holds secrets; nothing, if it cannot be read as its format says."""
    try:
        bound = bind(vault.document, parser)
    except DocumentError:
        if vault.document.file is not None:
            raise
        return EMPTY, frozenset()
    return bound.tree, bound.references


def _hidden_paths(
    seen: Tree, tree: Tree, references: Collection[Path], secrets: Redactor, stand_ins: Redactor
) -> set[Path]:
    """Return the leaves that hold a secret beside those that their path tells: by reference, by value, by copy."""
    known = set(references)
    copies = tuple(path for path, node in leaves(seen) if isinstance(node, Expression) and _copies(node, seen, known))
    return {
        path
        for path, node in leaves(tree)
        if path in known
        or any(path[: len(copy)] == copy for copy in copies)
        or any(secrets.holds_secret(text) or stand_ins.holds_secret(text) for text in texts(node))
    }


def _copies(expression: Expression, root: Tree, references: Collection[Path], level: int = 0) -> bool:
    """Tell whether an expression takes over something secret from elsewhere in its document."""
    if level > _MOST_STEPS:
        return True
    for path, node in _sources(expression, root):
        if path is not None and is_hidden(path, node, CLIENT_TARGET, references):
            return True
        if isinstance(node, Expression) and node is not expression and _copies(node, root, references, level + 1):
            return True
    return False


def _sources(expression: Expression, root: Tree) -> Iterator[tuple[Path | None, Tree]]:
    for part in (*expression.parts, expression.earlier):
        if isinstance(part, Substitution):
            try:
                path = parse_path(part.path)
            except ValueError:
                continue
            found = lookup(root, path)
            if found is not None:
                yield from leaves(found, path)
        elif isinstance(part, Expression):
            yield None, part


def _without_machine_keys(tree: Tree) -> tuple[Object, tuple[str, ...]]:
    if not isinstance(tree, Object):
        return EMPTY, ()
    found = [path for path in MACHINE_KEYS if lookup(tree, path) is not None]
    for parent, key in found:
        above = tree.entries[parent]
        rest = (
            {name: value for name, value in above.entries.items() if name != key} if isinstance(above, Object) else {}
        )
        entries = {name: value for name, value in tree.entries.items() if name != parent}
        tree = Object(entries | {parent: Object(rest)} if rest else entries)
    return tree, tuple(map(path_text, found))
