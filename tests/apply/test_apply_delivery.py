from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from pyhocon import ConfigFactory

from reconciler.apply.client_section import client_addresses, client_section
from reconciler.apply.delivery import Deliveries
from reconciler.errors import DeliveryError
from reconciler.model.delivery import CommandDelivery, Delivery, EnvFileDelivery, FileDelivery, KubernetesSecretDelivery
from reconciler.model.secret import Secret

SECRET = Secret("s3cr3t-value")
KEY = FileDelivery("key")


@pytest.fixture
def deliveries(tmp_path: Path) -> Deliveries:
    return Deliveries(tmp_path, "https://api.acme.io")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("delivery", [KEY, EnvFileDelivery("key"), KubernetesSecretDelivery("key", "clearml")])
def test_a_file_is_for_its_owner_only_whatever_the_umask(delivery: Delivery, deliveries: Deliveries) -> None:
    before = os.umask(0)
    try:
        deliveries.deliver(delivery, "AK", SECRET)
    finally:
        os.umask(before)
    assert mode(deliveries.folder / "key") == 0o600


def test_an_old_file_is_replaced_and_loses_its_open_mode(deliveries: Deliveries) -> None:
    path = deliveries.folder / "key"
    path.write_text("old")
    path.chmod(0o644)
    deliveries.deliver(KEY, "AK", SECRET)
    assert mode(path) == 0o600
    assert "old" not in path.read_text()
    assert [entry.name for entry in deliveries.folder.iterdir()] == ["key"]


def test_the_section_is_read_back_by_a_client(deliveries: Deliveries) -> None:
    deliveries.deliver(KEY, "AK", SECRET)
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
        deliveries.deliver(KEY, "AK", SECRET)
    assert precious.read_text() == "mine"


def test_a_link_in_the_place_of_the_unfinished_file_is_not_followed(deliveries: Deliveries) -> None:
    precious = deliveries.folder / "precious"
    precious.write_text("mine")
    (deliveries.folder / ".key.new").symlink_to(precious)
    deliveries.deliver(KEY, "AK", SECRET)
    assert precious.read_text() == "mine"
    assert "AK" in (deliveries.folder / "key").read_text()


def test_a_program_takes_the_section_on_its_input(deliveries: Deliveries) -> None:
    deliveries.deliver(CommandDelivery(("sh", "-c", "cat > taken")), "AK", SECRET)
    assert 'access_key: "AK"' in (deliveries.folder / "taken").read_text()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("sh", "-c", "echo nope; exit 3"), r"sh failed to take the secret key \(exit code 3\)"),
        (("no-such-program",), "is not there"),
    ],
)
def test_a_program_that_fails_or_is_missing_is_told_without_its_output(
    command: tuple[str, ...], told: str, deliveries: Deliveries
) -> None:
    with pytest.raises(DeliveryError, match=told) as caught:
        deliveries.deliver(CommandDelivery(command), "AK", SECRET)
    assert "nope" not in caught.value.message
