from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vault_documents import HOCON, JSON, YAML, declared, live

from reconciler.vaults.extract import extract_secrets
from reconciler.vaults.portable import write_portable_json
from reconciler.vaults.references import bind, template_tree
from reconciler.vaults.render import render
from reconciler.vaults.tree import from_plain, leaves

if TYPE_CHECKING:
    from reconciler.model.resources import DocumentFormat
    from reconciler.vaults.parse import DocumentParser

EXTRACTIONS = [
    (HOCON, 'password = "canary-secret" # canary-secret: old\n# canary-secret', ["V_PASSWORD"], False),
    (YAML, "password: canary-secret # canary-secret\nnote: canary-secret\n", ["V_PASSWORD", "V_NOTE"], False),
    (
        HOCON,
        '# @{x}\ns3 { key = abcdefghij1 # c\n  secret: "se\\"cr", region: eu }\n',
        ["V_S3_KEY", "V_S3_SECRET"],
        True,
    ),
    (HOCON, 'environment { A: "x9qZ2 y", B: "x9qZ2k y" }\nq: "@{lit} @@{z}"', ["V_ENVIRONMENT_B"], True),
    (HOCON, "plain = 1 # @{comment}\n", [], True),
    (HOCON, "a.password = x", ["V_A_PASSWORD"], False),
    (JSON, '{"password": "p\\nq", "l": [{"token": "t\\u00e9"}]}', ["V_PASSWORD", "V_L_0_TOKEN"], False),
    (JSON, '{"password": "password", "b": "password"}', ["V_PASSWORD"], True),
    (
        YAML,
        "a:\n  password: 'it''s'\n  b: |\n    -----BEGIN PRIVATE KEY-----\n    abc\n",
        ["V_A_PASSWORD", "V_A_B"],
        True,
    ),
    (YAML, "password: >\n  folded\n  text here\nb: 1 # lost", ["V_PASSWORD"], False),
]


@pytest.mark.parametrize(("document_format", "text", "names", "exact"), EXTRACTIONS)
def test_secrets_become_references_and_the_rest_stays(
    parser: DocumentParser, document_format: DocumentFormat, text: str, names: list[str], exact: bool
) -> None:
    found = extract_secrets(live(document_format, text), "config", "v", parser)
    assert sorted(found.names) == sorted(names)
    document = declared(document_format, found.text, **{name: value.reveal() for name, value in found.names.items()})
    assert bind(document, parser).tree == parser.parse(document_format, text)
    referred = {name for used in template_tree(document, parser).references.values() for name in used}
    assert referred == set(names)
    assert found.exact is exact
    assert "canary-secret" not in found.text
    assert (render(document, parser).reveal() == text) is exact


def test_a_secret_that_is_no_text_is_left_and_reported(parser: DocumentParser) -> None:
    found = extract_secrets(
        live(HOCON, "environment.PORT: 5, pin.password: 5, use_password: true"), "config", "v", parser
    )
    assert (dict(found.names), found.left) == ({}, ("pin.password",))


planted = st.text("abcXYZ01 \"\\'#:/@{}\n", min_size=1, max_size=10)
trees_with_secrets = st.fixed_dictionaries(
    {"plain": planted, "password": planted},
    optional={"environment": st.dictionaries(st.sampled_from("AB"), planted), "list": st.lists(planted, max_size=2)},
)


@settings(max_examples=60, deadline=None)
@given(plain=trees_with_secrets, document_format=st.sampled_from([HOCON, JSON, YAML]))
def test_extraction_keeps_the_meaning_and_leaves_no_secret_text(
    parser: DocumentParser, plain: dict[str, object], document_format: DocumentFormat
) -> None:
    tree = from_plain(plain)
    text = write_portable_json(tree)
    found = extract_secrets(live(document_format, text), "config", "v", parser)
    document = declared(document_format, found.text, **{name: value.reveal() for name, value in found.names.items()})
    bound = bind(document, parser)
    assert bound.tree == tree
    levels = {"password": 1, "environment": 2}
    places = {path for path, _ in leaves(tree) if levels.get(str(path[0])) == len(path)}
    assert {("password",)} <= bound.references <= places
