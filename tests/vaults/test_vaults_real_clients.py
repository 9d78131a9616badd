"""What this project says that clients read is what the parser that they carry reads."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from client_equality import TOGETHER, Equality, corpus, plain, same
from clients_oracle import AGENT, SDK, Oracle
from hocon_grammar import Grammar
from hypothesis import given, settings
from hypothesis import strategies as st
from vault_documents import portable_trees

from reconciler.vaults import clients_parser
from reconciler.vaults.parse import DocumentParser
from reconciler.vaults.portable import write_portable_json
from reconciler.vaults.tree import Object

pytestmark = pytest.mark.real_clients

SEED, DOCUMENTS, OF_CORPUS = 20261130, 120, 4
"""A sample, and each fourth document of the corpus; ``tests/vaults/client_equality.py`` runs all of them, and 20 000."""


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    oracle = Oracle()
    yield oracle
    oracle.close()


def installed(package: str) -> Path:
    top, *rest = package.split(".")
    found = importlib.util.find_spec(top)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{top} is not installed")
    return Path(found.submodule_search_locations[0], *rest)


def statements(source: str) -> str:
    """Return what a module does: without docstrings, comments, and where it imports its own parts from."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
                node.body.pop(0)
        elif isinstance(node, ast.ImportFrom):
            node.module, node.level = (node.module or "").split(".")[-1], 0
    return ast.dump(tree, indent=1)


@pytest.mark.parametrize("package", [SDK, AGENT])
@pytest.mark.parametrize("module", ["exceptions", "config_tree", "config_parser"])
def test_the_parser_that_is_asked_is_the_clients_own_statement_by_statement(package: str, module: str) -> None:
    theirs = (installed(package) / f"{module}.py").read_text("utf-8")
    pyhocon = (clients_parser.folder() / f"{module}.py").read_text("utf-8")
    assert statements(clients_parser.changed(module, pyhocon, clients_parser.CLIENTS)) == statements(theirs)


def default_files(package: str) -> list[Path]:
    return sorted((installed(package) / "").glob("**/*.conf"))


@pytest.mark.parametrize("package", ["clearml", "clearml_agent"])
def test_the_default_files_of_clients_are_read_as_clients_read_them(
    parser: DocumentParser, oracle: Oracle, package: str
) -> None:
    texts = [path.read_text("utf-8") for path in default_files(package)]
    assert len(texts) >= 3
    equality = Equality(parser, oracle)
    for text in texts:
        equality.check(text)
    equality.check_merge(texts)
    assert equality.unlike == []


def test_the_corpus_is_read_as_clients_read_it(parser: DocumentParser, oracle: Oracle) -> None:
    texts = corpus()
    assert len(texts) >= 400
    equality = Equality(parser, oracle)
    for text in texts[::OF_CORPUS]:
        equality.check(text)
    equality.check_merge(["a { x = 1, l = [1] }\nb = ${a}", "a { y = 2, l = [2] }", "b = null", "b { z = 3 }", "c = ["])
    assert equality.unlike == []


def test_generated_documents_are_read_as_clients_read_them(parser: DocumentParser, oracle: Oracle) -> None:
    equality = Equality(parser, oracle)
    grammar = Grammar(Random(SEED))
    texts = [grammar.document() for _ in range(DOCUMENTS)]
    for text in texts:
        equality.check(text)
    for at in range(0, DOCUMENTS, TOGETHER):
        equality.check_merge(texts[at : at + TOGETHER])
    assert equality.unlike == []
    assert equality.parsed >= 0.6 * DOCUMENTS
    assert equality.substitutions >= 0.4 * DOCUMENTS


@settings(max_examples=30, deadline=None)
@given(trees=st.lists(portable_trees, min_size=2, max_size=3))
def test_merging_is_what_the_client_does(parser: DocumentParser, oracle: Oracle, trees: list[Object]) -> None:
    texts = [write_portable_json(tree) for tree in trees]
    ours = plain(parser.merge(texts, [range(len(texts))])[0])
    assert same(ours, oracle.merge(texts)[1])


@settings(max_examples=30, deadline=None)
@given(tree=portable_trees)
def test_a_portable_document_is_read_the_same_by_the_client(oracle: Oracle, tree: Object) -> None:
    assert same(oracle.read(write_portable_json(tree))[1], plain(tree))
