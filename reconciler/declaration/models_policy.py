"""What a policy file may say: the organization's own rules, each with what it is asked of and what must be true."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from reconciler.declaration.models_base import Strict, Text
from reconciler.errors import Severity
from reconciler.model.policy import RuleSubject
from reconciler.plan.policy.fields import FIELDS

MAXIMUM_RULES: Final = 500
"""The most rules that a policy file may have."""

RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Expression = Annotated[str, StringConstraints(min_length=1)]

_FIELDS = "; ".join(
    f"{subject.value}: {', '.join(f'{subject.value}.{name}' for name in fields)}" for subject, fields in FIELDS.items()
)


class RuleEntry(Strict):
    """One rule of the organization's own."""

    id: RuleId = Field(
        description="The rule's name, unique in the file: lower case, digits and hyphens.",
        examples=["admins-are-named"],
    )
    description: Text | None = Field(None, description="Why this rule exists, for readers of the file.")
    on: Annotated[RuleSubject, Field(strict=False)] = Field(
        description="What the rule is evaluated for: each declared resource of this kind, or (gain) each thing that a "
        "plan lets somebody gain."
    )
    when: Expression | None = Field(
        None,
        description="A CEL expression: the rule is evaluated only where it is true. Left out: always.",
        examples=["member.admin"],
    )
    require: Expression = Field(
        description=f"A CEL expression that must be true. The fields: {_FIELDS}.",
        examples=['member.email in ["root@acme.io"]'],
    )
    message: Text = Field(
        description="What is wrong if it is not true. {title} stands for what the rule was evaluated for, and the name "
        "of a field in braces for its value.",
        examples=["{title} may not be an admin"],
    )
    severity: Annotated[Severity, Field(strict=False)] = Field(
        Severity.ERROR, description="error (default): the plan is refused. warning: it is shown."
    )


class PolicyFile(Strict):
    """The organization's own rules, which validate and plan ask."""

    version: Literal[1] = Field(description="The version of the file format.")
    rules: Annotated[list[RuleEntry], Field(max_length=MAXIMUM_RULES)] = Field(
        description="The rules, reported in this order."
    )
