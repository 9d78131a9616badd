"""What changes between two documents: their meaning by path and what clients get, never their text; no secret in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reconciler.frozen import Frozen
from reconciler.model.edits import DocumentEdit, EditCause
from reconciler.model.resources import DocumentFormat
from reconciler.model.secret import HIDDEN
from reconciler.vaults.client_secrets import hidden_paths, with_stand_ins
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.portable import stored_text
from reconciler.vaults.redact import CLIENT_TARGET, is_hidden, secret_paths
from reconciler.vaults.redactor import SHORTEST, Redactor
from reconciler.vaults.references import bind
from reconciler.vaults.same_text import same_text_as
from reconciler.vaults.tree import (
    Expression,
    Hidden,
    List,
    Object,
    Path,
    Scalar,
    Tree,
    display,
    leaves,
    lookup,
    path_text,
    texts,
    transform,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from reconciler.model.resources import Document, Vault
    from reconciler.vaults.parse import DocumentParser
    from reconciler.vaults.references import Bound

Difference = tuple[Path, Path, Tree | None, Tree | None]
"""Two nodes that differ, of which one may be absent: the path on both sides, then the nodes."""

_UNBOUND = Hidden()
_UNWRITTEN = "(what nobody wrote)"
"""Stands for the paths that only clients find in a document: they may be secrets themselves."""

_MANY_ITEMS = 2_000


class DocumentDiff(Frozen):
    """How two documents differ.

    ``same_meaning``: both mean the same, and clients read the same. ``same_text``: nothing at all would change on the
    server; if the run has no value for some secret, the text around it is compared. ``unparsable_before``: the live
    text cannot be read and is replaced as a whole; its content is not shown. ``secrets_left_out`` counts the leaves
    that could not be compared because the run has no value for them.
    """

    edits: tuple[DocumentEdit, ...]
    same_meaning: bool
    same_text: bool
    unparsable_before: bool = False
    secrets_left_out: int = 0


def compare(
    before: Tree,
    after: Tree,
    *,
    target: str = CLIENT_TARGET,
    secret_paths_before: Collection[Path] = (),
    secret_paths_after: Collection[Path] = (),
) -> tuple[DocumentEdit, ...]:
    """Return the leaves that change, sorted by path; the given paths are secret beside those that the rules know."""
    if before == after:
        return ()
    hidden = frozenset(map(_any_index, (*secret_paths_before, *secret_paths_after)))
    by_index = _longest_list(before, after) > _MANY_ITEMS
    edits = _edits(_differences(before, after, by_index=by_index), target, hidden)
    # Aligned lists can pair up so that nothing seems to change at any path; index by index something must.
    edits = edits or _edits(_differences(before, after, by_index=True), target, hidden)
    return tuple(edit for _, edit in sorted(edits, key=lambda item: _order(item[0])))


def _edits(differences: Iterable[Difference], target: str, hidden: Collection[Path]) -> list[tuple[Path, DocumentEdit]]:
    """Break differing nodes down to leaves, and hide those that are secret on either side."""
    sides: dict[Path, list[Tree | None]] = {}
    for path_before, path_after, old, new in differences:
        for side, path, node in ((0, path_before, old), (1, path_after, new)):
            for leaf_path, leaf in leaves(node, path) if node is not None else ():
                sides.setdefault(leaf_path, [None, None])[side] = leaf
    edits = []
    for path, (old, new) in sides.items():
        if old == new:
            continue
        secret = (
            any(node is not None and is_hidden(path, node, target) for node in (old, new)) or _any_index(path) in hidden
        )
        edits.append((path, _edit(path, old, new, secret)))
    return edits


def compare_vaults(before: Vault, after: Vault, parser: DocumentParser) -> DocumentDiff:
    """Compare a live vault's document with a declared one's; raises :class:`DocumentError` only for the declared one.

    ``same_text`` is about what is stored, in the format that it is stored in: an author may write YAML and store JSON.
    """
    if after.format is after.document.format:
        same = before.format is after.format and same_text_as(
            before.document, after.document.text.reveal(), after.document, parser
        )
    else:
        same = before.format is after.format and _stored_alike(before, after, parser)
    return _compare(before, after, parser, same_text=same)


def _stored_alike(before: Vault, after: Vault, parser: DocumentParser) -> bool:
    if any(value is None for _, value in after.document.secrets):
        # The stored text is made from the tree, so equal leaves mean equal text.
        return not _compare(before, after, parser, same_text=False).edits
    return stored_text(after, parser) == before.document.text


def _compare(before: Vault, after: Vault, parser: DocumentParser, *, same_text: bool) -> DocumentDiff:
    document, target = after.document, after.target
    all_known = all(value is not None for _, value in document.secrets)
    if same_text and before.document.format is document.format and all_known:
        return DocumentDiff((), same_meaning=True, same_text=True)
    wanted = bind(document, parser)
    try:
        present = bind(before.document, parser)
    except DocumentError:
        edits = tuple(
            _edit(path, None, node, secret)
            for path, node in leaves(wanted.tree)
            for secret in (is_hidden(path, node, target, wanted.references),)
        )
        return DocumentDiff(edits, same_meaning=False, same_text=False, unparsable_before=True)
    old, new = present.tree, wanted.tree
    if wanted.unbound:
        old, new = _without(old, new, wanted.unbound), _without(new, new, wanted.unbound)
    by_path = secret_paths(old, target) | secret_paths(old, before.target)
    hidden = present.references | by_path | _holding(old, document) | _unsure(old, new, document)
    edits = compare(old, new, target=target, secret_paths_before=hidden, secret_paths_after=wanted.references)
    if target == CLIENT_TARGET and not same_text:
        sides = (_Side(before, present, hidden), _Side(after, wanted, wanted.references))
        edits = (*edits, *_for_clients(*sides, {edit.path for edit in edits}, parser))
    return DocumentDiff(edits, same_meaning=not edits, same_text=same_text, secrets_left_out=len(wanted.unbound))


class _Side(Frozen):
    """One of two vaults: its document bound, and which of its places are secret beside those that the rules know."""

    vault: Vault
    bound: Bound
    secret: Collection[Path]


def _for_clients(before: _Side, after: _Side, written: Collection[str], parser: DocumentParser) -> list[DocumentEdit]:
    """Return what changes for clients beside what is ``written``, in an environment with and without anything."""
    old, _ = _received(before, parser)
    new, stand_ins = _received(after, parser)
    known = Redactor(secret for _, secret in after.vault.document.secrets if secret is not None)
    found: dict[str, DocumentEdit] = {}
    for tree_before, tree_after in zip(old, new, strict=True):
        if _is_misread(before, tree_before) or _is_misread(after, tree_after):
            edits = _where_written(before, after, tree_before, tree_after, stand_ins)
        else:
            unknown = {path for path, node in leaves(tree_after) if any(map(stand_ins.holds_secret, texts(node)))}
            edits = compare(
                _hide(tree_before, unknown),
                _hide(tree_after, unknown),
                secret_paths_before=hidden_paths(before.bound.tree, tree_before, before.secret, (known,)),
                secret_paths_after=hidden_paths(after.bound.tree, tree_after, after.secret, (known,)),
            )
        for edit in edits:
            if edit.path not in written:
                found.setdefault(edit.path, edit)
    substituted = {
        path_text(path)
        for side in (before, after)
        for path, node in leaves(side.bound.tree)
        if isinstance(node, Expression)
    }
    return [replace(edit, cause=_cause(edit.path, substituted)) for edit in found.values()]


def _received(side: _Side, parser: DocumentParser) -> tuple[tuple[Tree, Tree], Redactor]:
    """Return what clients get, without and with an environment, and what stands there for unknown secrets."""
    filled, stand_ins = with_stand_ins(side.vault)
    reading = parser.read(stored_text(filled, parser).reveal())
    return (reading.bare.tree, reading.full.tree), stand_ins


def _is_misread(side: _Side, tree: Tree) -> bool:
    """Tell whether clients find in JSON or YAML what nobody wrote: there secrets stand in any place, and are keys."""
    return side.vault.format is not DocumentFormat.HOCON and tree != side.bound.tree


def _where_written(
    before: _Side, after: _Side, tree_before: Tree, tree_after: Tree, stand_ins: Redactor
) -> tuple[DocumentEdit, ...]:
    """Compare only what is at paths that somebody wrote, and show no value there."""
    paths = dict.fromkeys(path for side in (before, after) for path, _ in leaves(side.bound.tree))
    found = []
    for path in paths:
        old, new = lookup(tree_before, path), lookup(tree_after, path)
        if old != new and not (new is not None and any(map(stand_ins.holds_secret, texts(new)))):
            found.append(_secret_edit(path_text(path), old, new))
    return tuple(found) or ((_secret_edit(_UNWRITTEN, tree_before, tree_after),) if tree_before != tree_after else ())


def _secret_edit(path: str, old: Tree | None, new: Tree | None) -> DocumentEdit:
    return DocumentEdit(path=path, before=_shown(old, True), after=_shown(new, True), secret=True)


def _hide(tree: Tree, unknown: Collection[Path]) -> Tree:
    return transform(tree, lambda path, node: _UNBOUND if path in unknown else node) if unknown else tree


def _cause(path: str, substituted: Collection[str]) -> EditCause:
    if any(path == other or path.startswith((f"{other}.", f"{other}[")) for other in substituted):
        return EditCause.SUBSTITUTION
    return EditCause.CLIENTS


def _without(tree: Tree, template: Tree, unbound: Collection[Path]) -> Tree:
    """Put the same placeholder into both trees where a value is unknown; a leaf that is missing stays missing."""

    def change(path: Path, node: Tree) -> Tree:
        return (
            _UNBOUND if path in unbound and isinstance(node, Scalar | Expression) and lookup(template, path) else node
        )

    return transform(tree, change)


def _any_index(path: Path) -> Path:
    """Forget positions in lists: items move, and a secret's old value may stand beside its new place."""
    return tuple(0 if isinstance(part, int) else part for part in path)


