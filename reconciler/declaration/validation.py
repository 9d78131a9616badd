"""One file's values against its model: every error in plain words at its place, and what can still be checked.

Entries that are wrong are left out of the returned model, so that the cross checks see the rest and all problems of a
declaration are told at once. Their names stay known: a group that names a member with a wrong role is not wrong too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, get_args

from msgspec import field
from pydantic import BaseModel, ValidationError

from reconciler.declaration.models import LIST_KINDS, IncludedFile, WorkspaceFile
from reconciler.errors import Problem
from reconciler.frozen import Frozen
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

    from reconciler.errors import Place
    from reconciler.yaml.tree import YamlPath, YamlTree

_NULLABLE = frozenset({"vault"})
_ENTANGLED = frozenset({"file", "data", "format", "send_as", "secrets"})
"""Fields of a vault that mean nothing without each other."""

_GRANTEES = frozenset({"members", "service_accounts", "groups"})
"""Fields of an access rule without which it may be left with nobody, which is another error."""

_ROOT_ONLY = frozenset(WorkspaceFile.model_fields) - frozenset(IncludedFile.model_fields)
_STAND_INS: dict[str, object] = {"version": 1, "workspace": {"name": "?", "server": "https://unknown.invalid"}}
_ENUM_MEMBER = re.compile(r"<[\w.]+: ('[^']*')>")
"""How pydantic writes one of the choices of a Literal."""

_TYPES = {dict: "a mapping", list: "a list", str: "a string", bool: "true or false", int: "a number", float: "a number"}
_WANTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


class Part(Frozen):
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
    problems = list(null_problems(tree))
    nulls = {problem.place for problem in problems}
    remains = _Remains(model, tree)
    while True:
        try:
            return remains.part(model.model_validate(remains.root)), problems
        except ValidationError as error:
            details = error.errors(include_url=False)
        # What lies between the fields of an entry is only looked at once each of them is right: hence the rounds.
        paths = [remains.original(detail["loc"]) for detail in details]
        for path, detail in zip(paths, details, strict=True):
            problem = value_problem(model, tree, path, detail)
            if detail["input"] is not None or problem.place not in nulls:
                problems.append(problem)
        remains.leave_out(paths)


def null_problems(tree: YamlTree) -> Iterator[Problem]:
    """Return a problem for every key without a value."""
    for key, place in tree.nulls:
        if key in _NULLABLE:
            continue
        hint = "remove the key, or give it a value"
        if key in LIST_KINDS:
            hint = f"write `{key}: []` if there must be none, or remove the key if they are not managed here"
        yield Problem("no-value", f"`{harmless(key)}` has no value", place, hint)


def value_problem(model: type[BaseModel], tree: YamlTree, path: YamlPath, detail: ErrorDetails) -> Problem:
    """Return what one of pydantic's errors means, in plain words and with its place."""
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
    return _ENUM_MEMBER.sub(r"\1", expected).replace("'", "")


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
    if len(path) == 1 and model is IncludedFile and key in _ROOT_ONLY:
        message = f"`{key}` belongs to the top file: an included file holds only {', '.join(LIST_KINDS)}"
        hint = "an included file cannot include others" if key == "include" else None
        return Problem("misplaced-key", message, place, hint)
    hint = _nearest_key(key[:60], _model_at(model, path[:-1]))
    shown = harmless(key if len(key) <= 60 else key[:57] + "…")
    return Problem("unknown-key", f"unknown key `{shown}`", place, hint=hint)


@lru_cache(maxsize=1000)
def _nearest_key(key: str, model: type[BaseModel]) -> str:
    import difflib

    fields = sorted(model.model_fields)
    near = difflib.get_close_matches(key, fields, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(fields)}"


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


class _Remains:
    """A file's values with what is wrong left out: fields, entries, sections."""

    def __init__(self, model: type[IncludedFile], tree: YamlTree) -> None:
        self.root: dict[str, Any] = tree.root
        self._model = model
        self._tree = tree
        self._entries: dict[str, dict[int, Any]] = {}
        self._indexes: dict[str, list[int]] = {}
        self._unusable: set[str] = set()

    def part(self, model: IncludedFile) -> Part:
        """Return the part whose model was made of what remains."""
        damaged = {kind: frozenset(_names(self._left_out(kind))) for kind in self._entries}
        damaged.update(dict.fromkeys(self._unusable, frozenset()))
        return Part(self._tree, model, self._indexes, damaged, bool(self._unusable))

    def original(self, path: YamlPath) -> YamlPath:
        """Return a path into what remains as one into the file."""
        if not path or path[0] not in self._indexes or len(path) < 2 or not isinstance(path[1], int):
            return path
        return (path[0], self._indexes[str(path[0])][path[1]], *path[2:])

    def leave_out(self, paths: list[YamlPath]) -> None:
        """Leave out what these paths into the file lead to."""
        self.root = dict(self.root)
        for path in paths:
            kind = str(path[0])
            if kind in LIST_KINDS and len(path) > 1 and isinstance(path[1], int):
                if kind not in self._entries:
                    self._entries[kind] = dict(enumerate(self._tree.root[kind]))
                _mend(kind, self._entries[kind], path[1], path[2] if len(path) > 2 else None)
            else:
                self._replace(kind)
        for kind, entries in self._entries.items():
            self.root[kind] = list(entries.values())
            self._indexes[kind] = list(entries)

    def _replace(self, key: str) -> None:
        self.root.pop(key, None)
        if key in LIST_KINDS:
            self._unusable.add(key)
        elif self._model is WorkspaceFile and key in _STAND_INS:
            self.root[key] = _STAND_INS[key]

    def _left_out(self, kind: str) -> Iterator[Any]:
        entries = self._entries[kind]
        return (entry for index, entry in enumerate(self._tree.root[kind]) if index not in entries)


def _mend(kind: str, entries: dict[int, Any], index: int, name: str | int | None) -> None:
    """Take a field out of an entry, or the entry out of the list if it cannot do without."""
    if index not in entries:
        return
    fields = _model_at(IncludedFile, (kind,)).model_fields
    entangled = _GRANTEES if kind == "access_rules" else _ENTANGLED
    needed = name in fields and (fields[str(name)].is_required() or name in entangled)
    if name is None or needed:
        del entries[index]
    else:
        entries[index] = {key: value for key, value in entries[index].items() if key != name}


def _names(entries: Iterable[Any]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            name = entry.get("email", entry.get("name"))
            if isinstance(name, str):
                yield name
