"""One file's values against its model: every error in plain words at its place, and what can still be checked.

Entries that are wrong are left out of the returned model, so that the cross checks see the rest and all problems of a
declaration are told at once. Their names stay known: a group that names a member with a wrong role is not wrong too.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from reconciler.declaration.models import LIST_KINDS, IncludedFile, WorkspaceFile
from reconciler.errors import Problem
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

    from reconciler.declaration.yaml_reader import YamlPath, YamlTree
    from reconciler.errors import Place

_NULLABLE = frozenset({"vault"})
_ENTANGLED = frozenset({"file", "data", "format", "send_as", "secrets"})
"""Fields of a vault that mean nothing without each other."""

_ROOT_ONLY = frozenset(WorkspaceFile.model_fields) - frozenset(IncludedFile.model_fields)
_STAND_INS: dict[str, object] = {"version": 1, "workspace": {"name": "?", "server": "https://unknown.invalid"}}
_TYPES = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a declaration, as far as it is right.

    ``indexes`` leads from an entry's index in the model to its index in the file, for lists with entries left out.
    ``damaged`` holds the lists that are not complete in the model, with the names of the entries that were left out;
    ``unusable`` tells that a whole list could not be understood.
    """

    tree: YamlTree
    model: IncludedFile
    indexes: Mapping[str, list[int]] = field(default_factory=dict)
    damaged: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unusable: bool = False


def validate_part(model: type[IncludedFile], tree: YamlTree) -> tuple[Part, list[Problem]]:
    """Check one file's values; return what is right of it, and every problem."""
    problems = list(_null_problems(tree))
    try:
        return Part(tree, model.model_validate(tree.root)), problems
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
    known = {problem.place for problem in problems}
    for detail in details:
        problem = _problem(model, tree, detail)
        if detail["input"] is not None or problem.place not in known:
            problems.append(problem)
    return _salvage(model, tree, [detail["loc"] for detail in details]), problems


def _null_problems(tree: YamlTree) -> Iterator[Problem]:
    for key, place in tree.nulls:
        if key in _NULLABLE:
            continue
        hint = "take the key away, or give it a value"
        if key in LIST_KINDS:
            hint = f"write `{key}: []` if there are to be none, or take the key away if they are not managed here"
        yield Problem("no-value", f"`{harmless(key)}` has no value", place, hint)


def _problem(model: type[BaseModel], tree: YamlTree, detail: ErrorDetails) -> Problem:
    path: YamlPath = detail["loc"]
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(model, path, tree.place(path, key=True))
    if kind == "missing":
        where = f"`{_name(path[:-1])}` needs" if len(path) > 1 else "the file needs"
        return Problem("missing-key", f"{where} `{harmless(str(path[-1]))}`", tree.place(path[:-1], key=True))
    return Problem("wrong-value", f"`{_name(path)}` {_complaint(detail)}", tree.place(path))


def _complaint(detail: ErrorDetails) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {_TYPES.get(type(value), 'empty')}{_quoting_hint(kind, value)}"
    if kind in {"enum", "literal_error"}:
        return f"must be {_choices(str(context.get('expected', '')))}, not {_shown(value)}"
    if kind == "value_error":
        text = str(context.get("error", ""))
        return text if text.startswith(("must", "is ")) else f"is not right: {text}"
    if kind in {"string_too_short", "too_short"}:
        return "must not be empty"
    if kind in {"greater_than_equal", "less_than_equal"}:
        bound = "at least" if kind == "greater_than_equal" else "at most"
        return f"must be {bound} {context.get('ge', context.get('le'))}, not {_shown(value)}"
    return harmless(f"is not right: {detail['msg']}")


def _quoting_hint(kind: str, value: object) -> str:
    return " (put it in quotes)" if kind == "string_type" and isinstance(value, (int, float)) else ""


def _choices(expected: str) -> str:
    return expected.replace("'", "")


def _shown(value: object) -> str:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        text = str(value)
        return f"`{harmless(text if len(text) <= 60 else text[:57] + '…')}`"
    return str(value).lower() if isinstance(value, bool) else _TYPES.get(type(value), "empty")


def _name(path: YamlPath) -> str:
    """Return a path the way people write it: ``groups[3].members[0]``."""
    parts = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return harmless(parts.removeprefix("."))


def _unknown_key(model: type[BaseModel], path: YamlPath, place: Place) -> Problem:
    key = str(path[-1])
    if len(path) == 1 and key == "access_rules":
        return Problem("not-supported", "access rules are not supported yet", place, hint="take the key away")
    if len(path) == 1 and model is not WorkspaceFile and key in _ROOT_ONLY:
        message = f"`{key}` belongs to the top file: an included file holds only {', '.join(LIST_KINDS)}"
        hint = "an included file cannot include others" if key == "include" else None
        return Problem("misplaced-key", message, place, hint)
    fields = sorted(_model_at(model, path[:-1]).model_fields)
    near = difflib.get_close_matches(key, fields, n=1, cutoff=0.6)
    hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(fields)}"
    shown = harmless(key if len(key) <= 60 else key[:57] + "…")
    return Problem("unknown-key", f"unknown key `{shown}`", place, hint=hint)


def _model_at(model: type[BaseModel], path: YamlPath) -> type[BaseModel]:
    """Return the model that the value at a path is checked against."""
    current = model
    for step in path:
        found = current.model_fields.get(step) if isinstance(step, str) else None
        inner = next(_models_in(found.annotation), None) if found else None
        current = inner or current
    return current


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _salvage(model: type[IncludedFile], tree: YamlTree, paths: list[YamlPath]) -> Part:
    """Return what is right of a file: wrong fields, entries and sections left out."""
    root = dict(tree.root)
    indexes: dict[str, list[int]] = {}
    damaged: dict[str, frozenset[str]] = {}
    for path in paths:
        if path and (path[0] not in LIST_KINDS or len(path) == 1):
            _replace(root, str(path[0]), model)
    for kind in LIST_KINDS:
        wrong = [path for path in paths if path[0] == kind and len(path) > 1]
        entries = root.get(kind)
        if isinstance(entries, list) and wrong:
            mended = _mended(kind, entries, wrong)
            indexes[kind] = sorted(mended)
            root[kind] = [mended[index] for index in indexes[kind]]
            damaged[kind] = frozenset(_names(entry for index, entry in enumerate(entries) if index not in mended))
        elif kind in tree.root and kind not in root:
            damaged[kind] = frozenset()
    unusable = any(kind in damaged and kind not in indexes for kind in LIST_KINDS)
    return Part(tree, model.model_validate(root), indexes, damaged, unusable)


def _mended(kind: str, entries: list[Any], wrong: list[YamlPath]) -> dict[int, Any]:
    """Return the entries that are right by index, those with a wrong field that they can do without among them."""
    fields = _model_at(IncludedFile, (kind,)).model_fields
    mended = dict(enumerate(entries))
    for path in wrong:
        index, name = path[1], path[2] if len(path) > 2 else None
        if not isinstance(index, int) or index not in mended:
            continue
        needed = name in fields and (fields[str(name)].is_required() or name in _ENTANGLED)
        if name is None or needed:
            del mended[index]
        else:
            mended[index] = {key: value for key, value in mended[index].items() if key != name}
    return mended


def _replace(root: dict[str, Any], key: str, model: type[IncludedFile]) -> None:
    root.pop(key, None)
    if model is WorkspaceFile and key in _STAND_INS:
        root[key] = _STAND_INS[key]


def _names(entries: Iterable[Any]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            name = entry.get("email", entry.get("name"))
            if isinstance(name, str):
                yield name