def _holding(tree: Tree, document: Document) -> frozenset[Path]:
    """Return the leaves that hold the value of one of a document's secrets, wherever they are."""
    values = [secret.reveal() for _, secret in document.secrets if secret is not None]
    values = [value for value in values if len(value) >= SHORTEST]
    return frozenset(
        path for path, node in leaves(tree) if any(value in text for text in texts(node) for value in values)
    )


def _unsure(old: Tree, new: Tree, document: Document) -> frozenset[Path]:
    """Return the leaves that go away from a document that holds secrets: one may have stood there under another name.

    Its value then may be one that nobody knows any more, or that this run was not given.
    """
    return frozenset(path for path, _ in leaves(old) if document.secrets and lookup(new, path) is None)


def _edit(path: Path, old: Tree | None, new: Tree | None, secret: bool) -> DocumentEdit:
    return DocumentEdit(path=path_text(path), before=_shown(old, secret), after=_shown(new, secret), secret=secret)


def _shown(node: Tree | None, secret: bool) -> str | None:
    if node is None:
        return None
    return HIDDEN if secret else display(node)


def _order(path: Path) -> tuple[tuple[int, int, str], ...]:
    return tuple((0, part, "") if isinstance(part, int) else (1, 0, part) for part in path)


def _differences(before: Tree, after: Tree, path: Path = (), *, by_index: bool) -> Iterator[Difference]:
    """Iterate over the nodes that differ.

    What is in objects is paired by its key; which item of a list became which is DeepDiff's to find.
    """
    if isinstance(before, List) and isinstance(after, List):
        yield from _between_lists(before, after, path, by_index=by_index)
        return
    if not (isinstance(before, Object) and isinstance(after, Object)):
        yield path, path, before, after
        return
    for key in dict.fromkeys((*before.entries, *after.entries)):
        old, new, inner = before.entries.get(key), after.entries.get(key), (*path, key)
        if old is None or new is None:
            yield inner, inner, old, new
        elif old != new:
            yield from _differences(old, new, inner, by_index=by_index)


