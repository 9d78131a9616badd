"""The merged client configuration of one member or service account, with where everything in it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.effective.merge import Source, Value, merge
from reconciler.effective.sources import FAILING, NOTHING_KNOWN, Discretion, Known, Read, Standing, read_vault
from reconciler.frozen import Frozen
from reconciler.model.resources import DocumentFormat, Member, MemberState, ServiceAccount
from reconciler.model.text import fold
from reconciler.plan.access.index import ReachingVault, Through
from reconciler.vaults.client_view import ClientRule, client_differences
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.showing import shown_key, with_shown_keys
from reconciler.vaults.tree import Hidden, Object, Path, Tree

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.model.resources import Address, Vault
    from reconciler.plan.access.index import AccessIndex
    from reconciler.vaults.parse import DocumentParser

CONFLICT = Hidden("(conflict)")
_BUILT_IN = ("Users", "Admins")
"""The groups that everyone is in, and that every admin is in."""

_TOLD_OTHERWISE = frozenset(
    {ClientRule.MACHINE_KEY, ClientRule.DROPPED, ClientRule.ENDLESS, ClientRule.UNRESOLVED, ClientRule.VANISHES}
)


class Standings(Frozen):
    """A vault that reaches somebody, the ``name`` that its values are marked with, and what clients make of it."""

    name: str
    reaching: ReachingVault
    read: Read
    warnings: tuple[str, ...] = ()


class Configuration(Frozen):
    """What somebody's clients end up with.

    ``title`` is who it is, as people write it; ``invited`` and ``impersonates`` say what else is to be known of it.
    ``groups`` are those that it is in; ``unknown_groups`` have vaults, and nobody says whether it is in them.
    ``misread`` counts values that clients find although the author did not write them: they are not shown.
    ``organization`` are vaults of the whole organization, which may reach it or not: nothing published says so.
    """

    principal: Address
    title: str
    groups: tuple[str, ...]
    unknown_groups: tuple[str, ...]
    vaults: tuple[Standings, ...]
    base: str | None
    values: tuple[Value, ...]
    misread: int = 0
    organization: tuple[Standings, ...] = ()
    invited: bool = False
    impersonates: bool = False

    @property
    def conflicts(self) -> tuple[Value, ...]:
        """The values that depend on an order that is not documented."""
        return tuple(value for value in self.values if value.is_conflict)

    @property
    def failing(self) -> tuple[Standings, ...]:
        """The vaults that are meant to apply, and do not, or not to all clients."""
        return tuple(vault for vault in self.vaults if vault.read.standing in FAILING)

    def within(self, path: Path) -> tuple[Value, ...]:
        """Return the values at and below a path, and the one that holds it."""
        return tuple(
            value for value in self.values if value.path[: len(path)] == path or path[: len(value.path)] == value.path
        )


def configure(
    principal: Address,
    index: AccessIndex,
    parser: DocumentParser,
    discretion: Discretion,
    *,
    base: Source | None = None,
    known: Mapping[Address, Known] | None = None,
    organization: Iterable[Vault] = (),
) -> Configuration:
    """Work out somebody's configuration from who reaches what, as desired or live, over a base file.

    ``known`` is what is known of live vaults beside themselves. Vaults of the whole ``organization`` are read, and not
    merged.
    """
    found = index.vaults(principal)
    names = _names([item.vault for item in found])
    vaults = tuple(
        _standing(item, name, parser, discretion, (known or {}).get(item.vault.address, NOTHING_KNOWN))
        for item, name in zip(found, names, strict=True)
    )
    sources = [vault.read.source for vault in vaults if vault.read.source is not None]
    values = merge(base, sources, parser)
    shown = tuple(value for value in values if not _is_misread(value))
    resource = index.snapshot.get(principal)
    return Configuration(
        principal=principal,
        title=index.title(principal),
        groups=(*_BUILT_IN[: 1 + index.is_admin(principal)], *map(index.title, index.groups(principal))),
        unknown_groups=index.unknown_groups(principal),
        vaults=vaults,
        base=base.name if base is not None else None,
        values=shown,
        misread=len(values) - len(shown),
        organization=tuple(
            _standing(ReachingVault(vault, Through.UNKNOWN), vault.name, parser, discretion, NOTHING_KNOWN)
            for vault in organization
        ),
        invited=isinstance(resource, Member) and resource.state is MemberState.INVITED,
        impersonates=isinstance(resource, ServiceAccount) and resource.impersonation,
    )


def document(values: Iterable[Value]) -> Object:
    """Return values as one tree fit to be shown: secrets and conflicts are placeholders."""
    root: dict[str, Tree | dict[str, object]] = {}
    for value in values:
        node: dict[str, object] = root  # type: ignore[assignment]
        *above, last = (shown_key(str(part)) for part in value.path)
        for key in above:
            node = node.setdefault(key, {})  # type: ignore[assignment]
        node[last] = CONFLICT if value.is_conflict else with_shown_keys(value.said[0].shown)
    return _object(root)


def _object(entries: Mapping[str, object]) -> Object:
    return Object({key: _object(value) if isinstance(value, dict) else value for key, value in entries.items()})  # type: ignore[misc]


def _standing(
    item: ReachingVault, name: str, parser: DocumentParser, discretion: Discretion, known: Known
) -> Standings:
    read = read_vault(item.vault, name, parser, discretion, known)
    return Standings(name, item, read, _warnings(item.vault, parser) if read.standing is Standing.APPLIES else ())


def _warnings(vault: Vault, parser: DocumentParser) -> tuple[str, ...]:
    try:
        found = client_differences(vault, parser)
    except DocumentError as error:
        if vault.document.format is DocumentFormat.HOCON:
            return (f"in a declaration it would be {error.verdict}",)
        return ("it cannot be read as its format says, so none of its values is shown",)
    return tuple(item.sentence for item in found if item.rule not in _TOLD_OTHERWISE)


def _names(vaults: Sequence[Vault]) -> list[str]:
    """Return what to call each vault: its name, with its owner where two have the same."""
    from collections import Counter

    count: Counter[str] = Counter(fold(vault.name) for vault in vaults)
    return [vault.name if count[fold(vault.name)] == 1 else vault.title for vault in vaults]


def _is_misread(value: Value) -> bool:
    return any(path[: len(said.path)] == said.path for said in value.said for path in said.source.misread)
