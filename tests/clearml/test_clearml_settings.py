from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.clearml.settings import ConnectionSettings, find_settings, is_loopback, server_address
from reconciler.errors import ReconcilerError, SignInError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

CONF = 'api { api_server: "https://conf.test", credentials { access_key: "CONF", secret_key: "conf-secret" } }'
ENV = {
    "CLEARML_API_ACCESS_KEY": "ENV",
    "CLEARML_API_SECRET_KEY": "env-secret",
    "CLEARML_API_HOST": "https://env.test",
}
KEYS = {key: value for key, value in ENV.items() if key != "CLEARML_API_HOST"}


def find(
    home: Path,
    environ: dict[str, str] | None = None,
    *,
    server: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    declared: str | None = None,
    conf: str | None = None,
    allow_http: bool = False,
) -> ConnectionSettings:
    if conf is not None:
        (home / "clearml.conf").write_text(conf, encoding="utf-8")
    return find_settings(
        server=server,
        access_key=access_key,
        secret_key=secret_key,
        declared_server=declared,
        environ=environ or {},
        home=home,
        allow_http=allow_http,
    )


def told(settings: ConnectionSettings) -> tuple[str, str | None, str | None, str]:
    return settings.server, settings.access_key, settings.secret_key and settings.secret_key.reveal(), settings.source


def test_the_command_line_comes_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    flags = {"server": "https://flag.test", "access_key": "FLAG", "secret_key": "flag-secret"}
    assert told(find(tmp_path, ENV, conf=CONF, **flags)) == (
        "https://flag.test",
        "FLAG",
        "flag-secret",
        "--access-key and --secret-key",
    )
    assert told(find(tmp_path, ENV, conf=CONF)) == (
        "https://env.test",
        "ENV",
        "env-secret",
        "CLEARML_API_ACCESS_KEY and CLEARML_API_SECRET_KEY",
    )
    assert told(find(tmp_path, conf=CONF)) == ("https://conf.test", "CONF", "conf-secret", "~/clearml.conf")


def test_each_value_is_looked_up_by_itself_as_the_sdk_does(tmp_path: Path) -> None:
    found = find(tmp_path, {"CLEARML_API_SECRET_KEY": "env-secret"}, access_key="FLAG", conf=CONF)
    assert told(found) == ("https://conf.test", "FLAG", "env-secret", "--access-key and CLEARML_API_SECRET_KEY")


def test_the_older_names_work_and_empty_values_count_as_absent(tmp_path: Path) -> None:
    environ = {
        "CLEARML_API_HOST": " ",
        "TRAINS_API_HOST": "https://old.test",
        "TRAINS_API_ACCESS_KEY": "OLD",
        "TRAINS_API_SECRET_KEY": "old",
    }
    assert told(find(tmp_path, environ, server="", access_key=" "))[:3] == ("https://old.test", "OLD", "old")


def test_a_token_in_the_environment_comes_before_its_key_pair_but_not_before_flags(tmp_path: Path) -> None:
    environ = ENV | {"CLEARML_AUTH_TOKEN": "a.b.c"}
    found = find(tmp_path, environ)
    assert found.token is not None
    assert found.token.reveal() == "a.b.c"
    assert (found.access_key, found.source) == (None, "CLEARML_AUTH_TOKEN")
    assert find(tmp_path, environ, access_key="FLAG", secret_key="s").token is None


def test_the_configuration_file_can_be_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "other.conf").write_text(CONF.replace("CONF", "OTHER"), encoding="utf-8")
    for name in ("~/other.conf", str(tmp_path / "other.conf")):
        found = find(tmp_path, {"CLEARML_CONFIG_FILE": name}, conf=CONF)
        assert found.access_key == "OTHER"
    with pytest.raises(SignInError, match=r"gone\.conf \(which is not there\)"):
        find(tmp_path, {"CLEARML_CONFIG_FILE": "~/gone.conf"}, conf=CONF, server="https://flag.test")


def test_a_damaged_file_does_not_matter_where_nothing_is_missing(tmp_path: Path) -> None:
    assert find(tmp_path, ENV, conf="api { {").access_key == "ENV"


def test_environment_variables_are_substituted_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", "from-outside")
    conf = 'api { api_server: "https://conf.test", credentials { access_key: K, secret_key: ${MY_SECRET} } }'
    assert told(find(tmp_path, conf=conf))[2] == "from-outside"


@pytest.mark.parametrize(
    ("what", "arguments", "message"),
    [
        ("the environment disagrees", {"environ": ENV}, "but CLEARML_API_HOST names 'https://env.test'"),
        ("the file whose key is used disagrees", {"conf": CONF}, "but ~/clearml.conf names 'https://conf.test'"),
    ],
)
def test_a_contradicted_server_is_refused(
    tmp_path: Path, what: str, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=r"the declaration names the server 'https://file\.test'") as caught:
        find(tmp_path, declared="https://file.test", **arguments)  # type: ignore[arg-type]
    assert message in caught.value.message
    assert "--server" in (caught.value.hint or "")
    found = find(tmp_path, declared="https://file.test", server="https://flag.test", **arguments)  # type: ignore[arg-type]
    assert found.server == "https://flag.test"


