"""What an access report is made of: facts, each of them one thing that somebody has and one way that it comes about.

Facts are told way by way: two rules that give the same person the same entity are two facts, so that an auditor sees
what is left when one of them goes. What somebody may do in the end is the best of them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from reconciler.model.resources import Kind
    from reconciler.plan.impact.report import Aspect


class Through(StrEnum):
    """Why somebody has something.

    ``ITSELF``: it is said of this one alone. ``GROUP``: this one is in a group. ``RULE``: an access rule names this
    one, or a group that this one is in. ``EVERYONE``: all have it. ``ADMIN``: admins have it. ``DEFAULT``: nothing
    restricts it.
    """

    ITSELF = "itself"
    GROUP = "group"
    RULE = "rule"
    EVERYONE = "everyone"
    ADMIN = "admin"
    DEFAULT = "default"


NOTHING = "none"
"""The level of a fact that says that somebody is kept out."""

UNKNOWN = "unknown"
"""The level of what nobody says: a role that the server does not tell, somebody who is not declared."""


class Fact(Frozen):
    """One thing that somebody has, or is kept out of.

    ``kind`` is ``None`` for everyone. ``values`` and ``secrets`` count what a vault brings: no value is in a fact.
    ``ends`` says when a credential ends: a date (``2026-03-01``) where it is known, otherwise how long it is to live.
    """

    kind: Kind | None
    principal: str
    aspect: Aspect
    subject: str
    level: str
    through: Through = Through.ITSELF
    rule: str | None = None
    group: str | None = None
    values: int = 0
    secrets: int = 0
    ends: str | None = None


class AccessReport(Frozen):
    """What is told of a principal, of an entity, or of everybody (``subject`` is ``None``).

    ``not_said`` names the kinds that the declaration does not speak for as a whole: there may be more in the workspace.
    """

    subject: str | None
    facts: tuple[Fact, ...]
    about_entity: bool = False
    not_said: tuple[Kind, ...] = ()
