"""Vaults and base files as sources of configuration: what clients read in them, and what of it may be shown."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.effective.merge import Source
from reconciler.frozen import Frozen
from reconciler.model.resources import Document, DocumentFormat
from reconciler.model.secret import Secret
from reconciler.vaults.client_secrets import client_showings, hidden_paths, with_stand_ins
from reconciler.vaults.client_view import MACHINE_KEYS
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.hocon import Outcome
from reconciler.vaults.origin import NOTHING_REMEMBERED, declared_origin, live_origin
from reconciler.vaults.places import value_lines
from reconciler.vaults.portable import stored_text
from reconciler.vaults.redact import CLIENT_TARGET
from reconciler.vaults.references import Bound, bind
from reconciler.vaults.showing import UNKNOWN, Origin, shown_tree
from reconciler.vaults.tree import EMPTY, Object, Path, Tree, leaves, lookup, path_text, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.resources import Vault
    from reconciler.vaults.origin import Remembered
    from reconciler.vaults.parse import DocumentParser
    from reconciler.vaults.redactor import Redactor


class Standing(StrEnum):
    """Whether clients take a vault that reaches them; a ``refused`` one this project does not write."""

    APPLIES = "applies"
    DISABLED = "disabled"
    OTHER_TARGET = "other_target"
    DROPPED = "dropped"
    ENDLESS = "endless"
    NEEDS_ENVIRONMENT = "needs_environment"
    REFUSED = "refused"


FAILING = frozenset({Standing.DROPPED, Standing.ENDLESS, Standing.NEEDS_ENVIRONMENT, Standing.REFUSED})
"""A vault that is meant to apply, and does not, or not to all clients."""


class FromEnvironment(Frozen):
    """A leaf that clients have otherwise if their environment has what its vault asks for; both fit to be shown."""

    path: Path
    without: Tree | None
    value: Tree | None


class Read(Frozen):
    """A vault as clients read it; ``reason`` says why they do not. ``left_out`` are keys that they never take.

    ``environment`` are the variables that it asks clients' environments for, and ``changed`` is what they change.
    """

    standing: Standing
    source: Source | None = None
    reason: str = ""
    left_out: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    changed: tuple[FromEnvironment, ...] = ()


class Discretion(Frozen):
    """Known secret values, which must not be shown wherever they are, unless all is to be revealed."""

    secrets: Redactor
    reveal: bool = False


class Known(Frozen):
    """What is known of a live vault beside itself: what its declaration says of it, and what was applied before."""

    references: frozenset[Path] = frozenset()
    visible: tuple[str, ...] = ()
    remembered: Remembered = NOTHING_REMEMBERED


NOTHING_KNOWN = Known()


def read_vault(
    vault: Vault, name: str, parser: DocumentParser, discretion: Discretion, known: Known = NOTHING_KNOWN
) -> Read:
    """Read a vault as a client does: enabled ones for clients, parsed as HOCON whatever their format."""
    if vault.target != CLIENT_TARGET:
        return Read(Standing.OTHER_TARGET)
    if not vault.enabled:
        return Read(Standing.DISABLED)
    filled, stand_ins = with_stand_ins(vault)
    try:
        meant = _meant(filled, parser)
        text = stored_text(filled, parser)
    except DocumentError as error:
        return Read(Standing.REFUSED, reason=error.message)
    reading = parser.read(text.reveal())
    received = reading.usual
    if received.outcome is not Outcome.READ:
        standing = Standing.DROPPED if received.outcome is Outcome.DROPPED else Standing.ENDLESS
        return Read(standing, reason=received.reason, environment=reading.asked)

    origin = _origin(vault, meant, known)

    def shown(tree: Object) -> tuple[Tree, frozenset[Path]]:
        if discretion.reveal:
            return tree, frozenset()
        misread: frozenset[Path] = frozenset()
        hidden = hidden_paths(meant.tree, tree, origin.secrets, (discretion.secrets, stand_ins))
        if vault.document.format is not DocumentFormat.HOCON and meant.tree != tree:
            misread = frozenset(path for path, _ in leaves(tree) if lookup(meant.tree, path) is None)
            hidden |= {path for path, node in leaves(tree) if lookup(meant.tree, path) != node}
        return shown_tree(tree, client_showings(meant.tree, tree, origin, hidden), hidden), misread

    tree = received.tree
    redacted, misread = shown(tree)
    needs = reading.bare.outcome is not Outcome.READ
    without: Tree = EMPTY if needs else redacted
    source = Source(
        name=name,
        text=text,
        tree=tree,
        shown=redacted,
        file=vault.document.file,
        lines=value_lines(vault.document) if vault.document.file else {},
        misread=misread,
        unbound=frozenset(path for path, node in leaves(tree) if any(map(stand_ins.holds_secret, texts(node)))),
    )
    return Read(
        Standing.NEEDS_ENVIRONMENT if needs else Standing.APPLIES,
        None if needs else source,
        left_out=tuple(path_text(path) for path in MACHINE_KEYS if lookup(tree, path) is not None),
        environment=reading.asked,
        changed=tuple(_changed(without, shown(reading.full.tree)[0])) if reading.asked else (),
    )


def _changed(without: Tree, full: Tree) -> Iterator[FromEnvironment]:
    """Iterate over the leaves that an environment changes; nothing if clients that have it drop the vault."""
    if full == EMPTY:
        return
    for path in dict.fromkeys(path for tree in (without, full) for path, _ in leaves(tree)):
        if lookup(without, path) != lookup(full, path):
            yield FromEnvironment(path, lookup(without, path), lookup(full, path))


def read_base(name: str, text: str, parser: DocumentParser, discretion: Discretion) -> Source:
    """Read a base file, such as ``clearml.conf``; raises :class:`DocumentError` if clients cannot read it."""
    document = Document(DocumentFormat.HOCON, Secret(text), (), name)
    received = parser.read(text).usual
    if received.outcome is not Outcome.READ:
        raise DocumentError(received.reason, received.line, received.column)
    tree = received.tree
    try:
        meant = parser.parse(DocumentFormat.HOCON, text)
    except DocumentError:
        meant = EMPTY
    hidden = hidden_paths(meant, tree, frozenset(), (discretion.secrets,))
    shown = tree if discretion.reveal else shown_tree(tree, client_showings(meant, tree, UNKNOWN, hidden), hidden)
    return Source(name, Secret(text), tree, shown, name, value_lines(document), base=True)


def _origin(vault: Vault, meant: Bound, known: Known) -> Origin:
    document = vault.document
    if document.file is not None:
        return declared_origin(meant, document, CLIENT_TARGET)
    origin = live_origin(meant.tree, CLIENT_TARGET, known.remembered, known.visible)
    return replace(origin, secrets=origin.secrets | meant.references | known.references)


def _meant(vault: Vault, parser: DocumentParser) -> Bound:
    """Return what the author wrote and where it holds secrets; nothing, if it cannot be read as its format says."""
    try:
        return bind(vault.document, parser)
    except DocumentError:
        if vault.document.file is not None:
            raise
        return Bound(EMPTY, frozenset(), frozenset())
