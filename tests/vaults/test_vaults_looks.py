from __future__ import annotations

import time
from pathlib import Path

import harmless_settings
import pytest
from vault_documents import HOCON

from reconciler.vaults.looks import is_ordinary, looks_like_secret, secret_items
from reconciler.vaults.parse import DocumentParser
from reconciler.vaults.redact import secret_paths
from reconciler.vaults.secret_names import is_secret_name
from reconciler.vaults.showing import UNKNOWN, Origin, Showing, is_visible, showings
from reconciler.vaults.showing import harmless_settings as settings
from reconciler.vaults.tree import from_plain, parse_path, path_text

SECRETS = [
    "docker login reg.example -u robot -p hunter2",
    "docker login -phunter2 -u robot reg.example",
    "docker login --username robot --password=hunter2 reg.example",
    "echo hunter2 | docker login --password-stdin -u robot",
    "echo machine git.example login robot password hunter2 > ~/.netrc",
    "machine git.example\n  login robot\n  password hunter2\n",
    "echo //npm.example/:_authToken=hunter2 > ~/.npmrc",
    "npm config set //npm.example/:_authToken hunter2",
    "curl -u robot:hunter2 https://x/y",
    "curl -urobot:hunter2 https://x/y",
    "curl --user=robot:hunter2 https://x/y",
    "curl -H 'Authorization: Bearer hunter2' https://x",
    'curl -H "PRIVATE-TOKEN: hunter2" https://x',
    "curl 'https://x/?access_token=hunter2&page=1'",
    "git clone https://hunter2@dev.example/x.git",
    "git clone https://robot:hun/ter2@dev.example/x.git",
    "git config --global http.extraHeader 'Authorization: Basic aHVudGVyMg=='",
    "huggingface-cli login --token hunter2",
    "aws configure set aws_secret_access_key hunter2",
    "PGPASSWORD=hunter2 psql",
    "export GITLAB_TOKEN=hunter2",
    "mysql -u root -phunter2 db",
    "sshpass -p hunter2 ssh x",
    "redis-cli -a hunter2",
    "openssl enc -passin pass:hunter2",
    "mount -o username=robot,password=hunter2",
    "echo root:hunter2 | chpasswd",
    "Server=db;Uid=robot;Pwd=hunter2;",
    "wandb login hunter2hunter2",
    "plink -pw hunter2 host",
    "tool -p=hunter2",
    "tool --key hunter2abc",
    "db.acme.io:5432:*:robot:hunter2",
    '{"auths": {"reg.example": {"auth": "cm9ib3Q6aHVudGVyMg=="}}}',
    "password: |\n  hunter2",
    "password:\n  hunter2",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "https://hooks.slack.com/services/T0/B0/abc",
    "AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQY",
]
NO_SECRETS = [
    "mkdir -p /data/cache",
    "docker login reg.acme.io:5000",
    "tool -p=8080:80 --key name",
    "docker login registry2.acme.io",
    "docker run -p 8080:80 -u 1000:1000 image",
    "apt-get install -y bindfs",
    "nvidia/cuda:12.6.3-cudnn-runtime-ubuntu20.04",
    "s3://acme-research/models",
    "git@github.com:acme/repo.git",
    "ssh://git@github.com/acme/repo.git",
    "https://pypi.acme.io:8081/simple",
    "https://robot:@{TOKEN}@git.acme.io/x.git",
    "Authorization: Bearer @{TOKEN}",
    "docker login -u robot -p ${PASSWORD} reg.example",
    "docker login --password-stdin reg.example",
    "--token $TOKEN",
    "--password-file /run/secrets/x",
    "the token is in the wiki",
    "pip install tokenizers==0.13",
    "max_tokens=512",
    "Llama-2-70b-chat-hf-GPTQ-Int4",
    "<20.2 ; python_version < '3.10'",
    "export PATH=$PATH:/usr/local/cuda/bin",
    "clearml-id-{task_id}-{rand_string:.8}",
    "http://localhost:8080/@scope/pkg",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada@acme.io",
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ1Zx9fYq0b3aBcDeFgHiJk\n-----END CERTIFICATE-----",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_in_a_string_is_found(text: str) -> None:
    assert looks_like_secret(text)


@pytest.mark.parametrize("text", NO_SECRETS)
def test_what_people_write_every_day_is_no_secret(text: str) -> None:
    assert not looks_like_secret(text)


@pytest.mark.parametrize(
    "name",
    [
        *[
            "api-key",
            "X-Api-Key",
            "apiKey",
            "APIKEY",
            "private-key",
            "db_pwd",
            "pgpass",
            "signing_key",
            "encryption_key",
            "pat",
        ],
        *[
            "DBPassword",
            "smtpPass",
            "sshKey",
            "AWS_SECRET_ACCESS_KEY",
            "//npm.example/:_authToken",
            "_auth",
            "Set-Cookie",
            "dsn",
        ],
        *["kubeconfig", "webhook_url", "\N{FULLWIDTH LATIN SMALL LETTER T}oken"],
    ],
)
def test_a_secret_word_is_known_with_any_separator(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *[
            "path",
            "patch",
            "sort_key",
            "public_key",
            "cache_key",
            "LEVEL",
            "bypass",
            "compass",
            "tokenizer",
            "auth_server",
            "author",
            "monkey",
        ],
        *["keyboard", "max_new_tokens", "eos_token", "worker_id", "default_output_uri"],
    ],
)
def test_a_word_that_only_resembles_one_is_none(name: str) -> None:
    assert not is_secret_name(name)


