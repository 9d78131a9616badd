"""Who has what and why: aligned text for people, JSON for programs, CSV with one row per fact for auditors."""

from __future__ import annotations

import csv
import io
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from reconciler.model.text import harmless, json_document
from reconciler.plan.access.index import EVERYONE, TITLES, Through
from reconciler.plan.access.listing import NOTHING, UNKNOWN, AccessReport, Fact
from reconciler.plan.impact.report import Aspect
from reconciler.views.columns import columns
from reconciler.views.sentences import counted, kind_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.views.palette import Palette

FORMAT = "clearml-reconciler/access/1"

CSV_COLUMNS = (
    "kind",
    "principal",
    "aspect",
    "subject",
    "level",
    "through",
    "rule",
    "group",
    "values",
    "secrets",
    "ends",
    "rule_on",
    "certain",
)
"""The columns of the CSV form; see :class:`reconciler.plan.access.listing.Fact`."""

_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_SECTIONS = {
    Aspect.GROUP: "Groups",
    Aspect.ACCESS: "Access",
    Aspect.VAULT: "Vaults",
    Aspect.CREDENTIAL: "Credentials",
}
_LEVELS = {"read_write": "read and write", "read": "read", NOTHING: "nothing"}


def access_json(report: AccessReport, where: str, *, live: bool) -> str:
    """Return a report as one JSON document; ``where`` says what it was made from."""
    return json_document(
        {
            "format": FORMAT,
            "source": "live" if live else "declared",
            "where": where,
            "about": "entity" if report.about_entity else "principals",
            "subject": report.subject,
            "not_said": [kind.value for kind in report.not_said],
            "beside_defaults": report.beside_defaults,
            "incomplete": report.incomplete,
            "facts": [asdict(fact) for fact in report.facts],
        }
    )


