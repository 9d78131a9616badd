"""What a declaration makes act, collected for reviews: policy, sources of secrets, deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.acting import (
    Acting,
    ActingDelivery,
    ActingPolicy,
    ActingRule,
    ActingSource,
    DeliveryKind,
    ProtectedResource,
    SourceKind,
)
from reconciler.model.delivery import CommandDelivery, EnvFileDelivery, FileDelivery, KubernetesSecretDelivery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.declaration.declaration import Declaration
    from reconciler.declaration.models import SecretSource
    from reconciler.model.delivery import Delivery
    from reconciler.model.desired import Limit, Policy
    from reconciler.model.snapshot import Snapshot


def acting_of(declaration: Declaration, policy: Policy, snapshot: Snapshot) -> Acting:
    """Return all that a declaration makes act, in a stable order."""
    return Acting(
        policy=ActingPolicy(
            min_admins=policy.min_admins,
            max_removals=_limit(policy.max_removals),
            max_write_gains=policy.max_write_gains,
            domains=tuple(sorted(policy.domains)),
            allowed_sources=tuple(sorted(declaration.top.policy.sources)),
            protected=tuple(ProtectedResource(kind=one.kind, key=one.key) for one in sorted(policy.protected)),
            rules=tuple(
                ActingRule(
                    id=rule.id,
                    subject=rule.subject,
                    require=rule.require.text,
                    when=rule.when.text if rule.when is not None else None,
                    message=rule.message,
                    severity=rule.severity,
                )
                for rule in policy.rules
            ),
        ),
        sources=tuple(_sources(declaration)),
        deliveries=tuple(_deliveries(snapshot)),
    )


def _limit(limit: Limit) -> str:
    least = "" if limit.at_least is None else f", at least {limit.at_least}"
    return f"{limit}{least}"


def _sources(declaration: Declaration) -> Iterator[ActingSource]:
    found = (
        (f"{vault.name} → {vault.owner}: {name}", source)
        for vault in declaration.owned_vaults()
        for name, source in vault.entry.item.secrets.items()
    )
    for name, source in sorted(found, key=lambda item: item[0]):
        kind, arguments = _source(source)
        yield ActingSource(name=name, source=kind, arguments=arguments)


def _source(source: SecretSource) -> tuple[SourceKind, tuple[str, ...]]:
    if source.env is not None:
        return SourceKind.VARIABLE, (source.env,)
    return (
        (SourceKind.FILE, (source.file,))
        if source.file is not None
        else (SourceKind.COMMAND, tuple(source.command or ()))
    )


def _deliveries(snapshot: Snapshot) -> Iterator[ActingDelivery]:
    for _, credential in sorted(snapshot.credentials.items()):
        if credential.delivery is not None:
            kind, arguments = _delivery(credential.delivery)
            yield ActingDelivery(account=credential.account, label=credential.label, delivery=kind, arguments=arguments)


def _delivery(delivery: Delivery) -> tuple[DeliveryKind, tuple[str, ...]]:
    match delivery:
        case FileDelivery():
            return DeliveryKind.FILE, (delivery.path,)
        case EnvFileDelivery():
            return DeliveryKind.ENV_FILE, (delivery.path,)
        case KubernetesSecretDelivery():
            return DeliveryKind.KUBERNETES, (delivery.path, delivery.namespace or "", delivery.name)
        case CommandDelivery():
            return DeliveryKind.COMMAND, delivery.command
