"""The published JSON Schemas: fresh, explained on every field, and of one mind with the loader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from reconciler.declaration.schema import (
    FILE_NAMES,
    included_schema,
    policy_schema,
    schema_text,
    workspace_schema,
    write_schemas,
)
from reconciler.declaration.source import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = Path(__file__).parents[2] / "schemas"
TOP = "version: 1\nworkspace: {name: acme, server: https://api.acme.io}\n"
GOOD = [
    TOP,
    TOP + "include: [teams/*.yaml]\nmanage: {members: declared}\npolicy: {min_admins: 1, max_removals: 20%}\n",
    TOP + "policy: {max_removals: 5, protect: {members: [a@b.io], vaults: [{group: g, name: v}]}}\n",
    TOP + "members: []\ngroups: [{name: g, description: x, members: [], service_accounts: [], was: h}]\n",
    TOP
    + "service_accounts: [{name: a, vault: null, credentials: [{label: l, expires_in: 90d, deliver: {file: x}}]}]\n",
    TOP + "vaults: [{name: v, group: g, data: x, target: type:x, secrets: {A: {env: A}, B: {command: [a, b]}}}]\n",
    TOP
    + "access_rules: [{name: r, was: s, resource: {project: P}, permission: read, members: [a@b.io], groups: [Users]}]\n",
    TOP + "access_rules: [{name: r, resource: {queue: {id: x}}, permission: read_write, service_accounts: [a]}]\n",
    TOP + "access_rules: [{name: r, resource: {task: '*'}, permission: read, groups: [Users]}]\n",
    TOP + "access_rules: []\nmanage: {access_rules: declared}\npolicy: {protect: {access_rules: [r]}}\n",
]
BAD = [
    "version: 1\n",
    TOP + "wokspace: {}\n",
    TOP + "access_rules: [{name: r, permission: read, members: [a@b.io]}]\n",
    TOP + "access_rules: [{name: r, resource: {project: P}, permission: write, members: [a@b.io]}]\n",
    TOP + "access_rules: [{name: r, resource: {project: P}, permission: read}]\n",
    TOP + "access_rules: [{name: r, resource: {project: P}, permission: read, groups: []}]\n",
    TOP + "access_rules: [{name: r, resource: {}, permission: read, members: [a@b.io]}]\n",
    TOP + "access_rules: [{name: r, resource: {project: P, queue: Q}, permission: read, members: [a@b.io]}]\n",
    TOP + "access_rules: [{name: r, resource: {project: {name: P}}, permission: read, members: [a@b.io]}]\n",
    TOP + "access_rules: [{name: r, resource: {project: 5}, permission: read, members: [a@b.io]}]\n",
    TOP + "access_rules: [{name: r, resource: {planet: P}, permission: read, members: [a@b.io]}]\n",
    TOP + "members:\n",
    TOP + "members: [{email: a@b.io, rol: admin}]\n",
    TOP + "members: [{email: a@b.io, role: superuser}]\n",
    TOP + "policy: {max_removals: lots}\n",
    TOP + "policy: {min_admins: 0}\n",
    TOP + "groups: [{name: g, description: null}]\n",
    TOP + "service_accounts: [{name: a, credentials: [{label: l, expires_in: soon}]}]\n",
    TOP + "vaults: [{name: v, group: g}]\n",
    TOP + "vaults: [{name: v, group: g, data: x, file: y}]\n",
    TOP + "vaults: [{name: v, group: g, data: x, secrets: {A: {}}}]\n",
    TOP + "vaults: [{name: v, group: g, data: x, target: web}]\n",
]


def test_the_published_schemas_are_fresh(tmp_path: Path) -> None:
    for path in write_schemas(tmp_path):
        hint = "run: python -m reconciler.declaration.schema schemas"
        assert json.loads(path.read_text()) == json.loads((SCHEMAS / path.name).read_text()), hint
    assert set(FILE_NAMES.values()) == {path.name for path in tmp_path.iterdir()}
    assert schema_text(workspace_schema()).endswith("}\n")


@pytest.mark.parametrize("schema", [workspace_schema(), included_schema(), policy_schema()])
def test_every_field_explains_itself_and_no_unknown_key_passes(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    for definition in _definitions(schema):
        assert definition.get("description"), definition["title"]
        if "properties" in definition:
            assert definition["additionalProperties"] is False
        for name, field in definition.get("properties", {}).items():
            assert field.get("description"), f"{definition['title']}.{name}"


def _definitions(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    yield from schema["$defs"].values()


@pytest.mark.parametrize("text", GOOD)
def test_the_schema_accepts_what_the_loader_accepts(text: str) -> None:
    jsonschema.Draft202012Validator(workspace_schema()).validate(read_yaml(text, "f").root)


@pytest.mark.parametrize("text", BAD)
def test_the_schema_rejects_what_the_loader_rejects(files, text: str) -> None:
    assert not jsonschema.Draft202012Validator(workspace_schema()).is_valid(read_yaml(text, "f").root)
    files.write("workspace.yaml", text)
    assert files.problems()


def test_an_included_file_has_a_schema_of_its_own() -> None:
    validator = jsonschema.Draft202012Validator(included_schema())
    assert validator.is_valid({"members": [{"email": "a@b.io"}]})
    assert not validator.is_valid({"include": ["x"]})
