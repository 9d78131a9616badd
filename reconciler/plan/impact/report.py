"""The impact of a plan as data: headlines, and what each person and service account gains and loses."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from reconciler.frozen import Published
from reconciler.model.resources import Kind


class Weight(StrEnum):
    """How closely a reviewer has to look, heaviest first.

    ``CRITICAL``: admins, impersonation, everyone, the last of its kind, credentials destroyed. ``SENSITIVE``: write
    access, secrets within reach. ``ROUTINE``: the rest.
    """

    CRITICAL = "critical"
    SENSITIVE = "sensitive"
    ROUTINE = "routine"


class Aspect(StrEnum):
    """What of a principal changes."""

    WORKSPACE = "workspace"
    ROLE = "role"
    ADMIN = "admin"
    IMPERSONATION = "impersonation"
    CREDENTIAL = "credential"
    GROUP = "group"
    ACCESS = "access"
    VAULT = "vault"


class HeadlineType(StrEnum):
    """What happens to more than one principal at once, or to the workspace as a whole."""

    OPENS_TO_EVERYONE = "opens_to_everyone"
    CLOSES_TO_EVERYONE = "closes_to_everyone"
    LAST_OF_ITS_KIND = "last_of_its_kind"
    EMPTIED_GROUP = "emptied_group"
    CREDENTIALS_DESTROYED = "credentials_destroyed"
    VAULT_CHANGES = "vault_changes"
    NO_EFFECT = "no_effect"


class Effect(Published, kw_only=True):
    """One thing that a principal gains, loses, or has otherwise.

    ``before`` and ``after`` are levels as people read them (``read``, ``admin``, ``member``), ``null`` for nothing;
    ``via`` names what it comes through: the group, the rule, or both. ``paths`` and ``secrets`` count what a vault
    brings: configuration values, and secrets among them. ``at_least`` says that more than ``after`` may be left, by
    a rule that may apply: the project that holds a model, say, is not known.
    """

    aspect: Aspect
    subject: str
    before: str | None
    after: str | None
    via: tuple[str, ...] = ()
    weight: Weight
    paths: int = 0
    secrets: int = 0
    at_least: bool = False

    @property
    def is_gain(self) -> bool:
        """Whether the principal has more afterwards."""
        return self.before is None or (self.after is not None and _RANK.get(self.after, 1) > _RANK.get(self.before, 1))


_RANK = {"consumer": 0, "read": 1, "user": 1, "read_write": 2, "admin": 3}


class PrincipalImpact(Published, kw_only=True):
    """All effects on one person or service account, heaviest first."""

    kind: Kind
    title: str
    weight: Weight
    effects: tuple[Effect, ...]
    invitation: Annotated[bool, Meta(description="The effects come about once the invitation is accepted.")] = False


class Headline(Published, kw_only=True):
    """Something that concerns everyone, a whole group, or nobody at all.

    ``level`` is what everyone may do afterwards (``null``: nothing any more), or what happens to a vault. ``names`` are
    those who keep what is closed to the others, or the paths of a vault that change; ``count`` is how many keep it, or
    how many a vault reaches, or how many there were. ``at_least`` is as for :class:`Effect`.
    """

    type: HeadlineType
    kind: Kind
    subject: str
    weight: Weight
    level: str | None = None
    names: tuple[str, ...] = ()
    count: int = 0
    at_least: bool = False


class Impact(Published, kw_only=True):
    """The whole impact: headlines and principals, heaviest first, then by name."""

    headlines: tuple[Headline, ...] = ()
    principals: tuple[PrincipalImpact, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nobody gains or loses anything."""
        return not self.principals and all(line.type is HeadlineType.NO_EFFECT for line in self.headlines)

    def count(self, weight: Weight) -> int:
        """Count the principals and headlines of one weight."""
        lines = sum(line.weight is weight for line in self.headlines)
        return lines + sum(principal.weight is weight for principal in self.principals)
