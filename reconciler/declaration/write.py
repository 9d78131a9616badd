"""Writes plain values as the files of a declaration that people like to read, in one file or in several."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from reconciler.declaration.fmt.canonical import canonical
from reconciler.declaration.key_order import TOP
from reconciler.model.text import fold
from reconciler.yaml.text import block_text, flow_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Plain = dict[str, Any]

TOP_FILE = "workspace.yaml"
_IN_ONE_LINE = frozenset({"workspace", "manage", "policy"})
_LISTS = TOP[TOP.index("members") :]
_FOLDER = "teams"


class Split(StrEnum):
    """How a declaration is divided into files."""

    NONE = "none"
    KIND = "kind"
    GROUP = "group"


def declaration_text(content: Mapping[str, object]) -> str:
    """Return a declaration as YAML: one line for each small entry, a blank line before each section."""
    lines = [
        f"{key}: {flow_text(value)}" if key in _IN_ONE_LINE else block_text({key: value}, 0)
        for key, value in content.items()
    ]
    return canonical("".join(f"{line}\n" for line in lines), TOP_FILE)


def declaration_files(content: Mapping[str, Any], split: Split) -> dict[str, str]:
    """Return the texts of a declaration's files by name, the top file's first."""
    top: Plain = {key: value for key, value in content.items() if key not in _LISTS}
    parts: dict[str, Plain] = {}
    match split:
        case Split.NONE:
            top |= {key: content[key] for key in _LISTS if key in content}
        case Split.KIND:
            parts = {f"{key.replace('_', '-')}.yaml": {key: content[key]} for key in _LISTS if key in content}
            top["include"] = list(parts)
        case Split.GROUP:
            parts, rest = _by_group(content)
            top |= {"include": [f"{_FOLDER}/*.yaml"]} if parts else {}
            top |= rest
    return {TOP_FILE: declaration_text(top)} | {name: declaration_text(part) for name, part in parts.items()}


def _by_group(content: Mapping[str, Any]) -> tuple[dict[str, Plain], Plain]:
    """Return a file for each group with its vaults and the rules that are for it alone, and what is left for the top.

    A list stays at the top, empty if need be, so that its kind is managed as before.
    """
    moved = {"groups", *_GROUP_OF}
    rest: Plain = {key: [] if key in moved else list(content[key]) for key in _LISTS if key in content}
    parts: dict[str, Plain] = {}
    own: defaultdict[str, Plain] = defaultdict(dict)
    names = {fold(group["name"]) for group in content.get("groups", ())}
    for key, group_of in _GROUP_OF.items():
        for entry in content.get(key, ()):
            name = group_of(entry)
            (own[name].setdefault(key, []) if name in names else rest[key]).append(entry)
    for group in content.get("groups", ()):
        parts[_free(_slug(group["name"]), parts)] = {"groups": [group]} | own[fold(group["name"])]
    return parts, {
        key: value for key, value in rest.items() if value or not any(key in part for part in parts.values())
    }


def _group_of_vault(vault: Plain) -> str:
    return fold(vault["group"])


def _group_of_rule(rule: Plain) -> str | None:
    """Return the group that a rule is for alone, if it is."""
    groups = [fold(name) for name in rule.get("groups", ())]
    others = rule.get("members") or rule.get("service_accounts")
    return groups[0] if len(groups) == 1 and not others else None


_GROUP_OF: Final[dict[str, Callable[[Plain], str | None]]] = {
    "vaults": _group_of_vault,
    "access_rules": _group_of_rule,
}
"""What tells the group that an entry of a list belongs to."""


def _free(stem: str, taken: Mapping[str, object]) -> str:
    name, number = f"{_FOLDER}/{stem}.yaml", 2
    while name in taken:
        name, number = f"{_FOLDER}/{stem}-{number}.yaml", number + 1
    return name


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "group"
