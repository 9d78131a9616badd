"""From files to a checked declaration, or to every problem that they have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reconciler.declaration.checks import check
from reconciler.declaration.declaration import Declaration, Entry, excerpt
from reconciler.declaration.files import MAXIMUM_FILES, ConfinementError, Folder
from reconciler.declaration.models import IncludedFile, WorkspaceFile
from reconciler.declaration.source import MAXIMUM_DOCUMENT_BYTES, read_source, read_yaml
from reconciler.declaration.validation import Part, validate_part
from reconciler.errors import InvalidDeclarationError, Place, Problem, Severity, SourceError
from reconciler.model.placed_text import PlacedText
from reconciler.model.text import harmless
from reconciler.yaml.tree import placed_text

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.declaration.models import DocumentEntry
    from reconciler.model.policy import Rule
    from reconciler.vaults.parse import DocumentParser
    from reconciler.yaml.tree import YamlPath, YamlTree

_VAULT = re.compile(r"\bvaults?[\"']?:")

MAXIMUM_PROBLEMS = 1000
"""The most problems that are told one by one; the rest are counted."""


def load(path: Path, *, documents: DocumentParser) -> Declaration:
    """Read a declaration with everything that it includes, and check it.

    ``documents`` parses the documents of vaults. Raises :class:`InvalidDeclarationError` with every problem of every
    file; what only deserves a warning is in the returned declaration.
    """
    loader = _Loader(path, documents)
    declaration = loader.load()
    problems = loader.problems
    if declaration is not None:
        complete = not loader.unreadable
        problems.extend(check(declaration, loader.parts, documents=documents, complete=complete))
    problems = _in_order(problems)
    if declaration is None or any(problem.severity is Severity.ERROR for problem in problems):
        excerpts = {
            problem.place: line
            for problem in problems[:MAXIMUM_PROBLEMS]
            if problem.place and not problem.rule.startswith("document")
            if (line := excerpt(loader.trees, problem.place)) is not None
        }
        raise InvalidDeclarationError(_bounded(problems), excerpts=excerpts)
    return replace(declaration, warnings=tuple(_bounded(problems)))


class _Loader:
    """Reads the files of one declaration and gathers what is wrong with them."""

    def __init__(self, path: Path, documents: DocumentParser) -> None:
        self.problems: list[Problem] = []
        self.parts: list[Part] = []
        self.trees: dict[str, YamlTree] = {}
        self.unreadable = False
        self._path = path
        self._documents = documents
        self._folder = Folder(path.parent)
        self._texts: dict[str, str] = {}

    def load(self) -> Declaration | None:
        """Return the declaration as far as it is right, or ``None`` if its top file cannot be understood."""
        part = self._part(self._path, WorkspaceFile)
        if part is None or not isinstance(part.model, WorkspaceFile):
            return None
        for path in self._included(part.model, part.tree):
            self._part(path, IncludedFile)
        declaration = Declaration(
            folder=self._path.parent,
            top_file=part.tree.file,
            top=part.model,
            trees=self.trees,
            members=self._entries("members"),
            service_accounts=self._entries("service_accounts"),
            groups=self._entries("groups"),
            vaults=self._entries("vaults"),
            access_rules=self._entries("access_rules"),
        )
        rules = self._rules(part.model, part.tree)
        return replace(self._read_documents(declaration), rules=rules)

    def _part(self, path: Path, model: type[IncludedFile]) -> Part | None:
        shown = self._folder.shown(path)
        try:
            text = self._read(path)
            if _VAULT.search(text):
                self._documents.start()  # It is ready when the files have been read and understood.
            tree = read_yaml(text, shown)
        except SourceError as error:
            self.problems.append(error.problem)
            self.unreadable = True
            return None
        self.trees[shown] = tree
        part, problems = validate_part(model, tree)
        self.parts.append(part)
        self.problems.extend(problems)
        return part

    def _rules(self, top: WorkspaceFile, tree: YamlTree) -> tuple[Rule, ...]:
        """Read the rules of the policy file, if the declaration names one."""
        if top.policy.rules is None:
            return ()
        from reconciler.declaration.policy_file import read_rules

        place = tree.place(("policy", "rules"))
        path = self._confined(top.policy.rules, "policy-path", place)
        text = self._text(path, top.policy.rules, place) if path is not None else None
        if text is None:
            return ()
        try:
            policy = read_yaml(text.text, text.file)
        except SourceError as error:
            self.problems.append(error.problem)
            return ()
        self.trees[text.file] = policy
        rules, problems = read_rules(policy, place)
        self.problems.extend(problems)
        return rules

    def _read(self, path: Path, **options: Any) -> str:
        shown = self._folder.shown(path)
        text = read_source(path, shown, **options)
        self._texts[shown] = text
        return text

    def _included(self, top: WorkspaceFile, tree: YamlTree) -> list[Path]:
        """Return the included files in a stable order, each once, the top file left out."""
        found: dict[Path, Path] = {}
        own = self._path.resolve()
        for index, pattern in enumerate(top.include):
            place = tree.place(("include", index))
            try:
                paths = [path for path in self._folder.matching(pattern) if path.resolve() != own]
            except ConfinementError as error:
                self._problem("include", f"`{harmless(pattern)}` {error}", place)
                continue
            if not paths:
                self._problem("include", f"`{harmless(pattern)}` matches no file", place)
            for path in paths:
                found.setdefault(path.resolve(), path)
        if len(found) > MAXIMUM_FILES:
            place = tree.place(("include",))
            self._problem("include", f"the patterns match more than {MAXIMUM_FILES} files", place)
            return []
        return sorted(found.values())

    def _problem(self, rule: str, message: str, place: Place) -> None:
        self.problems.append(Problem(rule, message, place))
        self.unreadable = self.unreadable or rule == "include"

    def _entries(self, kind: str) -> tuple[Entry[Any], ...] | None:
        entries: list[Entry[Any]] | None = None
        for part in self.parts:
            items = getattr(part.model, kind)
            if items is not None:
                entries = entries or []
                indexes = part.indexes.get(kind) or range(len(items))
                places = part.tree.places(kind)
                entries.extend(
                    Entry(item, part.tree, (kind, index), places[index])
                    for item, index in zip(items, indexes, strict=True)
                )
        return None if entries is None else tuple(entries)

    def _read_documents(self, declaration: Declaration) -> Declaration:
        documents: dict[tuple[str, YamlPath], PlacedText] = {}
        for vault in declaration.owned_vaults():
            entry = vault.entry
            data = entry.item.data
            inline = (*entry.path, "data")
            document = self._document_file(entry) if data is None else placed_text(entry.tree, inline, data)
            if document is not None:
                documents[entry.key] = document
        return replace(declaration, documents=documents, files=tuple(sorted(self._texts)))

    def _document_file(self, entry: Entry[DocumentEntry]) -> PlacedText | None:
        name, place = entry.item.file or "", entry.place("file")
        path = self._confined(name, "document-path", place)
        return None if path is None else self._text(path, name, place, limit=MAXIMUM_DOCUMENT_BYTES)

    def _confined(self, name: str, rule: str, place: Place) -> Path | None:
        """Return the path of a file inside the folder that a declaration names, or note what is wrong with it."""
        try:
            return self._folder.inside(name)
        except ConfinementError as error:
            self._problem(rule, f"`{harmless(name)}` {error}", place)
            return None

    def _text(self, path: Path, name: str, place: Place, **options: Any) -> PlacedText | None:
        """Return the text of a file that is named at a place, or note why there is none."""
        shown = self._folder.shown(path)
        if shown in self._texts:
            return PlacedText(self._texts[shown], shown)
        try:
            return PlacedText(self._read(path, **options), shown)
        except SourceError as error:
            problem = error.problem
            if problem.rule.startswith("file-"):
                message = f"`{harmless(name)}`: {problem.message}"
                problem = Problem(problem.rule, message, place)
            self.problems.append(problem)
            return None


def _in_order(problems: list[Problem]) -> list[Problem]:
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda problem: (problem.place or Place(""), problem.rule, problem.message))


def _bounded(problems: list[Problem]) -> list[Problem]:
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if len(problems) <= MAXIMUM_PROBLEMS:
        return problems
    shown = errors[:MAXIMUM_PROBLEMS] if errors else problems[:MAXIMUM_PROBLEMS]
    severity = Severity.ERROR if errors else Severity.WARNING
    left = len(problems) - len(shown)
    return [*shown, Problem("too-many-problems", f"and {left} more problems", severity=severity)]
