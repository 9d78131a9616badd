"""The JSON Schema of `workspace.yaml`, made of the models, so that editors complete and explain.

Write it anew with ``python -m reconciler.declaration.schema schemas``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.declaration.models import IncludedFile, WorkspaceFile
from reconciler.declaration.models_policy import PolicyFile

if TYPE_CHECKING:
    from reconciler.declaration.models_base import Strict

FILE_NAMES: Final = {
    "workspace": "workspace.schema.json",
    "included": "included.schema.json",
    "policy": "policy.schema.json",
}
"""The published files: the schemas of a declaration, of a file that it includes, and of its policy file."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_NULLABLE: Final = frozenset({"vault"})
_DEFAULTS: Final = {"max_removals": "20%", "target": "client"}
"""Defaults as people write them, where the model holds another form."""

_SECRET_NAMES: Final = {"pattern": "^[A-Za-z_][A-Za-z0-9_-]*$"}


def workspace_schema() -> dict[str, Any]:
    """Return the schema of a declaration's top file."""
    return _schema(WorkspaceFile, "ClearML workspace declaration")


def included_schema() -> dict[str, Any]:
    """Return the schema of a file that a declaration includes."""
    return _schema(IncludedFile, "Included part of a ClearML workspace declaration")


def policy_schema() -> dict[str, Any]:
    """Return the schema of a policy file."""
    return _schema(PolicyFile, "ClearML workspace policy")


def write_schemas(folder: Path) -> list[Path]:
    """Write all schemas into a folder and return their paths."""
    schemas = {"workspace": workspace_schema(), "included": included_schema(), "policy": policy_schema()}
    paths = []
    for name, schema in schemas.items():
        path = folder / FILE_NAMES[name]
        path.write_text(schema_text(schema), encoding="utf-8")
        paths.append(path)
    return paths


def schema_text(schema: dict[str, Any]) -> str:
    """Return a schema as it is published."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(model: type[Strict], title: str) -> dict[str, Any]:
    schema = model.model_json_schema()
    for definition in [schema, *schema.get("$defs", {}).values()]:
        for name, field in definition.get("properties", {}).items():
            _tidy(name, field)
        if "AccountVault" in str(definition.get("title")) or "VaultEntry" in str(definition.get("title")):
            definition["oneOf"] = [{"required": ["file"]}, {"required": ["data"]}]
        if definition.get("title") in {"SecretSource", "ResourceSection"}:
            definition["oneOf"] = [{"required": [name]} for name in definition["properties"]]
        if definition.get("title") == "ProtectedVault":
            definition["oneOf"] = [{"required": ["group"]}, {"required": ["service_account"]}]
        if definition.get("title") == "AccessRuleEntry":
            definition["anyOf"] = [
                {"required": [name], "properties": {name: {"minItems": 1}}}
                for name in ("members", "service_accounts", "groups")
            ]
    return {"$schema": _DIALECT, **schema, "title": title}


def _tidy(name: str, field: dict[str, Any]) -> None:
    """Say that a field that may be left out may be left out, instead of null; and give maps of secrets their names."""
    options = field.get("anyOf", [])
    if name not in _NULLABLE and {"type": "null"} in options:
        left = [option for option in options if option != {"type": "null"}]
        del field["anyOf"]
        field.update(left[0] if len(left) == 1 else {"anyOf": left})
    if name in _DEFAULTS:
        field["default"] = _DEFAULTS[name]
    elif field.get("default", ...) is None or isinstance(field.get("default"), dict):
        del field["default"]
    if name == "secrets":
        field["propertyNames"] = _SECRET_NAMES


def main() -> None:
    """Write the schemas into the folder that the command line names."""
    write_schemas(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
