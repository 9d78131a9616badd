from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from vault_documents import HOCON, JSON, YAML

from reconciler.model.resources import Document
from reconciler.model.secret import Secret
from reconciler.vaults.places import line_of, value_lines
from reconciler.vaults.tree import parse_path

if TYPE_CHECKING:
    from reconciler.model.resources import DocumentFormat

HOCON_TEXT = """# { comment
a.b: 1, c = "x{" # d: 1
e {
  f: http://host:1/x
  g: [ 1, {h: 2}
    3 ]
  "i.j" = @{SECRET}
}
k = {
  l: ${x}
  e2 += 3
}
a.b: 2
"""

JSON_TEXT = """{
  "a": {"b": [1,
     {"x": 1}], "c": 1},
  "d": 2
}"""

YAML_TEXT = """a:
  b: [1,
    {x: 1}]
  c: @{SECRET}
d: |
  e: 1
f: 2
"""


@pytest.mark.parametrize(
    ("document_format", "text", "lines"),
    [
        (HOCON, HOCON_TEXT, {"a.b": 22, "c": 11, "e.f": 13, "e.g": 14, 'e."i.j"': 16, "k.l": 19, "k.e2": 20, "k": 18}),
        (JSON, JSON_TEXT, {"a.b": 11, "a.c": 12, "d": 13}),
        (YAML, YAML_TEXT, {"a.b": 11, "a.c": 13, "d": 14, "f": 16}),
    ],
)
def test_every_key_has_its_line(document_format: DocumentFormat, text: str, lines: dict[str, int]) -> None:
    found = value_lines(Document(document_format, Secret(text), file="x", line=10))
    assert {path: found.get(parse_path(path)) for path in lines} == lines
    assert all(isinstance(part, str) for path in found for part in path)


@pytest.mark.parametrize("text", ["a: [", "}}]]{{", '"', "a: {b: ]}", "= : {", "@{x}: 1"])
@pytest.mark.parametrize("document_format", [HOCON, JSON, YAML])
def test_a_broken_document_is_no_error_here(document_format: DocumentFormat, text: str) -> None:
    value_lines(Document(document_format, Secret(text)))


def test_a_value_without_a_line_has_its_containers() -> None:
    assert line_of({("a",): 3}, ("a", "b", 0)) == 3
    assert line_of({("a",): 3}, ("b",)) is None
