"""Short ways to write documents and vaults, and Hypothesis strategies for trees."""

from __future__ import annotations

from hypothesis import strategies as st

from reconciler.model.resources import Document, DocumentFormat, OwnerKind, Vault
from reconciler.model.secret import Secret
from reconciler.vaults.tree import List, Object, Path, Scalar, Tree

HOCON, JSON, YAML = DocumentFormat.HOCON, DocumentFormat.JSON, DocumentFormat.YAML


def live(document_format: DocumentFormat, text: str) -> Document:
    return Document(document_format, Secret(text))


def declared(document_format: DocumentFormat, text: str, **secrets: str | None) -> Document:
    bound = tuple((name, None if value is None else Secret(value)) for name, value in secrets.items())
    return Document(document_format, Secret(text), bound, "vaults/test.conf", reviewed=True)


class AllApplied:
    """Remembers that every live value was applied from a reviewed file."""

    def was_literal(self, path: Path, leaf: Tree) -> bool:
        return True

    def was_secret(self, path: Path) -> bool:
        return False

    def was_visible(self, pattern: str) -> bool:
        return True


ALL_APPLIED = AllApplied()


def vault(document: Document, stored_as: DocumentFormat | None = None, target: str = "config") -> Vault:
    return Vault("test", OwnerKind.GROUP, "researchers", document, stored_as or document.format, target)


keys = st.text("abcdefgXYZ09_-é. :#", min_size=1, max_size=6).filter(lambda key: key == key.strip())
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Co", "Cn")), max_size=12)
awkward = st.sampled_from(
    ['"', "\\", "#", "//", "${x}", "true", "null", "010", "1e3", "5m", "a: b", "- x", "'", "line\nline", "\t", "@{A}"]
)
numbers = st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
scalars = (st.none() | st.booleans() | numbers | texts | awkward).map(Scalar)
items = scalars.filter(lambda scalar: scalar != Scalar(""))


def _objects(inner: st.SearchStrategy[object]) -> st.SearchStrategy[Object]:
    return st.dictionaries(keys, inner, max_size=4).map(Object)


portable_trees = _objects(
    st.recursive(
        scalars,
        lambda inner: (
            _objects(inner) | st.lists(inner.filter(lambda x: x != Scalar("")), max_size=4).map(tuple).map(List)
        ),
        max_leaves=12,
    )
)
