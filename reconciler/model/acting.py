"""What a declaration makes act: programs, sources of secrets, deliveries, and the policy that judges its plans.

A review covers it like access (``docs/explanation/decisions.md, 16``); the record keeps what was last applied of it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from reconciler.errors import Severity
from reconciler.frozen import Published
from reconciler.model.policy import RuleSubject
from reconciler.model.resources import Kind


class SourceKind(StrEnum):
    """Where the value of a secret comes from."""

    VARIABLE = "variable"
    FILE = "file"
    COMMAND = "command"


class ActingSource(Published, kw_only=True):
    """Where one declared secret comes from: a variable, a file, or a program with its arguments."""

    name: str
    source: SourceKind
    arguments: tuple[str, ...]


class DeliveryKind(StrEnum):
    """What becomes of a new secret key."""

    FILE = "file"
    ENV_FILE = "env_file"
    KUBERNETES = "kubernetes_secret"
    COMMAND = "command"


class ActingDelivery(Published, kw_only=True):
    """Where the secret key of one credential goes: a file, or a program with its arguments."""

    account: str
    label: str
    delivery: DeliveryKind
    arguments: tuple[str, ...]


class ProtectedResource(Published, kw_only=True):
    """A resource that is never removed, demoted or emptied; by the server's id where that was known."""

    kind: Kind
    key: tuple[str, ...]
    server_id: str | None = None


class ActingRule(Published, kw_only=True):
    """One rule of the organization's own, by what it requires of whom."""

    id: str
    subject: RuleSubject
    require: str
    when: str | None = None
    message: str = ""
    severity: Severity = Severity.ERROR


class ActingPolicy(Published, kw_only=True):
    """The limits, protected resources and rules that judge a plan."""

    min_admins: int
    max_removals: Annotated[str, Meta(description="A count, or a share in percent.")]
    max_write_gains: int
    domains: tuple[str, ...] = ()
    allowed_sources: tuple[str, ...] = ()
    protected: tuple[ProtectedResource, ...] = ()
    rules: tuple[ActingRule, ...] = ()


class Acting(Published, kw_only=True):
    """All that a declaration makes act."""

    policy: ActingPolicy
    sources: tuple[ActingSource, ...] = ()
    deliveries: tuple[ActingDelivery, ...] = ()
