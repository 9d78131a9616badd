"""Somebody's merged client configuration: aligned text for people, HOCON, JSON and YAML for programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.effective.configuration import Configuration, Standings, document
from reconciler.effective.sources import Standing
from reconciler.model.resources import Kind
from reconciler.model.text import harmless, json_document, json_text
from reconciler.plan.access.index import Through
from reconciler.vaults.clients_parser import CARRIED_BY, PYHOCON
from reconciler.vaults.showing import shown_path, with_shown_keys
from reconciler.vaults.tree import Expression, List, Object, Tree, display, leaves, to_plain
from reconciler.views.columns import columns, padded, width
from reconciler.views.sentences import counted, kind_name, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.effective.difference import Difference
    from reconciler.effective.merge import Said, Value
    from reconciler.views.palette import Palette

_PLAIN_KEY = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_PATH_WIDTH, _VALUE_WIDTH, _LONGEST_TEXT = 56, 44, 100


def render_effective(
    found: Configuration, values: Sequence[Value], where: str, palette: Palette, *, path: str | None = None
) -> str:
    """Return a configuration as text: who, which vaults, then one line per value with where it comes from.

    ``where`` says what it was worked out from; ``path`` is what the values were narrowed down to.
    """
    lines = [*_head(found, where, palette), "", *_values(values, palette)]
    if not values:
        lines.append(f"Nothing is set{f' at {harmless(path)}' if path else ''}.")
    notes = list(note_lines(found, palette))
    return "".join(f"{line}\n" for line in (*lines, *([""] if notes else []), *notes))


def _head(found: Configuration, where: str, palette: Palette) -> Iterator[str]:
    kind = kind_name(found.principal.kind)
    yield f"{palette.strong(f'{kind} {harmless(found.title)}')}   {palette.quiet(harmless(where))}"
    yield f"Groups: {', '.join(map(harmless, found.groups))}"
    if not found.vaults and not found.organization:
        yield "Vaults: none reaches it"
        return
    yield f"Vaults{f' over {harmless(found.base)}' if found.base else ''}{_order(found)}:"
    vaults = (*found.vaults, *found.organization)
    rows = [(harmless(vault.name), _verdict(vault), _why(vault)) for vault in vaults]
    for vault, line in zip(vaults, columns(rows), strict=True):
        style = str if vault.read.standing is Standing.APPLIES else palette.quiet
        yield f"  {style(line)}"


def _order(found: Configuration) -> str:
    applying = sum(vault.read.source is not None for vault in found.vaults)
    return ", in an order that is not documented" if applying > 1 else ""


def _verdict(vault: Standings) -> str:
    match vault.read.standing:
        case Standing.APPLIES:
            return "applies" if vault.reaching.through is not Through.UNKNOWN else "may apply"
        case Standing.DISABLED:
            return "does not apply: it is disabled"
        case Standing.OTHER_TARGET:
            return f"does not apply: its target is {harmless(vault.reaching.vault.target)}, not client"
        case Standing.DROPPED:
            return f"does not apply: clients drop it: {harmless(vault.read.reason)}"
        case Standing.ENDLESS:
            return f"does not apply: clients may never finish reading it: {harmless(vault.read.reason)}"
        case Standing.NEEDS_ENVIRONMENT:
            return f"applies only to clients that define {harmless(listed(vault.read.environment))}"
        case Standing.REFUSED:
            return f"refused by reconciler: {harmless(vault.read.reason)}"


def _why(vault: Standings) -> str:
    match vault.reaching.through:
        case Through.EVERYONE:
            return "through Users, which everyone is in"
        case Through.ADMIN:
            return "through Admins, which every admin is in"
        case Through.GROUP:
            return f"through group {harmless(vault.reaching.group or '')}"
        case Through.UNKNOWN:
            return "reach unknown: it is a vault of the whole organization"
        case _:
            return "its own vault"


def _values(values: Sequence[Value], palette: Palette) -> Iterator[str]:
    rows = [(shown_path(value.path), _summary(value)) for value in values]
    path_width = _widest((path for path, _ in rows), _PATH_WIDTH)
    value_width = _widest((text for _, text in rows), _VALUE_WIDTH)
    indent = " " * (path_width + 2)
    for value, (path, text) in zip(values, rows, strict=True):
        start = f"{padded(path, path_width)}  "
        if value.is_conflict:
            yield start + palette.error(text)
        else:
            yield f"{start}{padded(text, value_width)}  {palette.quiet(_origin(value.said[0]))}"
            yield from (f"{indent}{line}" for line in _items(value.said[0].shown))
        yield from (f"{indent}{line}" for line in _beside(value, palette))


def _widest(texts: Iterable[str], limit: int) -> int:
    """Return the place that a column takes: longer texts than the limit stick out and move nothing."""
    return max((places for text in texts if (places := width(text)) <= limit), default=0)


def _summary(value: Value) -> str:
    if value.is_conflict:
        return "conflict"
    shown = value.said[0].shown
    text = _text(shown)
    return counted(len(shown.items), "item") if isinstance(shown, List) and width(text) > _VALUE_WIDTH else text


def _items(shown: Tree) -> Iterator[str]:
    """Write the leaves of a list that is too long for one line."""
    if isinstance(shown, List) and width(_text(shown)) > _VALUE_WIDTH:
        rows = [(shown_path(path), _text(node)) for path, node in leaves(shown)]
        yield from (f"  {line}" for line in columns(rows))


def _beside(value: Value, palette: Palette) -> Iterator[str]:
    """Write what stands beside the winning value, or instead of one."""
    if value.is_conflict:
        for position, said in enumerate(value.said):
            word = palette.error("either" if position == 0 else "or    ")
            yield f"{word} {_text(said.shown)}  {palette.quiet(_origin(said))}"
    for said in value.same:
        yield palette.quiet(f"the same  {_origin(said)}")
    for said in value.overrides:
        elsewhere = f"{shown_path(said.path)} = " if said.path != value.path else ""
        yield palette.quiet(f"overrides {elsewhere}{_text(said.shown)}  {_origin(said)}")


def _text(value: Tree) -> str:
    """Write a value in one line, and not more of it than people read; the other formats have the whole."""
    text = display(with_shown_keys(value))
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}… ({counted(len(text), 'character')})"


def _origin(said: Said) -> str:
    source = said.source
    if source.base:
        return f"← {harmless(source.name)}{f':{said.line}' if said.line else ''}"
    if source.file is None:
        return f"← {harmless(source.name)}"
    return f"← {harmless(source.name)} ({harmless(source.file)}{f':{said.line}' if said.line else ''})"


def failing_lines(failing: Iterable[Standings], palette: Palette) -> Iterator[str]:
    """Return one line for each vault that is meant to apply, and does not, or not to all clients."""
    for vault in failing:
        yield palette.error(f"Error:    vault {harmless(vault.name)} {_verdict(vault)}")


def note_lines(found: Configuration, palette: Palette) -> Iterator[str]:
    """Return what must be known beside the values: conflicts, what is left out, what clients misread."""
    conflicts = found.conflicts
    if conflicts:
        paths = listed([shown_path(value.path) for value in conflicts])
        yield palette.error(f"Conflict: {counted(len(conflicts), 'value')} where vaults disagree ({paths}).")
        yield palette.error(
            "          The order in which a server returns vaults is not documented, so which one wins is not known."
        )
    for vault in found.vaults:
        yield from _vault_notes(vault, palette)
    for vault in found.organization:
        yield from _organization_notes(vault, palette)
    if found.misread:
        count = counted(found.misread, "value")
        yield palette.change(
            f"Warning:  clients also find {count} that no author wrote; not shown, they may contain secrets"
        )
    yield palette.quiet(f"Read:     as {CARRIED_BY} read it, with their parser (pyhocon {PYHOCON})")
    if found.unknown_groups:
        groups = listed(found.unknown_groups)
        yield palette.change(f"Unknown:  vaults of groups that do not declare their members ({groups}); see --live")
    if found.invited:
        yield "Waiting:  only invited so far; this is what will reach whoever accepts the invitation"
    if found.principal.kind is Kind.MEMBER:
        yield palette.quiet("Not shown: the member's own vault, which nobody else can read")
    elif found.impersonates:
        yield palette.quiet("Not here: what a task brings along that this account runs as the task's owner")


def _vault_notes(vault: Standings, palette: Palette) -> Iterator[str]:
    name = harmless(vault.name)
    for key in vault.read.left_out:
        yield f"Left out: {key} of {name}: agents keep their own value, whatever a vault says"
    for warning in vault.warnings:
        yield palette.change(f"Warning:  vault {name}: {harmless(warning)}")
    yield from _from_environment(vault, palette)


def _organization_notes(vault: Standings, palette: Palette) -> Iterator[str]:
    """Write what a vault gives of which nothing published says whom it reaches."""
    yield palette.change(
        f"Unknown:  who receives vault {harmless(vault.name)} of the whole organization; its values are not merged"
    )
    if vault.read.source is not None:
        rows = [(shown_path(path), _text(node)) for path, node in leaves(vault.read.source.shown)]
        yield from (f"            {line}" for line in columns(rows))


def _from_environment(vault: Standings, palette: Palette) -> Iterator[str]:
    """Write the other case: what clients have whose environment has what a vault asks for."""
    if not vault.read.changed:
        return
    names = harmless(listed(vault.read.environment))
    yield palette.change(f"Depends:  with {names} in a client's environment, vault {harmless(vault.name)} gives it")
    rows = []
    for item in vault.read.changed:
        value = _text(item.value) if item.value is not None else "nothing"
        instead = f"instead of {_text(item.without)}" if item.without is not None else ""
        rows.append((shown_path(item.path), value, instead))
    yield from (f"            {line}" for line in columns(rows))


def render_difference(found: Difference, title: str, palette: Palette) -> str:
    """Return what differs between live and declared, one line per path."""
    paths = [harmless(edit.path) for edit in found.edits]
    wide = min(max(map(width, paths), default=0), _PATH_WIDTH)
    lines = [palette.strong(f"{harmless(title)}: live → declared")] if found.edits else []
    for edit, path in zip(found.edits, paths, strict=True):
        before, after = (None if side is None else harmless(side) for side in (edit.before, edit.after))
        if edit.secret and before is not None and after is not None:
            text = palette.change("(secret changed)")
        elif before is None:
            text = palette.add(f"+ {after}")
        elif after is None:
            text = palette.remove(f"- {before}")
        else:
            text = f"{palette.remove(before)} → {palette.add(after)}"
        lines.append(f"  {padded(path, wide)}  {text}")
    if found.secrets_left_out:
        left_out = counted(found.secrets_left_out, "secret value")
        lines.append(palette.change(f"Secrets:  {left_out} not compared, this run does not have them"))
    verdict = f"{counted(len(found.edits), 'value')} differ{'s' if len(found.edits) == 1 else ''}."
    lines.append(verdict if found.edits else f"{harmless(title)} has what is declared.")
    return "".join(f"{line}\n" for line in lines)


def difference_json(found: Difference) -> str:
    """Return the difference as one JSON document."""
    edits = [
        {"path": edit.path, "before": edit.before, "after": edit.after, "secret": edit.secret} for edit in found.edits
    ]
    return json_document({"differences": edits, "secrets_left_out": found.secrets_left_out})


def effective_document(values: Sequence[Value], output_format: str) -> str:
    """Return values as one document in ``json``, ``yaml`` or ``hocon``; hidden values are placeholders."""
    tree = document(values)
    if output_format == "json":
        return json_document(to_plain(tree))
    if output_format == "yaml":
        from reconciler.yaml.dump import dump

        return dump(to_plain(tree))
    return "".join(f"{line}\n" for line in _hocon_entries(tree, ""))


def _hocon_entries(tree: Object, indent: str) -> Iterator[str]:
    for key, value in tree.entries.items():
        name = key if _PLAIN_KEY.fullmatch(key) else json_text(key)
        if isinstance(value, Object) and value.entries:
            yield f"{indent}{name} {{"
            yield from _hocon_entries(value, f"{indent}  ")
            yield f"{indent}}}"
        else:
            yield f"{indent}{name} = {_hocon_value(value)}"


def _hocon_value(value: Tree) -> str:
    if isinstance(value, Expression):
        return harmless(value.source)
    return json_text(to_plain(value))
