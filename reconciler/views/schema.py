"""The JSON Schemas of what ``plan`` and ``drift`` write as JSON, made of the models.

Write them anew with ``python -m reconciler.views.schema schemas``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec.json import schema_components

from reconciler.model.resources import Kind
from reconciler.plan.document import Plan
from reconciler.views.drift_document import DriftReport

if TYPE_CHECKING:
    from reconciler.frozen import Published

FILE_NAMES: Final = {"plan": "plan.schema.json", "drift": "drift.schema.json"}
"""The published files."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_FIELDS: Final = {
    "action": "What will happen to the resource.",
    "add": "How many are created or invited.",
    "added": "Who joins, or what comes in.",
    "after": "What it will be; null: absent. Of a whole change: a digest.",
    "allowed": "Whether it was allowed on purpose, so that it does not stop the plan.",
    "aspect": "What of the principal changes.",
    "at_least": "Whether there may be more than that, by a rule that may apply.",
    "before": "What it is; null: absent. Of a whole change: a digest.",
    "cause": "What changes: what is written, what a substitution gives, or what clients read.",
    "change": "How many are changed in place.",
    "changes": "The changes, ordered by kind, action and key.",
    "count": "How many it is about.",
    "digest": "Digest of all else in the plan, by which an altered one is recognized.",
    "document_after": "Keyed digest of the vault's text afterwards.",
    "document_before": "Keyed digest of the vault's text before.",
    "edits": "What differs, field by field.",
    "effects": "What the principal gains, loses or has otherwise, heaviest first.",
    "field": "The name of the field.",
    "format": "What this document is, and in which version.",
    "group": "The group to join, where that is what waits.",
    "guard": "The name of the rule.",
    "headlines": "What concerns everyone, a whole group, or nobody at all, heaviest first.",
    "key": "The folded key of the resource; of a credential or vault with its owner's before it.",
    "kind": "The kind of the resource.",
    "left_alone": "What is live and not managed by the declaration, counted by kind.",
    "level": "What everyone may do afterwards, or what happens to a vault.",
    "limit": "The limit that is passed, as people write it.",
    "member": "Who has to accept an invitation first.",
    "message": "What is wrong, in words.",
    "names": "The names that it is about.",
    "path": "The path within the document.",
    "paths": "How many configuration values the vault brings.",
    "place": "Where the declaration asks for it, as file:line; null: nowhere.",
    "principals": "Who gains or loses something, heaviest first, then by name.",
    "readable": "Whether the live text can be read, so that its meaning is known to stay.",
    "reason": "Why.",
    "refusals": "The guards that stop the plan.",
    "remove": "How many are deleted.",
    "removed": "Who leaves, or what goes.",
    "rule": "The name of the access rule or of the check.",
    "rule_place": "Where the policy file says the rule, as file:line.",
    "secret": "Whether it is a secret; its values are then left out.",
    "secrets": "How many of the values are secret.",
    "secrets_left_out": "How many secret values were not compared.",
    "server": "What was connected to.",
    "subject": "What it is about, as people write it.",
    "title": "The resource as people write it.",
    "total": "How many there are in all.",
    "totals": "How much is added, changed and removed.",
    "type": "Which form of entry this is.",
    "via": "What it comes through: the rule, the group, or both.",
    "waiting": "What cannot be done before somebody accepts an invitation.",
    "warnings": "What reviewers should know, though it stops nothing.",
    "weight": "How closely a reviewer has to look.",
    "workspace": "The name of the workspace.",
}
"""What fields mean that do not say it themselves."""

_ROLE: Final = re.compile(r":\w+:`[~.]?([^`]*)`")


def plan_schema() -> dict[str, Any]:
    """Return the schema of a plan, as ``plan --format json`` and ``plan --out`` write it."""
    return _schema(Plan, "ClearML workspace plan")


def drift_schema() -> dict[str, Any]:
    """Return the schema of a drift report, as ``drift --format json`` writes it."""
    return _schema(DriftReport, "ClearML workspace drift report")


def schema_text(schema: dict[str, Any]) -> str:
    """Return a schema as it is published."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> None:
    """Write both schemas into a folder."""
    for name, schema in (("plan", plan_schema()), ("drift", drift_schema())):
        (folder / FILE_NAMES[name]).write_text(schema_text(schema), encoding="utf-8")


def _schema(sort: type[Published], title: str) -> dict[str, Any]:
    _, parts = schema_components([sort], ref_template="#/$defs/{name}")
    for part in parts.values():
        if "description" in part:
            part["description"] = " ".join(_ROLE.sub(r"`\1`", part["description"]).replace("``", "`").split())
        for name, field in part.get("properties", {}).items():
            field.pop("default", None)
            if "description" not in field and name in _FIELDS:
                field["description"] = _FIELDS[name]
            if name == "compared":
                field.pop("propertyNames", None)  # some versions of msgspec write them, in another place
                field["propertyNames"] = {"enum": list(Kind)}
    top = parts.pop(sort.__name__)
    return {"$schema": _DIALECT, **top, "title": title, "$defs": parts}


def main() -> None:
    """Write the schemas into the folder that the command line names."""
    write_schemas(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
