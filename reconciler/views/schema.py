"""The JSON Schemas of what ``plan`` and ``drift`` write as JSON, made of the models.

Write them anew with ``python -m reconciler.views.schema schemas``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.plan.document import Plan
from reconciler.views.drift_document import DriftReport

if TYPE_CHECKING:
    from pydantic import BaseModel

FILE_NAMES: Final = {"plan": "plan.schema.json", "drift": "drift.schema.json"}
"""The published files."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


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


def _schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    schema = model.model_json_schema(mode="serialization")
    for part in (schema, *schema.get("$defs", {}).values()):
        if "description" in part:
            part["description"] = " ".join(part["description"].replace("``", "`").split())
        for name, field in part.get("properties", {}).items():
            field.pop("title", None)
            field.pop("default", None)
            field.setdefault("description", f"{name.replace('_', ' ').capitalize()}.")
    return {"$schema": _DIALECT, **schema, "title": title}


def main() -> None:
    """Write the schemas into the folder that the command line names."""
    write_schemas(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
