"""The tables of the reference pages, made of the program itself: click, the models, the guards and the schemas.

A page asks for one with a fenced block, ``{generated} NAME ARGUMENTS``; :func:`expanded` puts the Markdown there. So no
option, field, guard or exit code is written down a second time.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import click

from reconciler.cli.main import cli
from reconciler.declaration.schema import policy_schema, workspace_schema
from reconciler.errors import EXIT_CODES, ExitCode
from reconciler.plan.changes import NEVER_LIFTED, Guard
from reconciler.plan.policy.fields import FIELDS
from reconciler.views.guard_words import STOPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Schema = dict[str, Any]
_MARKER = re.compile(r"^```\{generated\} (\w[\w-]*)(?: (.*))?\n```$", re.MULTILINE)
_ROOT = Path(__file__).resolve().parents[1]
_SCHEMAS = _ROOT / "schemas"


def expanded(page: str) -> str:
    """Return a page with each request for a generated table replaced by the table."""
    return _MARKER.sub(lambda request: _TABLES[request[1]](*(request[2] or "").split()).strip(), page)


def commands(group: click.Group = cli, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its whole name, in the order of the help."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        elif command is not None:
            yield " ".join((*path, name)), command


def _global_options() -> str:
    return _options(cli)


def _all_commands() -> str:
    return "\n\n".join(_command(name, command) for name, command in commands())


def _command(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"reconciler {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    text = _paragraphs(command.help or "")
    return f"## `reconciler {name}`\n\n```text\nreconciler {name} {usage}\n```\n\n{text}\n\n{_options(command)}"


def _options(command: click.Command) -> str:
    context = click.Context(command)
    options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
    return _table(("option", "meaning", "default"), (_option(option, context) for option in options))


def _option(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len, reverse=True))
    value = "" if option.is_flag or option.count else f" `{option.make_metavar(context)}`"
    variable = (
        f" Environment: `{option.envvar}`." if option.envvar and str(option.envvar) not in (option.help or "") else ""
    )
    default = option.get_default(context)
    shown = f"`{default}`" if isinstance(default, (str, int, float, Path)) and not option.is_flag else ""
    shown = "required" if option.required else shown
    return f"{names}{value}", _escaped(option.help or "") + variable, shown


def _guards() -> str:
    rows = ((f"`{guard.value}`", _escaped(STOPS[guard]), _lifting(guard)) for guard in Guard)
    return _table(("guard", "stops a plan if", "to go on"), rows)


def _lifting(guard: Guard) -> str:
    return "change the declaration: it cannot be lifted" if guard in NEVER_LIFTED else f"`--allow {guard.value}`"


def _exit_codes() -> str:
    return _table(("code", "meaning"), ((str(code.value), _escaped(EXIT_CODES[code])) for code in ExitCode))


def _policy_fields() -> str:
    return "\n\n".join(
        f"### `{subject.value}`\n\n"
        + _table(
            ("field", "type", "meaning"),
            (
                (f"`{subject.value}.{name}`", field.type.value, _escaped(field.meaning))
                for name, field in fields.items()
            ),
        )
        for subject, fields in FIELDS.items()
    )


def _file_fields(model: str) -> str:
    schema = workspace_schema()
    return _fields(schema if model == "WorkspaceFile" else schema["$defs"][model], schema)


def _policy_file_fields(model: str) -> str:
    schema = policy_schema()
    return _fields(schema if model == "PolicyFile" else schema["$defs"][model], schema)


def _document(name: str) -> str:
    """Return all of a JSON document: the top, and each part that it refers to."""
    schema = json.loads((_SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    parts = {"The document": schema, **schema.get("$defs", {})}
    return "\n\n".join(_part(title, part, schema) for title, part in parts.items())


def _part(title: str, part: Schema, schema: Schema) -> str:
    about = _escaped(part.get("description", ""))
    if "properties" in part:
        return f"### {title}\n\n{about}\n\n{_fields(part, schema, with_default=False)}"
    return f"### {title}\n\n{about}\n\nOne of {_type(part, schema)}."


def _module(name: str) -> str:
    """Return the public functions and classes of a module: as code, with their docstrings."""
    source = (_ROOT / name.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    parts = [_prose(ast.get_docstring(tree))]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            parts += [f"```python\n{_signature(node)}\n```", _prose(ast.get_docstring(node))]
    return "\n\n".join(parts)


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.ClassDef):
        shown = [one for one in node.body if isinstance(one, ast.AnnAssign) or _is_public(one)]
        lines = [_signature(one) if _is_public(one) else ast.unparse(one) for one in shown]
        head = f"class {node.name}:"
        return (
            "\n".join([head, *(f"    {line}" for line in "\n".join(lines).splitlines())])
            if lines
            else f"class {node.name}"
        )
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    arguments = ast.unparse(node.args)
    return f"{word} {node.name}({arguments}){returns}"


def _is_public(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")


def _prose(docstring: str | None) -> str:
    """Return a docstring as Markdown: roles and literals become code."""
    text = re.sub(r":\w+:`~?\.?([^`]*)`", r"`\1`", docstring or "").replace("``", "`")
    return "\n\n".join(_block(part) for part in text.split("\n\n"))


def _block(text: str) -> str:
    """Return one paragraph, or a literal block, which is indented in a docstring."""
    if text.startswith("    "):
        return f"```python\n{textwrap.dedent(text)}\n```"
    return _escaped(text).replace("::", ":")


def _fields(part: Schema, schema: Schema, *, with_default: bool = True) -> str:
    required = part.get("required", [])
    rows = []
    for name, field in part["properties"].items():
        examples = field.get("examples") or _resolved(field, schema).get("examples") or []
        example = f" Example: {', '.join(f'`{_value(one)}`' for one in examples[:2])}." if examples else ""
        default = "required" if name in required else f"`{_value(field['default'])}`" if "default" in field else ""
        row = (f"`{name}`", _type(field, schema), default, _escaped(field.get("description", "")) + example)
        rows.append(row if with_default else (row[0], row[1], "yes" if name in required else "", row[3]))
    return _table(("field", "type", "default" if with_default else "always there", "meaning"), rows)


def _resolved(field: Schema, schema: Schema) -> Schema:
    reference = field.get("$ref", "").rpartition("/")[2]
    found: Schema = schema.get("$defs", {}).get(reference, field)
    return found


def _type(field: Schema, schema: Schema) -> str:
    found = _resolved(field, schema)
    if "enum" in found:
        return " or ".join(f"`{value}`" for value in found["enum"])
    if "const" in found:
        return f"`{found['const']}`"
    if found is not field and "properties" in found:
        return str(found.get("title", "object"))
    if "anyOf" in found:
        return " or ".join(dict.fromkeys(_type(option, schema) for option in found["anyOf"]))
    kind = found.get("type", "any")
    if kind == "array":
        return f"list of {_type(found['items'], schema)}" if found.get("items") else "list"
    if kind == "object" and isinstance(found.get("additionalProperties"), dict):
        return f"map of {_type(found['additionalProperties'], schema)}"
    return kind if isinstance(kind, str) else " or ".join(kind)


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _paragraphs(text: str) -> str:
    return "\n\n".join(_escaped(" ".join(part.split())) for part in text.split("\n\n"))


def _escaped(text: str) -> str:
    """Return a text in which nothing outside of backticks is markup."""
    parts = re.split(r"(``.*?``|`[^`]*`)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else re.sub(r"([*<>{}\[\]])", r"\\\1", part) for part in parts)


_TABLES = {
    "global-options": _global_options,
    "commands": _all_commands,
    "guards": _guards,
    "exit-codes": _exit_codes,
    "policy-fields": _policy_fields,
    "fields": _file_fields,
    "policy-file-fields": _policy_file_fields,
    "document": _document,
    "module": _module,
}
"""The tables that a page may ask for, by name."""
