"""What changes between two documents: their meaning by path and what clients get, never their text; no secret in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reconciler.frozen import Frozen
from reconciler.model.edits import DocumentEdit, EditCause
from reconciler.model.resources import DocumentFormat
from reconciler.model.secret import HIDDEN, UNSHOWN
from reconciler.vaults.client_secrets import client_showings, hidden_paths, with_stand_ins
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.origin import NOTHING_REMEMBERED, declared_origin, live_origin, once_secret
from reconciler.vaults.portable import stored_text
from reconciler.vaults.redact import CLIENT_TARGET, secret_paths
from reconciler.vaults.redactor import SHORTEST, Redactor
from reconciler.vaults.references import bind
from reconciler.vaults.same_text import same_text_as
from reconciler.vaults.showing import Origin, Showing, showings, shown_path
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
    texts,
    transform,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from reconciler.model.resources import Document, Vault
    from reconciler.vaults.origin import Remembered
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


class Shown(Frozen):
    """What becomes of the leaves on both sides of a comparison; ``secret`` ones are so on either side, list by list."""

    before: Mapping[Path, Showing]
    after: Mapping[Path, Showing]
    secret: frozenset[Path] = frozenset()

    @staticmethod
    def of(before: Mapping[Path, Showing], after: Mapping[Path, Showing], secret: Iterable[Path] = ()) -> Shown:
        """Return this for two sides, with further places that are secret wherever an item of their list stands."""
        return Shown(before, after, frozenset(map(_any_index, secret)))

    def is_secret(self, path: Path) -> bool:
        """Return whether what is at a path is a secret on either side."""
        sides = (self.before.get(path), self.after.get(path))
        return Showing.SECRET in sides or (bool(self.secret) and _any_index(path) in self.secret)

    def edit(self, path: Path, old: Tree | None, new: Tree | None) -> DocumentEdit:
        """Return the edit of a path, fit to be shown."""
        if self.is_secret(path):
            return _secret_edit(shown_path(path), old, new)
        sides = ((old, self.before), (new, self.after))
        before, after = (_text(node, showing.get(path, Showing.HIDDEN)) for node, showing in sides)
        return DocumentEdit(path=shown_path(path), before=before, after=after)


def compare(before: Tree, after: Tree, shown: Shown) -> tuple[DocumentEdit, ...]:
    """Return the leaves that change, sorted by path."""
    if before == after:
        return ()
    by_index = _longest_list(before, after) > _MANY_ITEMS
    edits = _edits(_differences(before, after, by_index=by_index), shown)
    # Aligned lists can pair up so that nothing seems to change at any path; index by index something must.
    edits = edits or _edits(_differences(before, after, by_index=True), shown)
    return tuple(edit for _, edit in sorted(edits, key=lambda item: _order(item[0])))


def _edits(differences: Iterable[Difference], shown: Shown) -> list[tuple[Path, DocumentEdit]]:
    """Break differing nodes down to leaves."""
    sides: dict[Path, list[Tree | None]] = {}
    for path_before, path_after, old, new in differences:
        for side, path, node in ((0, path_before, old), (1, path_after, new)):
            for leaf_path, leaf in leaves(node, path) if node is not None else ():
                sides.setdefault(leaf_path, [None, None])[side] = leaf
    return [(path, shown.edit(path, old, new)) for path, (old, new) in sides.items() if old != new]


def compare_vaults(
    before: Vault,
    after: Vault,
    parser: DocumentParser,
    remembered: Remembered = NOTHING_REMEMBERED,
    *,
    reveal: bool = False,
) -> DocumentDiff:
    """Compare a live vault's document with a declared one's; raises :class:`DocumentError` only for the declared one.

    ``remembered`` is what was applied before, ``reveal`` shows every value. ``same_text`` is about what is stored, in
    the format that it is stored in: an author may write YAML and store JSON.
    """
    if after.format is after.document.format:
        same = before.format is after.format and same_text_as(
            before.document, after.document.text.reveal(), after.document, parser
        )
    else:
        same = before.format is after.format and _stored_alike(before, after, parser)
    if same and before.document.format is after.document.format and _all_known(after.document):
        return DocumentDiff((), same_meaning=True, same_text=True)
    return _SideBySide(before, after, parser, remembered, reveal).diff(same_text=same)


def _all_known(document: Document) -> bool:
    return all(value is not None for _, value in document.secrets)


def _stored_alike(before: Vault, after: Vault, parser: DocumentParser) -> bool:
    if not _all_known(after.document):
        # The stored text is made from the tree, so equal leaves mean equal text.
        return not _SideBySide(before, after, parser).diff(same_text=False).edits
    return stored_text(after, parser) == before.document.text


class _Side(Frozen):
    """One of two vaults: its document bound, where its values come from, and which are secret for other reasons."""

    vault: Vault
    bound: Bound
    origin: Origin
    secret: frozenset[Path]


class _SideBySide(Frozen):
    """A live and a declared vault, with what decides what of them is shown."""

    before: Vault
    after: Vault
    parser: DocumentParser
    remembered: Remembered = NOTHING_REMEMBERED
    reveal: bool = False

    def diff(self, *, same_text: bool) -> DocumentDiff:
        """Compare what they mean, and, unless their text is the same, what clients get."""
        document = self.after.document
        wanted = bind(document, self.parser)
        after = self._declared(wanted)
        try:
            present = bind(self.before.document, self.parser)
        except DocumentError:
            shown = Shown.of({}, showings(wanted.tree, after.origin), after.secret)
            edits = tuple(shown.edit(path, None, node) for path, node in leaves(wanted.tree))
            return DocumentDiff(edits, same_meaning=False, same_text=False, unparsable_before=True)
        old, new = present.tree, wanted.tree
        if wanted.unbound:
            old, new = _without(old, new, wanted.unbound), _without(new, new, wanted.unbound)
        before = self._live(present, old, new)
        secret = frozenset() if self.reveal else before.secret | after.secret
        shown = Shown.of(showings(old, before.origin), showings(new, after.origin), secret)
        edits = compare(old, new, shown)
        if self.after.target == CLIENT_TARGET and not same_text:
            edits = (*edits, *_for_clients(before, after, {edit.path for edit in edits}, self.parser))
        return DocumentDiff(edits, same_meaning=not edits, same_text=same_text, secrets_left_out=len(wanted.unbound))

    def _declared(self, wanted: Bound) -> _Side:
        origin = declared_origin(wanted, self.after.document, self.after.target, reveal=self.reveal)
        return _Side(self.after, wanted, origin, wanted.references | once_secret(wanted.tree, self.remembered))

    def _live(self, present: Bound, old: Tree, new: Tree) -> _Side:
        document, target = self.after.document, self.after.target
        origin = live_origin(present.tree, target, self.remembered, document.visible, reveal=self.reveal)
        by_looks = secret_paths(old, target) | secret_paths(old, self.before.target)
        secret = present.references | by_looks | _holding(old, document) | _unsure(old, new, document) | origin.secrets
        return _Side(self.before, present, origin, secret)


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
            unknown = _unknown(tree_after, stand_ins)
            shown = _shown_to_clients(before, after, tree_before, tree_after, known)
            edits = compare(_hide(tree_before, unknown), _hide(tree_after, unknown), shown)
        for edit in edits:
            if edit.path not in written:
                found.setdefault(edit.path, edit)
    substituted = {
        shown_path(path)
        for side in (before, after)
        for path, node in leaves(side.bound.tree)
        if isinstance(node, Expression)
    }
    return [replace(edit, cause=_cause(edit.path, substituted)) for edit in found.values()]


def _shown_to_clients(before: _Side, after: _Side, tree_before: Tree, tree_after: Tree, known: Redactor) -> Shown:
    sides = []
    secret: set[Path] = set()
    for side, tree in ((before, tree_before), (after, tree_after)):
        hidden = hidden_paths(side.bound.tree, tree, side.secret, (known,))
        secret |= hidden
        sides.append(client_showings(side.bound.tree, tree, side.origin, hidden))
    return Shown.of(sides[0], sides[1], () if before.origin.reveal else secret)


def _received(side: _Side, parser: DocumentParser) -> tuple[tuple[Tree, Tree], Redactor]:
    """Return what clients get, without and with an environment, and what stands there for unknown secrets."""
    filled, stand_ins = with_stand_ins(side.vault)
    reading = parser.read(stored_text(filled, parser).reveal())
    return (reading.bare.tree, reading.full.tree), stand_ins


def _is_misread(side: _Side, tree: Tree) -> bool:
    """Return whether clients find in JSON or YAML what nobody wrote: there secrets stand in any place, and are keys."""
    return side.vault.format is not DocumentFormat.HOCON and tree != side.bound.tree


def _unknown(tree: Tree, stand_ins: Redactor) -> frozenset[Path]:
    """Return the leaves that hold a secret that the run has no value for."""
    return frozenset(path for path, node in leaves(tree) if any(map(stand_ins.holds_secret, texts(node))))


def _where_written(
    before: _Side, after: _Side, tree_before: Tree, tree_after: Tree, stand_ins: Redactor
) -> tuple[DocumentEdit, ...]:
    """Compare only what is at paths that somebody wrote, and show no value there."""
    paths = dict.fromkeys(path for side in (before, after) for path, _ in leaves(side.bound.tree))
    found = []
    for path in paths:
        old, new = lookup(tree_before, path), lookup(tree_after, path)
        if old != new and not (new is not None and any(map(stand_ins.holds_secret, texts(new)))):
            found.append(_secret_edit(shown_path(path), old, new))
    unknown = _unknown(tree_after, stand_ins)
    differ = _hide(tree_before, unknown) != _hide(tree_after, unknown)
    return tuple(found) or ((_secret_edit(_UNWRITTEN, tree_before, tree_after),) if differ else ())


def _secret_edit(path: str, old: Tree | None, new: Tree | None) -> DocumentEdit:
    before, after = (_text(node, Showing.SECRET) for node in (old, new))
    return DocumentEdit(path=path, before=before, after=after, secret=True)


def _text(node: Tree | None, showing: Showing) -> str | None:
    """Return how a leaf reads in an edit."""
    if node is None:
        return None
    if showing is Showing.SHOWN:
        return display(node)
    return HIDDEN if showing is Showing.SECRET else UNSHOWN


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
