from __future__ import annotations

import asyncio
import base64
import errno
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from pyhocon import ConfigFactory

from reconciler.apply.client_section import client_addresses, client_section
from reconciler.apply.delivery import Deliveries
from reconciler.errors import DeliveryError
from reconciler.model.delivery import CommandDelivery, Delivery, EnvFileDelivery, FileDelivery, KubernetesSecretDelivery
from reconciler.model.secret import Secret
from tests.support.runner import world_at

SECRET = Secret("s3cr3t-value")
KEY = FileDelivery("key")


@pytest.fixture
def deliveries(tmp_path: Path) -> Deliveries:
    return Deliveries(tmp_path, "https://api.acme.io", os.environ, world_at())


def deliver(deliveries: Deliveries, delivery: Delivery, access_key: str, secret_key: Secret) -> None:
    asyncio.run(deliveries.deliver(delivery, access_key, secret_key))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("delivery", [KEY, EnvFileDelivery("key"), KubernetesSecretDelivery("key", "clearml")])
def test_a_file_is_for_its_owner_only_whatever_the_umask(delivery: Delivery, deliveries: Deliveries) -> None:
    before = os.umask(0)
    try:
        deliver(deliveries, delivery, "AK", SECRET)
    finally:
        os.umask(before)
    assert mode(deliveries.folder / "key") == 0o600


def test_an_old_file_is_replaced_and_loses_its_open_mode(deliveries: Deliveries) -> None:
    path = deliveries.folder / "key"
    path.write_text("old")
    path.chmod(0o644)
    deliver(deliveries, KEY, "AK", SECRET)
    assert mode(path) == 0o600
    assert "old" not in path.read_text()
    assert [entry.name for entry in deliveries.folder.iterdir()] == ["key"]


def test_the_section_is_read_back_by_a_client(deliveries: Deliveries) -> None:
    deliver(deliveries, KEY, "AK", SECRET)
    read = ConfigFactory.parse_string((deliveries.folder / "key").read_text())["api"]
    assert dict(read["credentials"]) == {"access_key": "AK", "secret_key": "s3cr3t-value"}
    assert (read["api_server"], read["web_server"]) == ("https://api.acme.io", "https://app.acme.io")


@pytest.mark.parametrize("secret", ["$HOME-${x}", "a#b//c", "=:{}[],+"])
def test_a_key_of_odd_characters_is_read_back_as_it_was(secret: str) -> None:
    read = ConfigFactory.parse_string(client_section("https://x.io", "AK", Secret(secret)))
    assert read["api"]["credentials"]["secret_key"] == secret


@pytest.mark.parametrize(
    ("server", "web", "files"),
    [
        ("https://api.clear.ml", "https://app.clear.ml", "https://files.clear.ml"),
        ("https://api.clear.ml:8443/v", "https://app.clear.ml:8443/v", "https://files.clear.ml:8443/v"),
        ("http://localhost:8008", "http://localhost:8080", "http://localhost:8081"),
        ("http://[::1]:8008", "http://[::1]:8080", "http://[::1]:8081"),
        ("https://clearml.acme.io/api", None, None),
        ("sandbox:ws.db", None, None),
    ],
)
def test_the_other_addresses_follow_from_the_api_servers(server: str, web: str | None, files: str | None) -> None:
    found = client_addresses(server)
    assert found["api_server"] == server
    assert (found.get("web_server"), found.get("files_server")) == (web, files)


def test_nothing_is_written_through_a_link_that_appears_at_the_last_moment(deliveries: Deliveries) -> None:
    precious = deliveries.folder / "precious"
    precious.write_text("mine")
    deliveries.check(KEY)
    (deliveries.folder / "key").symlink_to(precious)
    with pytest.raises(DeliveryError, match="symbolic link"):
        deliver(deliveries, KEY, "AK", SECRET)
    assert precious.read_text() == "mine"


def test_a_link_in_the_place_of_the_unfinished_file_is_not_followed(deliveries: Deliveries) -> None:
    precious = deliveries.folder / "precious"
    precious.write_text("mine")
    (deliveries.folder / ".key.new").symlink_to(precious)
    deliver(deliveries, KEY, "AK", SECRET)
    assert precious.read_text() == "mine"
    assert "AK" in (deliveries.folder / "key").read_text()


def test_a_program_takes_the_section_on_its_input(deliveries: Deliveries) -> None:
    deliver(deliveries, CommandDelivery(("sh", "-c", "cat > taken")), "AK", SECRET)
    assert 'access_key: "AK"' in (deliveries.folder / "taken").read_text()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("sh", "-c", "echo nope; exit 3"), r"sh failed to accept the secret key \(exit code 3\)"),
        (("no-such-program",), "does not exist"),
    ],
)
def test_a_program_that_fails_or_is_missing_is_told_without_its_output(
    command: tuple[str, ...], told: str, deliveries: Deliveries
) -> None:
    with pytest.raises(DeliveryError, match=told) as caught:
        deliver(deliveries, CommandDelivery(command), "AK", SECRET)
    assert "nope" not in caught.value.message


def test_what_a_program_prints_is_shown_nowhere(deliveries: Deliveries, capfd: pytest.CaptureFixture[str]) -> None:
    deliver(deliveries, CommandDelivery(("sh", "-c", "tee /dev/stderr")), "AK", SECRET)
    assert capfd.readouterr() == ("", "")


