"""From a declaration to the desired snapshot."""

from __future__ import annotations

from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.declaration.acting import acting_of
from reconciler.declaration.check_documents import referred
from reconciler.declaration.check_names import is_builtin_group
from reconciler.errors import SecretUnavailableError
from reconciler.frozen import Frozen
from reconciler.model.access import NAMED_BY_ID, Entity
from reconciler.model.delivery import CommandDelivery, EnvFileDelivery, FileDelivery, KubernetesSecretDelivery
from reconciler.model.desired import Desired, Policy, Scope
from reconciler.model.resources import (
    AccessRule,
    Address,
    Credential,
    Document,
    Group,
    Kind,
    Member,
    OwnerKind,
    ServiceAccount,
    Vault,
)
from reconciler.model.secret import Secret
from reconciler.model.snapshot import Snapshot
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.declaration.declaration import Declaration, Entry, OwnedVault
    from reconciler.declaration.models import GroupEntry, ServiceAccountEntry, UnreadableSection
    from reconciler.declaration.models_access import AccessRuleEntry
    from reconciler.declaration.models_credentials import CredentialEntry, DeliverSection
    from reconciler.declaration.secrets import SecretProvider
    from reconciler.errors import Place
    from reconciler.model.delivery import Delivery
    from reconciler.model.resources import Resource
    from reconciler.yaml.tree import YamlPath

_SCOPED = (Kind.MEMBER, Kind.SERVICE_ACCOUNT, Kind.GROUP, Kind.VAULT, Kind.ACCESS_RULE)


class Bindings(Frozen):
    """The secrets that documents use, by the places of their vaults (file and path)."""

    of: Mapping[tuple[str, YamlPath], tuple[tuple[str, Secret | None], ...]]
    without_secrets: bool


def resolve(declaration: Declaration, *, secrets: SecretProvider | None) -> Desired:
    """Return what a checked declaration asks for, with the secrets that its documents use: see :func:`bind`."""
    return desired_of(declaration, bind(declaration, secrets=secrets))


def bind(declaration: Declaration, *, secrets: SecretProvider | None, all_needed: bool = True) -> Bindings:
    """Return the secrets that the documents use.

    ``secrets=None`` runs without secrets: their names stay, bound to nothing, as does the name of one that cannot be
    read if not ``all_needed``. Else raises :class:`reconciler.errors.SecretUnavailableError` naming every secret that
    could not be read.
    """
    failures: dict[str, SecretUnavailableError] = {}
    found = {vault.entry.key: _bound(declaration, vault, secrets, failures) for vault in declaration.owned_vaults()}
    if failures and all_needed:
        first = next(iter(failures.values()))
        raise SecretUnavailableError("; ".join(failures), hint=first.hint)
    return Bindings(found, secrets is None)


def desired_of(declaration: Declaration, bindings: Bindings, reviewed: Collection[str] = ()) -> Desired:
    """Return what a checked declaration asks for; ``reviewed`` files are those that git has as they are."""
    resources: dict[Address, Resource] = {}
    places: dict[Address, Place] = {}
    for resource, place in chain(_resources(declaration), _vaults(declaration, bindings, reviewed)):
        address = resource.address
        resources[address] = resource
        places[address] = place
    snapshot, policy = Snapshot(MappingProxyType(resources)), _policy(declaration)
    return Desired(
        workspace=declaration.top.workspace.name,
        server=declaration.top.workspace.server,
        snapshot=snapshot,
        scope=_scope(declaration),
        policy=policy,
        renames=dict(_renames(declaration)),
        places=places,
        without_secrets=bindings.without_secrets,
        acting=acting_of(declaration, policy, snapshot),
    )


def _resources(declaration: Declaration) -> Iterator[tuple[Resource, Place]]:
    for member in declaration.members or ():
        item = member.item
        yield Member(item.email, item.role, item.name), member.place()
    for account in declaration.service_accounts or ():
        yield _account(account.item), account.place()
        for index, credential in enumerate(account.item.credentials or ()):
            yield _credential(account.item.name, credential), account.place("credentials", index)
    for group in declaration.groups or ():
        yield _group(group), group.place()
    for rule in declaration.access_rules or ():
        yield _access_rule(rule.item), rule.place()


def _account(item: ServiceAccountEntry) -> ServiceAccount:
    return ServiceAccount(item.name, impersonation=item.impersonation, admin=item.admin)


def _credential(account: str, item: CredentialEntry) -> Credential:
    delivery = _delivery(item.deliver) if item.deliver is not None else None
    return Credential(account, item.label, item.expires_in, item.rotate_before, delivery)


def _delivery(section: DeliverSection) -> Delivery:
    if section.env_file is not None:
        return EnvFileDelivery(section.env_file.path, section.env_file.gitignore)
    if section.command is not None:
        return CommandDelivery(tuple(section.command))
    if section.kubernetes_secret is not None:
        secret = section.kubernetes_secret
        return KubernetesSecretDelivery(secret.file, secret.name, secret.namespace, secret.gitignore)
    return FileDelivery(section.file.path, section.file.gitignore) if section.file is not None else FileDelivery("")


