"""An organization's own rules, as its policy file says them: texts and where they stand, nothing evaluated yet."""

from __future__ import annotations

from enum import StrEnum

from reconciler.errors import Place, Severity
from reconciler.frozen import Frozen


class RuleSubject(StrEnum):
    """What a rule is asked of: each declared resource of a kind, or each thing that a plan lets somebody gain."""

    MEMBER = "member"
    SERVICE_ACCOUNT = "service_account"
    CREDENTIAL = "credential"
    GROUP = "group"
    VAULT = "vault"
    ACCESS_RULE = "access_rule"
    GAIN = "gain"


class Expression(Frozen):
    """An expression in the Common Expression Language (CEL), and where its text begins.

    ``indent`` is how many characters stand before each line of it, ``first_column`` how many before its first one.
    """

    text: str
    file: str
    line: int = 1
    indent: int = 0
    first_column: int = 0

    def place(self, line: int = 1, column: int = 1) -> Place:
        """Return the place in the file of a line and column in the expression."""
        before = self.first_column if line == 1 else self.indent
        return Place(self.file, self.line + line - 1, before + column)


class Rule(Frozen):
    """One rule: of whom it is asked, when it is asked at all, and what must then be true.

    ``message`` says what is wrong; ``{title}``, or a field's name in braces, stands for what was found.
    """

    id: str
    subject: RuleSubject
    require: Expression
    message: str
    place: Place
    when: Expression | None = None
    description: str = ""
    severity: Severity = Severity.ERROR
