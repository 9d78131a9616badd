"""Secrets come from where the declaration says, once, and their values never leave in an error."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from reconciler.declaration import secrets as module
from reconciler.declaration.models import SecretSource
from reconciler.declaration.secrets import SecretResolver, SecretSources
from reconciler.errors import SecretUnavailableError
from reconciler.process import run_program


def read(folder: Path, environ: dict[str, str] | None = None, **source: object) -> str:
    return resolver(folder, environ or {}).resolve("KEY", SecretSource(**source)).reveal()


def resolver(folder: Path, environ: dict[str, str]) -> SecretResolver:
    return SecretResolver(SecretSources(environ, folder, run_program))


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_secret_comes_from_the_environment(tmp_path: Path) -> None:
    assert read(tmp_path, {"A": "v\n"}, env="A") == "v\n"


@pytest.mark.parametrize(
    ("content", "value"), [(b"v", "v"), (b"v\n", "v"), (b"v\r\n", "v"), (b"v\n\n", "v\n"), (b" v ", " v ")]
)
def test_a_file_loses_one_newline(tmp_path: Path, content: bytes, value: str) -> None:
    (tmp_path / "f").write_bytes(content)
    assert read(tmp_path, file="f") == value
    assert read(Path("/"), file=str(tmp_path / "f")) == value


def test_a_command_runs_in_the_folder_without_a_shell_and_with_its_environment(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), os.environ['A'], sys.argv[1])"
    assert read(tmp_path, {"A": "b"}, command=[*python(code), "$A; ls"]) == f"{tmp_path} b $A; ls"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"env": "A"}, "the environment variable A is not set"),
        ({"env": "EMPTY"}, "the environment variable EMPTY gives an empty string"),
        ({"file": "absent"}, "the file absent cannot be read: No such file or directory"),
        ({"file": "."}, "the file . cannot be read: Is a directory"),
        ({"file": "binary"}, "the file binary does not give UTF-8 text"),
        ({"file": "large"}, "the file large gives more than 65536 bytes"),
        ({"file": "a\x00b"}, "the file a\\x00b cannot be read: its path cannot be used"),
        ({"command": ["no-such-program"]}, "the command no-such-program cannot be run: No such file or directory"),
        ({"command": ["/bin/sh", "-c", "echo hunter2; echo hunter2 >&2; exit 3"]}, "the command /bin/sh failed with exit code 3"),
        ({"command": ["/bin/sh", "-c", "true"]}, "the command /bin/sh gives an empty string"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_named_and_never_shown(
    tmp_path: Path, capfd, source: dict[str, object], reason: str
) -> None:
    (tmp_path / "binary").write_bytes(b"hunter2\xff")
    (tmp_path / "large").write_bytes(b"hunter2" * 20_000)
    with pytest.raises(SecretUnavailableError) as caught:
        read(tmp_path, {"EMPTY": "", "PATH": "/usr/bin:/bin"}, **source)
    assert caught.value.message == f"the secret KEY is unavailable: {reason}"
    assert "hunter2" not in caught.value.message + "".join(capfd.readouterr())


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMAND_TIMEOUT", 0.2)
    begin = time.monotonic()
    with pytest.raises(SecretUnavailableError, match=r"took longer than 0\.2 seconds"):
        read(tmp_path, {"PATH": "/usr/bin:/bin"}, command=["/bin/sh", "-c", "sleep 30 & sleep 30"])
    assert time.monotonic() - begin < 10


def test_each_source_is_asked_once(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "echo x >> count; echo value"]
    asked = resolver(tmp_path, {"PATH": "/usr/bin:/bin"})
    source = SecretSource(command=command)
    assert asked.resolve("A", source).reveal() == asked.resolve("B", source).reveal() == "value"
    assert [secret.reveal() for secret in asked.found] == ["value"]
    assert (tmp_path / "count").read_text() == "x\n"


def test_a_source_that_failed_is_not_asked_again_and_each_name_is_told(tmp_path: Path) -> None:
    asked = resolver(tmp_path, {"PATH": "/usr/bin:/bin"})
    source = SecretSource(command=["/bin/sh", "-c", "echo x >> count; exit 1"])
    for name in ("FIRST", "SECOND"):
        with pytest.raises(SecretUnavailableError, match=f"the secret {name} is unavailable"):
            asked.resolve(name, source)
    assert (tmp_path / "count").read_text() == "x\n"