def _group(entry: Entry[GroupEntry]) -> Group:
    item = entry.item
    return Group(
        item.name,
        description=None if item.description is None else item.description.strip(),
        members=None if item.members is None else frozenset(map(fold, item.members)),
        service_accounts=None if item.service_accounts is None else frozenset(map(fold, item.service_accounts)),
        builtin=is_builtin_group(item.name),
    )


def _access_rule(item: AccessRuleEntry) -> AccessRule:
    kind, reference = item.resource.type, item.resource.reference
    if kind in NAMED_BY_ID:
        entity = Entity(kind, reference.id or reference.text)
    else:
        entity = Entity(kind, reference.id, reference.text)
    return AccessRule(
        item.name,
        entity,
        item.permission,
        members=frozenset(map(fold, item.members)),
        service_accounts=frozenset(map(fold, item.service_accounts)),
        groups=frozenset(map(fold, item.groups)),
        description=None if item.description is None else item.description.strip(),
    )


def _vaults(declaration: Declaration, bindings: Bindings, reviewed: Collection[str]) -> Iterator[tuple[Vault, Place]]:
    for vault in declaration.owned_vaults():
        yield _vault(declaration, vault, bindings.of[vault.entry.key], reviewed), vault.entry.place()


def _bound(
    declaration: Declaration,
    vault: OwnedVault,
    secrets: SecretProvider | None,
    failures: dict[str, SecretUnavailableError],
) -> tuple[tuple[str, Secret | None], ...]:
    """Return the secrets that a document uses, by name; what cannot be read is noted in ``failures``."""
    document = declaration.document(vault.entry)
    used = referred(document.text) if document is not None else set()
    bound: list[tuple[str, Secret | None]] = []
    for name, source in sorted(vault.entry.item.secrets.items()):
        if name not in used:
            continue
        try:
            bound.append((name, None if secrets is None else secrets.resolve(name, source)))
        except SecretUnavailableError as error:
            bound.append((name, None))
            failures.setdefault(error.message, error)
    return tuple(bound)


def _vault(
    declaration: Declaration,
    vault: OwnedVault,
    bound: tuple[tuple[str, Secret | None], ...],
    reviewed: Collection[str],
) -> Vault:
    item = vault.entry.item
    text = declaration.document(vault.entry)
    if text is None:
        raise ValueError("a declaration without a vault's document cannot be resolved")
    return Vault(
        name=vault.name,
        owner_kind=vault.owner_kind,
        owner=vault.owner,
        document=Document(
            item.document_format,
            Secret(text.text),
            bound,
            text.file,
            text.line,
            reviewed=text.file in reviewed,
            visible=(*declaration.top.policy.visible, *item.visible),
        ),
        format=item.sent_format,
        target=item.target,
        enabled=item.enabled,
    )


def _scope(declaration: Declaration) -> Scope:
    accounts = declaration.service_accounts or ()
    return Scope(
        kinds={kind: declaration.management(kind) for kind in _SCOPED},
        credentials_of=frozenset(fold(entry.item.name) for entry in accounts if entry.item.credentials is not None),
        vaults_of=frozenset(fold(entry.item.name) for entry in accounts if entry.item.manages_vault),
    )


def _policy(declaration: Declaration) -> Policy:
    policy = declaration.top.policy
    protect = policy.protect
    vaults = (
        Address.vault(OwnerKind.GROUP, vault.group, vault.name)
        if vault.group is not None
        else Address.vault(OwnerKind.SERVICE_ACCOUNT, vault.service_account or "", vault.name)
        for vault in protect.vaults
    )
    protected = frozenset(
        {
            *map(Address.member, protect.members),
            *map(Address.service_account, protect.service_accounts),
            *map(Address.group, protect.groups),
            *map(Address.access_rule, protect.access_rules),
            *(Address.credential(one.service_account, one.label) for one in protect.credentials),
            *vaults,
        }
    )
    return Policy(
        min_admins=policy.min_admins,
        max_removals=policy.max_removals,
        protected=protected,
        domains=frozenset(map(fold, policy.domains)),
        max_write_gains=policy.max_write_gains,
        rules=declaration.rules,
        unreadable=frozenset(_accepted(policy.unreadable)),
    )


def _accepted(section: UnreadableSection) -> Iterator[tuple[Kind, str]]:
    for kind, name in _UNREADABLE.items():
        for told in getattr(section, name):
            yield kind, told
            yield kind, fold(told)


_UNREADABLE = {kind: f"{kind.value}s" for kind in Kind}


def _renames(declaration: Declaration) -> Iterator[tuple[Address, Address]]:
    for account in declaration.service_accounts or ():
        if account.item.was is not None:
            yield Address.service_account(account.item.name), Address.service_account(account.item.was)
    for group in declaration.groups or ():
        if group.item.was is not None:
            yield Address.group(group.item.name), Address.group(group.item.was)
    for rule in declaration.access_rules or ():
        if rule.item.was is not None:
            yield Address.access_rule(rule.item.name), Address.access_rule(rule.item.was)
    for vault in declaration.vaults or ():
        item = vault.item
        if item.was is not None:
            yield (
                Address.vault(OwnerKind.GROUP, item.group, item.name),
                Address.vault(OwnerKind.GROUP, item.group, item.was),
            )
