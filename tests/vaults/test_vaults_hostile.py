from __future__ import annotations

import http.server
import resource
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from vault_documents import HOCON, JSON, YAML

from reconciler.vaults.errors import DocumentError
from reconciler.vaults.parse import DocumentParser
from reconciler.vaults.tree import from_plain

if TYPE_CHECKING:
    from reconciler.model.resources import DocumentFormat

LIMIT, LIMIT_A_KILOBYTE = 2.0, 0.12
SLACK = 1.5
"""For starting the child twice. All of it is processor time, so that a loaded machine changes nothing."""

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(12)
)


@pytest.mark.parametrize(
    ("document_format", "text"),
    [
        pytest.param(HOCON, "a: x\n#" + " " * 20_000, id="a comment of blanks"),
        pytest.param(HOCON, "\n".join(f"a{{b{n}:1}}" for n in range(3_000)), id="an object in 3 000 pieces"),
        pytest.param(HOCON, "a{" * 50 + "}" * 50, id="50 nested objects"),
        pytest.param(HOCON, "a = " + "[" * 5_000, id="5 000 open lists"),
        pytest.param(HOCON, ".".join("a" * 400) + " = 1", id="a key of 400 parts"),
        pytest.param(HOCON, '{"a":' * 500 + "1" + "}" * 500, id="500 nested JSON objects in HOCON"),
        pytest.param(HOCON, "a = x " * 150_000, id="900 kB of words"),
        pytest.param(HOCON, 'a = """' + "x" * 2_000_000 + '"""', id="a text of 2 MB"),
        pytest.param(JSON, "[" * 100_000, id="100 000 open JSON lists"),
        pytest.param(JSON, '{"a": ' + "9" * 100_000 + "}", id="a number of 100 000 digits"),
        pytest.param(JSON, '{"a": "' + "x" * 2_000_000 + '"}', id="a JSON text of 2 MB"),
        pytest.param(YAML, LAUGHS, id="billion laughs"),
        pytest.param(YAML, "&a [*a]", id="an alias to itself"),
        pytest.param(YAML, "[" * 100_000, id="100 000 open YAML lists"),
        pytest.param(YAML, "? " * 100_000, id="100 000 open YAML keys"),
        pytest.param(YAML, "".join(" " * n + "a:\n" for n in range(900)), id="900 nested mappings"),
        pytest.param(YAML, "a: " + "9" * 100_000, id="a YAML number of 100 000 digits"),
    ],
)
def test_a_hostile_document_is_refused_in_time(document_format: DocumentFormat, text: str) -> None:
    start = processor_seconds()
    with DocumentParser() as parser:
        parser.parse(HOCON, "warm = ${up}")
        with pytest.raises(DocumentError) as caught:
            parser.parse(document_format, text)
        assert len(caught.value.message) < 120
        assert str(parser.parse(HOCON, "after = ${wards}"))
    assert processor_seconds() - start < LIMIT + SLACK + LIMIT_A_KILOBYTE * len(text) / 1000


def processor_seconds() -> float:
    """What this process and its ended children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def includes(port: int, secret_file: Path) -> list[str]:
    url = f"http://127.0.0.1:{port}/x.conf"
    targets = [f'"{secret_file}"', f'file("{secret_file}")', f'"file://{secret_file}"', f'url("file://{secret_file}")']
    targets += [
        f'"{url}"',
        f'url("{url}")',
        f'"{secret_file.parent}/*.conf"',
        '"missing"',
    ]
    plain = [f"include {target}" for target in targets] + [f"include required({target})" for target in targets]
    inside = [f"a {{ include {target} }}" for target in targets] + [f"a = include {target}" for target in targets]
    return plain + inside + [f"a = [include {target}]" for target in targets] + [f"INCLUDE {targets[0]}"]


def test_no_include_reads_a_file_or_calls_a_server(tmp_path: Path) -> None:
    calls = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"from_server = 1")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    secret_file = tmp_path / "secret.conf"
    secret_file.write_text("from_file = canary")
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with DocumentParser() as parser:
            for text in includes(server.server_port, secret_file):
                with pytest.raises(DocumentError) as caught:
                    parser.parse(HOCON, text)
                assert "canary" not in str(caught.value)
                if "required" not in text:
                    assert caught.value.message.startswith("includes are not allowed"), text
    finally:
        server.shutdown()
        server.server_close()
    assert calls == []


def test_what_clients_do_not_know_as_an_include_is_just_text(parser: DocumentParser) -> None:
    text = "a = include package x"
    assert parser.parse(HOCON, text) == from_plain({"a": "include package x"})


def test_the_word_include_is_harmless_where_it_is_no_include(parser: DocumentParser) -> None:
    text = '"include" = 1, note = "include file(x)" # include "x"\nincluded = yes'
    assert [*parser.parse(HOCON, text).entries] == ["include", "note", "included"]


def test_the_child_can_open_nothing_and_sees_no_environment() -> None:
    with DocumentParser() as parser:
        parser.parse(HOCON, "a = ${b}")
        child = parser._hocon._child
        assert child is not None
        folder = Path(f"/proc/{child.pid}")
        if not folder.exists():
            pytest.skip("no /proc here")
        assert (folder / "environ").read_bytes().replace(b"LC_CTYPE=C.UTF-8\0", b"") == b""
        assert not (folder / "cwd").resolve().exists() or "deleted" in str((folder / "cwd").readlink())
        limits = (folder / "limits").read_text()
        assert "Max open files            0 " in limits