def access_csv(report: AccessReport) -> str:
    """Return a report as CSV (RFC 4180), one row per fact.

    A text that a spreadsheet would take for a formula begins with an apostrophe, which spreadsheets do not show.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows([_cell(value) for value in _row(fact)] for fact in report.facts)
    return buffer.getvalue()


def _row(fact: Fact) -> tuple[str | int | None, ...]:
    is_vault = fact.aspect is Aspect.VAULT
    return (
        fact.kind.value if fact.kind else "everyone",
        fact.principal,
        fact.aspect.value,
        fact.subject,
        fact.level,
        fact.through.value,
        fact.rule,
        fact.group,
        fact.values if is_vault else None,
        fact.secrets if is_vault else None,
        fact.ends,
        fact.rule_on,
        "yes" if fact.certain else "no",
    )


def _cell(value: str | int | None) -> str:
    text = "" if value is None else harmless(str(value))
    return f"'{text}" if text.lstrip()[:1] in _FORMULA and text.strip() else text


def render_access(report: AccessReport, where: str, palette: Palette) -> str:
    """Return a report as text; ``where`` says what it was made from."""
    blocks: list[list[str]] = []
    if report.about_entity:
        title = palette.strong(harmless(report.subject or ""))
        blocks.append([f"{title}   {palette.quiet(harmless(where))}", *_entity_lines(report.facts, palette)])
    else:
        for (kind, principal), facts in groupby(report.facts, key=lambda fact: (fact.kind, fact.principal)):
            title = palette.strong(f"{kind_name(kind) if kind else ''} {harmless(principal)}".strip())
            blocks.append([f"{title}   {palette.quiet(harmless(where))}", *_principal_lines(list(facts), palette)])
    notes = list(_notes(report, palette))
    if notes:
        blocks.append(notes)
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


def _entity_lines(facts: Sequence[Fact], palette: Palette) -> Iterator[str]:
    rows, styles = [], []
    for (kind, principal), ways in groupby(facts, key=lambda fact: (fact.kind, fact.principal)):
        label = f"{kind_name(kind)} {harmless(principal)}" if kind else "everyone"
        for position, fact in enumerate(ways):
            rows.append((label if position == 0 else "", _level(fact), _why(fact)))
            styles.append(_style(fact, palette))
    yield from _table(rows, styles)


def _principal_lines(facts: Sequence[Fact], palette: Palette) -> Iterator[str]:
    for fact in facts:
        if fact.aspect not in _SECTIONS:
            yield f"  {_standing(fact, palette)}"
    for aspect, heading in _SECTIONS.items():
        found = [fact for fact in facts if fact.aspect is aspect]
        if found:
            yield f"{heading}:"
            lines = _access_rows(found) if aspect is Aspect.ACCESS else [_plain_row(fact) for fact in found]
            yield from _table(lines, [_style(fact, palette) for fact in found])


def _standing(fact: Fact, palette: Palette) -> str:
    if fact.aspect is Aspect.WORKSPACE:
        if fact.level == UNKNOWN:
            return palette.change("not declared itself: whether it is an admin is not known here")
        return palette.change("invited, has not signed in yet: none of this holds until then")
    value = fact.level
    return f"{fact.subject}: {palette.change(value) if value in ('admin', 'yes') else value}"


def _access_rows(facts: Iterable[Fact]) -> list[tuple[str, ...]]:
    """Write one line per way; the entity stands on its first line only."""
    rows: list[tuple[str, ...]] = []
    before = None
    for fact in facts:
        rows.append(("" if fact.subject == before else harmless(fact.subject), _level(fact), _why(fact)))
        before = fact.subject
    return rows


def _plain_row(fact: Fact) -> tuple[str, ...]:
    if fact.aspect is Aspect.VAULT:
        secrets = f", {counted(fact.secrets, 'secret')} among them" if fact.secrets else ""
        return harmless(fact.subject), f"{counted(fact.values, 'value')}{secrets}", _why(fact)
    if fact.aspect is Aspect.CREDENTIAL:
        return harmless(fact.subject), f"ends {harmless(fact.ends)}" if fact.ends else "its expiry is not known", ""
    return harmless(fact.subject), "" if fact.through is Through.ITSELF else _why(fact), ""


def _table(rows: Sequence[tuple[str, ...]], styles: Sequence[Callable[[str], str]]) -> Iterator[str]:
    if rows:
        for line, style in zip(columns(rows), styles, strict=True):
            yield f"  {style(line)}"


def _style(fact: Fact, palette: Palette) -> Callable[[str], str]:
    if fact.level == NOTHING or fact.through is Through.DEFAULT or not fact.certain:
        return palette.quiet
    return palette.change if fact.through is Through.ADMIN else str


def _level(fact: Fact) -> str:
    level = _LEVELS.get(fact.level, fact.level)
    if fact.certain:
        return level
    return f"{level} known" if fact.level == NOTHING else f"perhaps {level}"


def _why(fact: Fact) -> str:
    group = f"through group {harmless(fact.group)}" if fact.group else ""
    to_all = "through Users, which everyone is in"
    rule = f"rule {harmless(fact.rule)}{_on(fact)}" if fact.rule else ""
    match fact.through:
        case Through.ADMIN:
            return "as an admin"
        case Through.DEFAULT if fact.rule is None:
            return "the server's default rules"
        case Through.DEFAULT:
            return f"the server's default {rule}, {to_all if fact.group == TITLES[EVERYONE] else group}"
        case Through.EVERYONE:
            return f"{rule}, {to_all}" if rule else to_all
        case Through.RULE if fact.rule is None:
            return "no rule gives it" if fact.certain else "rules that are not known here may give it"
        case Through.RULE:
            return f"{rule}, {group}" if group else rule
        case Through.GROUP:
            return group
        case Through.ITSELF:
            return "its own"
        case Through.UNKNOWN:
            return "reach unknown"


def _on(fact: Fact) -> str:
    if fact.rule_on is None:
        return ""
    return f" on {harmless(fact.rule_on)}" + ("" if fact.certain else ", if it is in there")


def _notes(report: AccessReport, palette: Palette) -> Iterator[str]:
    if any(fact.aspect is Aspect.ACCESS for fact in report.facts):
        yield palette.quiet("Access to a project holds for what is in it. Rules add up: none takes access away.")
    if report.beside_defaults:
        yield palette.quiet(
            "The server's default rules are not in a declaration, and usually let everyone read and write everything; "
            "--live shows what they give."
        )
    if report.incomplete:
        yield palette.change("Not all is known here: something could not be read, and may give more.")
    if any(fact.aspect is Aspect.IMPERSONATION and fact.level == "yes" for fact in report.facts):
        yield palette.quiet("Impersonation: it runs tasks with the access and the vaults of whoever owns them.")
    if report.not_said:
        kinds = ", ".join(f"{kind_name(kind)}s" for kind in report.not_said)
        yield palette.change(f"This may be incomplete: there may be {kinds} that are not declared; see --live.")
    if not report.facts:
        yield "Nobody."