def test_the_argument_after_an_option_is_found_in_a_list() -> None:
    assert list(secret_items(["--ipc=host", "--password", "hunter two", "-e", "LEVEL=info"])) == [2]
    assert list(secret_items(["docker", "login", "-u", "robot", "-p", "hunter2"])) == [5]
    assert list(secret_items(["-p", "8888:8888", "-u", "1000:1000"])) == []
    assert list(secret_items(["secret", "pass", "token", "account_key"])) == []


def test_what_is_beside_a_value_tells_that_it_is_secret() -> None:
    tree = from_plain(
        {
            "env": [{"name": "DB_PASSWORD", "value": "x"}, {"name": "LEVEL", "value": "info"}],
            "arguments": ["--token", "x", "--level", "info"],
        }
    )
    assert {path_text(path) for path in secret_paths(tree)} == {"env[0].value", "arguments[1]"}


def test_an_id_or_a_checksum_is_shown() -> None:
    digest = "0123456789abcdef0123456789abcdef"
    tree = from_plain({"project_id": digest, "model": {"sha256": f"sha256:{digest * 2}"}, "other": digest})
    assert {path_text(path) for path in secret_paths(tree)} == {"other"}


@pytest.mark.parametrize("value", ["info", "DEBUG", "true", "eu-west-1", "/data/cache", "cu118", "8080", "a,b c"])
def test_common_words_in_an_environment_are_shown(value: str) -> None:
    assert is_ordinary(value)
    assert not secret_paths(from_plain({"environment": {"LEVEL": value}}))


@pytest.mark.parametrize("value", ["q8Zk3mPx2v", "https://robot:x@host", "canaryENVIRONMENTvalue"])
def test_other_values_in_an_environment_are_not(value: str) -> None:
    assert secret_paths(from_plain({"environment": {"LEVEL": value}}))


HOSTILE = [
    "a", "A", "é", "_", "Aa1", "ab12", "=", ".", "/", "@", ":", "-", "|", "<", "[", "\n", " ", "{{", "$(", "@{", "@{A}",
    "://", "://x:", "://a@", "://a:b/", "eyJ", "eyJabcdefgh.", "password=", 'password="', "password='", "password:\n    ",
    "token: ", "token: |\n ", "-p ", "-p a ", "-u a:", "--token a ", "bearer ", "basic     ", "glab-", "sig=", "%(a",
    "-----BEGIN ", "-----BEGIN AAAA", "echo a --password-stdin ", "AccountKey=a", "hooks.slack.com/services/",
    "ssh-rsa AAAA", "-----BEGIN CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----a",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_time_grows_with_the_length_alone(piece: str) -> None:
    text = (piece * (64_000 // len(piece)))[:64_000]
    start = time.process_time()
    looks_like_secret(text)
    is_ordinary(text)
    list(secret_items([text, *([piece] * 1000)]))
    assert time.process_time() - start < 3


def test_a_value_that_only_the_server_knows_is_hidden_by_where_it_comes_from(parser: DocumentParser) -> None:
    text = 'a: x, b: 1, c: null, d: true, e: "", f: [], sdk.aws.s3.region: eu, sdk.http.proxy: p, sdk.aws.s3.key: k'
    tree = parser.parse(HOCON, text)
    shown, hidden, secret = Showing.SHOWN, Showing.HIDDEN, Showing.SECRET
    known = {"b": shown, "c": shown, "d": shown, "e": shown, "f": shown, "sdk.aws.s3.region": shown}
    rest = {"a": hidden, "sdk.http.proxy": hidden, "sdk.aws.s3.key": secret}
    assert _by_path(showings(tree, UNKNOWN)) == known | rest
    visible = showings(tree, Origin(visible=("sdk.http.*", "sdk.aws.*")))
    assert _by_path(visible) == known | rest | {"sdk.http.proxy": shown}
    reviewed = showings(tree, Origin(reviewed=True, secrets=frozenset({("b",)})))
    assert _by_path(reviewed) == known | rest | {"a": shown, "sdk.http.proxy": shown, "b": secret}
    assert set(showings(tree, Origin(reveal=True)).values()) == {shown}


def _by_path(found: dict[tuple[str | int, ...], Showing]) -> dict[str, Showing]:
    return {path_text(path): showing for path, showing in found.items()}


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("sdk.http.*", "sdk.http.headers.x", True),
        ("sdk.http.*", "sdk.http", False),
        ("sdk.*.x", "sdk.http.x", True),
        ("sdk.*.x", "sdk.http.y.x", False),
        ("a.b", "a.b", True),
        ("a.b", "a.b.c", False),
        ("list.name", "list[3].name", True),
        ('"a.b".c', '"a.b".c', True),
    ],
)
def test_a_pattern_names_keys_and_what_is_below(pattern: str, path: str, matches: bool) -> None:
    assert is_visible(parse_path(path), (pattern,)) is matches


def test_the_list_of_harmless_settings_is_made_from_the_clients_defaults() -> None:
    clearml = pytest.importorskip("clearml")
    made = dict(harmless_settings.settings(Path(clearml.__file__).parent))
    listed = {".".join(path) for path in settings()}
    assert {path for path in listed if path.startswith("sdk.aws")} <= made.keys() <= listed
    assert {"sdk.aws.s3.region", "agent.package_manager.type", "agent.default_docker.image"} <= listed
    assert not [path for path in listed if is_secret_name(path.rpartition(".")[2])]
