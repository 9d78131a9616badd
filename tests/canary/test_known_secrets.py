"""The last net: what a run knows to be secret is masked in all that it prints."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from reconciler.cli.console import Console
from reconciler.commands.known_secrets import KnownSecrets
from reconciler.model.secret import Secret
from tests.support.project import Project
from tests.support.wires import refusal, tampering

VALUE = 'p/ss "word" ☃ end'


def known(*values: str) -> KnownSecrets:
    secrets = KnownSecrets()
    secrets.add(*map(Secret, values), None)
    return secrets


@pytest.mark.parametrize(
    "spelling",
    [VALUE, quote(VALUE), quote(VALUE, safe=""), json.dumps(VALUE)[1:-1], base64.b64encode(VALUE.encode()).decode()],
)
def test_every_spelling_is_masked(spelling: str) -> None:
    masked = known(VALUE).mask(f"before {spelling} after")
    assert masked.startswith("before (secret)")
    assert "word" not in masked


def test_json_stays_json_whatever_the_secret() -> None:
    text = json.dumps({"truest": True, "text": "is true: trueword", "count": 1}, indent=1)
    assert json.loads(known("true", '": ').mask_result(text)) == {
        "(secret)st": True,
        "text": "is (secret): (secret)word",
        "count": 1,
    }


def test_values_of_fewer_than_four_characters_cannot_be_masked() -> None:
    assert known("abc", "").mask("abcd") == "abcd"


def test_both_streams_pass_through_the_net(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console.detect("never", {}, debug=False)
    console.secrets.add(Secret(VALUE))
    console.result(f"{VALUE}\n")
    console.note(VALUE)
    console.error(VALUE, VALUE)
    out, err = capsys.readouterr()
    assert (out, err) == ("(secret)\n", "(secret)\nError: (secret)\n  (secret)\n")


@pytest.mark.parametrize("options", [(), ("--debug",)])
def test_an_error_that_quotes_a_secret_is_masked_in_its_traceback_too(
    project: Project, tmp_path: Path, options: tuple[str, ...]
) -> None:
    project.declare('vaults:\n  - {name: v, group: Users, data: "a: @{KEY}", secrets: {KEY: {env: KEY}}}\n')
    project.environment["KEY"] = VALUE

    def quoting(request: httpx.Request) -> httpx.Response:
        return refusal(403, 20, f"who are you, {VALUE}?")

    result = project.run(*options, "plan", wire=tampering(instead=quoting))
    assert result.code == 7, result
    assert "who are you, (secret)?" in result.stderr
    assert ("Traceback" in result.stderr) is bool(options)
    assert "word" not in result.output
