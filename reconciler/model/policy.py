"""An organization's own rules, as its policy file says them: texts and where they stand, nothing evaluated yet."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from reconciler.errors import Place
    from reconciler.model.placed_text import PlacedText


class RuleSubject(StrEnum):
    """What a rule is asked of: each declared resource of a kind, or each thing that a plan lets somebody gain."""

    MEMBER = "member"
    SERVICE_ACCOUNT = "service_account"
    CREDENTIAL = "credential"
    GROUP = "group"
    VAULT = "vault"
    ACCESS_RULE = "access_rule"
    GAIN = "gain"


class Rule(Frozen):
    """One rule: of whom it is asked, when it is asked at all, and what must then be true.

    ``message`` says what is wrong; ``{title}``, or a field's name in braces, stands for what was found.
    """

    id: str
    subject: RuleSubject
    require: PlacedText
    message: str
    place: Place
    when: PlacedText | None = None
    description: str = ""
    severity: Severity = Severity.ERROR