def _between_lists(before: List, after: List, path: Path, *, by_index: bool) -> Iterator[Difference]:
    from deepdiff import DeepDiff

    found = DeepDiff(
        _plain(before),
        _plain(after),
        view="tree",
        ignore_order=False,
        ignore_private_variables=False,  # by default it looks past every key that begins with two underscores
        zip_ordered_iterables=by_index,
        threshold_to_diff_deeper=0,
        verbose_level=2,
    )
    for kind, levels in found.items():
        for level in levels:
            path_before = _path(level, use_t2=False)
            path_after = _path(level, use_t2=True)
            # A removed item's path may lead to its neighbor on the other side.
            gone, fresh = kind.endswith("_item_removed"), kind.endswith("_item_added")
            old = None if fresh else lookup(before, path_before)
            new = None if gone else lookup(after, path_after)
            yield (*path, *path_before), (*path, *path_after), old, new


def _path(level: Any, *, use_t2: bool) -> Path:
    return tuple(level.path(output_format="list", use_t2=use_t2))


def _plain(tree: Tree) -> Any:
    if isinstance(tree, Object):
        return {key: _plain(value) for key, value in tree.entries.items()}
    if isinstance(tree, List):
        return [_plain(item) for item in tree.items]
    # As JSON text: a leaf's type is part of it, and nothing is equal by accident as 1, 1.0 and True are.
    return json.dumps(tree.value) if isinstance(tree, Scalar) else repr(tree)


def _longest_list(*trees: Tree) -> int:
    longest = 0
    nodes = list(trees)
    while nodes:
        node = nodes.pop()
        if isinstance(node, List):
            longest = max(longest, len(node.items))
        if isinstance(node, Object):
            nodes.extend(node.entries.values())
        elif isinstance(node, List):
            nodes.extend(node.items)
    return longest