def test_the_declared_server_is_used_where_nothing_contradicts_it(tmp_path: Path) -> None:
    assert find(tmp_path, KEYS, declared="https://file.test").server == "https://file.test"
    same = KEYS | {"CLEARML_API_HOST": "HTTPS://File.test:443/"}
    assert find(tmp_path, same, declared="https://file.test").server == "https://file.test"
    assert find(tmp_path, KEYS, declared="https://file.test", conf=CONF).server == "https://file.test"


def test_no_server_at_all_is_an_error_and_no_default(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no server is configured"):
        find(tmp_path, KEYS)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "there are no credentials"),
        ({"CLEARML_API_ACCESS_KEY": "K"}, r"an access key \(from CLEARML_API_ACCESS_KEY\), but no secret key"),
        ({"CLEARML_API_SECRET_KEY": "S"}, r"a secret key \(from CLEARML_API_SECRET_KEY\), but no access key"),
    ],
)
def test_missing_credentials_say_where_it_looked(tmp_path: Path, environ: dict[str, str], message: str) -> None:
    with pytest.raises(SignInError, match=message) as caught:
        find(tmp_path, environ, server="https://flag.test")
    for place in (
        "--access-key",
        "CLEARML_API_SECRET_KEY",
        "CLEARML_AUTH_TOKEN",
        "~/clearml.conf (which is not there)",
    ):
        assert place in caught.value.message


@pytest.mark.parametrize(
    "conf",
    ["api { credentials {", "a: ${nowhere.at.all}", "\x00\x01", 'include required(file("no"))', "api: 3", "[1, 2]"],
)
def test_a_damaged_file_is_one_sentence_without_its_text(tmp_path: Path, conf: str) -> None:
    with pytest.raises(ReconcilerError) as caught:
        find(tmp_path, conf=conf + "\nzzz-secret", server="https://flag.test")
    assert "clearml.conf" in caught.value.message
    assert "zzz-secret" not in caught.value.message


def test_a_binary_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "clearml.conf").write_bytes(b"\xff\xfe\x80")
    with pytest.raises(UsageError, match=r"clearml\.conf"):
        find(tmp_path)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://api.clear.ml", "https://api.clear.ml"),
        ("https://api.clear.ml///", "https://api.clear.ml"),
        ("https://app.acme.io/api/", "https://app.acme.io/api"),
        ("HTTPS://API.Clear.ml:443", "https://api.clear.ml"),
        ("http://localhost:8008/", "http://localhost:8008"),
        ("http://127.0.0.2", "http://127.0.0.2"),
        ("http://[::1]:8008", "http://[::1]:8008"),
    ],
)
def test_an_address_is_brought_into_one_form(text: str, address: str) -> None:
    assert server_address(text) == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("api.clear.ml", "is not a URL"),
        ("ftp://x", "is not a URL"),
        ("https://", "is not a URL"),
        ("https://x:99999", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("https://a b", "is not a URL"),
        ("https://a..b", "is not a URL"),
        ("https://a\x1b[31m", "is not a URL"),
        ("https://a.test\\@b.test", "is not a URL"),
        ("https://ada:sesame@api.clear.ml", "user name or password"),
        ("https://@api.clear.ml", "user name or password"),
        ("https://api.clear.ml?x=1", "more than a host and a path"),
        ("https://api.clear.ml#x", "more than a host and a path"),
        ("http://api.clear.ml", "not encrypted"),
        ("http://127.0.0.1.evil.test", "not encrypted"),
        ("http://localhost.evil.test", "not encrypted"),
    ],
)
def test_a_bad_address_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        server_address(text)
    assert "sesame" not in f"{caught.value} {caught.value.hint}"
    assert "\x1b" not in caught.value.message


def test_plain_http_can_be_allowed(tmp_path: Path) -> None:
    assert find(tmp_path, KEYS, server="http://inside.test:8008", allow_http=True).server == "http://inside.test:8008"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("LOCALHOST.", True), ("evil.localhost", False), ("::1", True), ("10.0.0.1", False)],
)
def test_loopback_is_this_machine_only(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_settings_do_not_show_their_secret(tmp_path: Path) -> None:
    assert "env-secret" not in repr(find(tmp_path, ENV))


@pytest.mark.parametrize(
    ("environ", "source"),
    [
        (KEYS | {"CLEARML_API_ACCESS_KEY": "K\udcff"}, "CLEARML_API_ACCESS_KEY"),
        (KEYS | {"CLEARML_API_SECRET_KEY": "s\udcff"}, "CLEARML_API_SECRET_KEY"),
        ({"CLEARML_AUTH_TOKEN": "tökén"}, "CLEARML_AUTH_TOKEN"),
        ({"CLEARML_AUTH_TOKEN": "a\r\nX-Header: b"}, "CLEARML_AUTH_TOKEN"),
    ],
)
def test_a_credential_that_cannot_be_sent_is_one_sentence(tmp_path: Path, environ: dict[str, str], source: str) -> None:
    with pytest.raises(SignInError) as caught:
        find(tmp_path, environ, declared="https://acme.io")
    assert str(caught.value).startswith(
        f"the credential from {source} contains characters that a credential cannot have"
    )


def test_a_path_that_cannot_be_one_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find(tmp_path, {"CLEARML_CONFIG_FILE": "/" + "a" * 5000}, declared="https://acme.io")
    assert str(caught.value).endswith("cannot be read: File name too long")