def test_a_program_that_takes_too_long_is_told(deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.apply.delivery.COMMAND_SECONDS", 0.1)
    with pytest.raises(DeliveryError, match=r"sleep did not accept the secret key within 0.1 seconds"):
        deliver(deliveries, CommandDelivery(("sleep", "30")), "AK", SECRET)


class TestAProgramInTheDeclarationsFolder:
    PROGRAM = CommandDelivery(("bin/take", "taken"))

    def write(self, deliveries: Deliveries, first_line: str) -> None:
        path = deliveries.folder / "bin/take"
        path.parent.mkdir()
        path.write_text(f'{first_line}\ncat > "$1"\n')
        path.chmod(0o700)

    def test_is_found_there_and_run_there(self, deliveries: Deliveries) -> None:
        self.write(deliveries, "#!/bin/sh")
        deliveries.check(self.PROGRAM)
        deliver(deliveries, self.PROGRAM, "AK", SECRET)
        assert 'access_key: "AK"' in (deliveries.folder / "taken").read_text()

    def test_is_looked_for_before_anything_is_written(self, deliveries: Deliveries) -> None:
        told = r"the program bin/take, which delivers a secret key, does not exist"
        with pytest.raises(DeliveryError, match=told):
            deliveries.check(self.PROGRAM)

    def test_that_cannot_be_run_is_told(self, deliveries: Deliveries) -> None:
        self.write(deliveries, "#!/no/such/shell")
        deliveries.check(self.PROGRAM)
        with pytest.raises(DeliveryError, match=r"bin/take could not be run: No such file or directory"):
            deliver(deliveries, self.PROGRAM, "AK", SECRET)


def test_variables_are_read_back_by_a_shell(deliveries: Deliveries) -> None:
    deliver(deliveries, EnvFileDelivery("key"), "AK", Secret("a b'c$d"))
    shown = subprocess.run(
        ["sh", "-c", '. ./key; printf "%s|" "$CLEARML_API_HOST" "$CLEARML_API_ACCESS_KEY" "$CLEARML_API_SECRET_KEY"'],
        cwd=deliveries.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "https://api.acme.io|AK|a b'c$d|"


@pytest.mark.parametrize(
    ("delivery", "metadata"),
    [
        (KubernetesSecretDelivery("key", "clearml"), {"name": "clearml"}),
        (KubernetesSecretDelivery("key", "clearml", "ml"), {"name": "clearml", "namespace": "ml"}),
    ],
)
def test_a_manifest_holds_the_section(
    delivery: KubernetesSecretDelivery, metadata: dict[str, str], deliveries: Deliveries
) -> None:
    deliver(deliveries, delivery, "AK", SECRET)
    manifest = json.loads((deliveries.folder / "key").read_text())
    content = base64.b64decode(manifest["data"].pop("clearml.conf")).decode()
    assert content == client_section("https://api.acme.io", "AK", SECRET)
    assert manifest == {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": {}}


def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    (deliveries.folder / "key").write_text("old")

    def fail(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(DeliveryError, match=r"^key could not be written: No space left on device$"):
        deliver(deliveries, KEY, "AK", SECRET)
    assert [(entry.name, entry.read_text()) for entry in deliveries.folder.iterdir()] == [("key", "old")]


def test_what_a_dead_run_left_half_written_is_replaced(deliveries: Deliveries) -> None:
    (deliveries.folder / ".key.new").write_text("half")
    deliver(deliveries, KEY, "AK", SECRET)
    assert [entry.name for entry in deliveries.folder.iterdir()] == ["key"]


class TestInAGitWorkTree:
    """A key must not end up in a commit: git has to ignore its file."""

    @pytest.fixture(autouse=True)
    def _repository(self, deliveries: Deliveries) -> None:
        self.git(deliveries, "init", "-q")

    def git(self, deliveries: Deliveries, *arguments: str) -> str:
        command = ["git", "-C", str(deliveries.folder), "-c", "user.name=t", "-c", "user.email=t@t", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def staged(self, deliveries: Deliveries) -> set[str]:
        self.git(deliveries, "add", "-A")
        return set(self.git(deliveries, "diff", "--cached", "--name-only").split())

    @pytest.mark.parametrize("delivery", [KEY, EnvFileDelivery("key"), KubernetesSecretDelivery("key", "clearml")])
    def test_a_file_that_it_would_take_is_refused_before_anything_is_written(
        self, delivery: Delivery, deliveries: Deliveries
    ) -> None:
        with pytest.raises(
            DeliveryError, match="git does not ignore it, so a commit could take the key along"
        ) as found:
            deliveries.check(delivery)
        assert "gitignore: true" in str(found.value.hint)

    def test_a_file_that_it_ignores_passes(self, deliveries: Deliveries) -> None:
        (deliveries.folder / ".gitignore").write_text("key\n")
        deliveries.check(KEY)

    @pytest.mark.parametrize("name", ["key", "my key!", "#[a]*?.conf", "!odd"])
    @pytest.mark.parametrize("before", [None, "other", "other\n"])
    def test_the_run_adds_it_to_the_ignore_file_if_it_is_asked_to(
        self, name: str, before: str | None, deliveries: Deliveries
    ) -> None:
        ignore = deliveries.folder / ".gitignore"
        if before is not None:
            ignore.write_text(before)
        delivery = FileDelivery(name, gitignore=True)
        deliveries.check(delivery)
        deliver(deliveries, delivery, "AK", SECRET)
        once = ignore.read_text()
        deliver(deliveries, delivery, "AK", SECRET)
        assert ignore.read_text() == once
        assert once.startswith("other\n" if before else "/")
        assert (deliveries.folder / name).exists()
        assert self.staged(deliveries) == {".gitignore"}

    def test_a_file_that_was_committed_is_refused_all_the_same(self, deliveries: Deliveries) -> None:
        (deliveries.folder / "key").write_text("old")
        self.git(deliveries, "add", "key")
        self.git(deliveries, "commit", "-q", "-m", "a key")
        with pytest.raises(DeliveryError, match="is committed"):
            deliveries.check(FileDelivery("key", gitignore=True))
