"""What a declaration names, checked against the workspace: it must exist, and be one thing only."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from reconciler.errors import AmbiguousWorkspaceError, InvalidDeclarationError, Problem
from reconciler.model.desired import Desired, Management
from reconciler.model.live import cannot_be_invited
from reconciler.model.resources import AccessRule, Group, Kind, OwnerKind, Vault
from reconciler.model.text import harmless
from reconciler.plan.access_rules import GRANTEES, unknown_entities

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.model.live import Live
    from reconciler.model.resources import Address, Resource
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.rotation import Rotation


def check_references(
    desired: Desired, adopted: Snapshot, live: Live, rotation: Rotation, unknown: Collection[Address] = ()
) -> None:
    """Check that all that the declaration names is declared or live, and that no name means two things.

    What is ``unknown`` is not created, so that it needs no delivery.

    Raises :class:`InvalidDeclarationError` with every unknown name, or :class:`AmbiguousWorkspaceError`.
    """
    for address, ids in sorted(live.ambiguous.items()):
        if address in desired.snapshot or _is_managed_whole(desired, address):
            name = harmless(" / ".join(address.key))
            raise AmbiguousWorkspaceError(
                f"the workspace has {len(ids)} {address.kind.value}s named {name} (ids {', '.join(sorted(ids))})",
                hint="rename or remove all but one of them in the web page, then run again",
            )
    wanted = desired.snapshot
    names = {kind: frozenset(address.key[0] for address in adopted.of_kind(kind)) for kind in GRANTEES.values()}
    naming: Iterator[tuple[Address, Resource]] = chain(
        wanted.groups.items(), wanted.access_rules.items(), wanted.vaults.items()
    )
    problems = [
        problem for address, resource in naming for problem in _unknown(desired, adopted, names, address, resource)
    ]
    problems += unknown_entities(desired, live)
    problems += _undeliverable(desired, live, rotation, unknown)
    problems += _not_to_be_invited(desired, live)
    if problems:
        raise InvalidDeclarationError(problems)


def _is_managed_whole(desired: Desired, address: Address) -> bool:
    """Return whether what is not declared would be removed."""
    if address.kind is Kind.VAULT and address.key[0] == OwnerKind.SERVICE_ACCOUNT.value:
        return address.key[1] in desired.scope.vaults_of
    return desired.scope.management(address.kind) is Management.ALL


def _undeliverable(desired: Desired, live: Live, rotation: Rotation, unknown: Collection[Address]) -> list[Problem]:
    """Return the credentials that would have to be made although nobody says where their secret keys go."""
    return [
        Problem(
            "undeliverable",
            f"credential {credential.title} has to be created, and the declaration does not say where to deliver it",
            desired.places.get(address),
            "add deliver: {file: …}",
        )
        for address, credential in desired.snapshot.credentials.items()
        if credential.delivery is None
        and address not in unknown
        and (address not in live.snapshot or rotation.due(credential, address))
    ]


def _not_to_be_invited(desired: Desired, live: Live) -> list[Problem]:
    """Return the people whom the server would invite with another role than the declared one, without saying so."""
    return [
        Problem(
            "invitation-role",
            cannot_be_invited(member.email, member.role),
            desired.places.get(address),
            "let an admin invite them in the web page, or declare `role: user` until they have joined",
        )
        for address, member in desired.snapshot.members.items()
        if address not in live.snapshot and member.role is not None and member.role not in live.invitation_roles
    ]


def _unknown(
    desired: Desired, adopted: Snapshot, names: Mapping[Kind, frozenset[str]], address: Address, resource: Resource
) -> Iterator[Problem]:
    if isinstance(resource, Group | AccessRule):
        noun = "group" if isinstance(resource, Group) else "access rule"
        missing = [
            (name, kind)
            for field, kind in GRANTEES.items()
            for name in (getattr(resource, field, None) or frozenset()) - names[kind]
        ]
        for name, kind in sorted(missing):
            message = f"{noun} {resource.name} names {name}, which is neither declared nor in the workspace"
            hint = f"declare the {kind.value}"
            yield Problem("unknown-reference", message, desired.places.get(address), hint)
    elif isinstance(resource, Vault):
        owner = address.owner
        if owner is not None and owner not in adopted:
            message = (
                f"vault {resource.name} refers to {resource.owner}, which is neither declared nor in the workspace"
            )
            hint = f"declare the {owner.kind.value}"
            yield Problem("unknown-reference", message, desired.places.get(address), hint)
