"""The order of the keys of every part of a declaration, as it is written and as ``fmt`` brings it about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.declaration.models import (
    GroupEntry,
    MemberEntry,
    PolicySection,
    ProtectedVault,
    SecretSource,
    ServiceAccountEntry,
    UnreadableSection,
    WorkspaceSection,
)
from reconciler.declaration.models_access import AccessRuleEntry
from reconciler.declaration.models_credentials import CredentialEntry, DeliverSection, KubernetesSecret

if TYPE_CHECKING:
    from pydantic import BaseModel

Step = str | int

_VAULT: Final = ("name", "group", "was", "enabled", "target", "format", "file", "data", "send_as", "secrets")
TOP: Final = (
    *("version", "workspace", "include", "manage", "policy"),
    *("members", "service_accounts", "groups", "vaults", "access_rules"),
)
"""The keys at the top of a file."""

ITEM: Final = "[]"
"""Stands for the position in a list in a path of :data:`ORDERS`."""

ANY: Final = "*"
"""Stands for any key in a path of :data:`ORDERS`."""


def _fields(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(model.model_fields)


ORDERS: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    (): TOP,
    ("workspace",): _fields(WorkspaceSection),
    ("manage",): TOP[5:],
    ("policy",): _fields(PolicySection),
    ("policy", "protect"): TOP[5:],
    ("policy", "unreadable"): _fields(UnreadableSection),
    ("policy", "protect", "vaults", ITEM): _fields(ProtectedVault),
    ("members", ITEM): _fields(MemberEntry),
    ("service_accounts", ITEM): _fields(ServiceAccountEntry),
    ("service_accounts", ITEM, "credentials", ITEM): _fields(CredentialEntry),
    ("service_accounts", ITEM, "credentials", ITEM, "deliver"): _fields(DeliverSection),
    ("service_accounts", ITEM, "credentials", ITEM, "deliver", "kubernetes_secret"): _fields(KubernetesSecret),
    ("service_accounts", ITEM, "vault"): _VAULT,
    ("service_accounts", ITEM, "vault", "secrets", ANY): _fields(SecretSource),
    ("groups", ITEM): _fields(GroupEntry),
    ("vaults", ITEM): _VAULT,
    ("vaults", ITEM, "secrets", ANY): _fields(SecretSource),
    ("access_rules", ITEM): _fields(AccessRuleEntry),
}
"""Paths of mappings, each with its keys in order; other mappings stay as they are."""


def set_key(entry: dict[str, Any], key: str, value: Any, order: tuple[str, ...]) -> None:
    """Set a key; a new one comes where the order wants it, as far as the others are in order."""
    if key in entry:
        entry[key] = value
        return
    earlier = order[: order.index(key)]
    items = list(entry.items())
    position = max((index + 1 for index, (name, _) in enumerate(items) if name in earlier), default=0)
    entry.clear()
    entry.update([*items[:position], (key, value), *items[position:]])
