"""Workspaces in small: what a service account's vaults say, and what is special about each case."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A vault's document: of a group named after the case and ``group``, or the account's own."""

    text: str
    group: str | None = None
    format: str = "hocon"
    send_as: str | None = None
    enabled: bool = True
    target: str = "client"
    secrets: str = ""


@dataclass(frozen=True)
class Case:
    name: str
    vaults: tuple[Text, ...]


def admin(text: str, group: str = "a", **options: object) -> Text:
    return Text(text, group, **options)  # type: ignore[arg-type]


NESTED_YAML = """\
sdk:
  aws:
    s3:
      region: eu-north-1
      credentials:
        - {bucket: one, multipart: false}
        - {bucket: zwei, multipart: true}
case: {text: "yes", number: 010, list: [1, 2.5, null, "x"], deep: {empty: {}}}
"""

CASES = (
    Case(
        "several-over-one-another",
        (
            admin("case { a { x: 1, y: 1 }, shared: same }\nsdk.development.vcs_repo_detect_async: false"),
            admin("case { a { z: 2 }, b: 2, shared: same }", "b"),
            admin("case.c.d.e: 3", "c"),
        ),
    ),
    Case(
        "own-beside-administrator",
        (
            admin("case { a: 1, b { x: 1, y: 1 }, c: [1] }\nsdk.aws.s3.region: admin"),
            Text("case { a: own, b { x: 2 } }\nsdk.aws.s3.region: own"),
        ),
    ),
    Case(
        "lists",
        (
            admin(
                'case { a: [1, 2, 3], b: [{x: 1}, {y: 2}] }\nsdk.aws.s3.credentials: [{bucket: "b", key: "k", secret: "s"}]'
            ),
            Text("case { a: [4], b: [] }\nl += 3\nm = [1]\nm += [2]"),
        ),
    ),
    Case("nulls", (admin("case { a { b: 1 }, c: 2, d: null }"), Text("case { a: null, c: null, d { e: 1 } }"))),
    Case(
        "substitutions",
        (
            admin(
                'root: "/data"\ncase { out: ${root}/models, copy: ${case.plain}, plain: 5, gone: ${?NOT_THERE_AT_ALL} }\n'
                "case.all: ${case.obj} { more: 1 }\ncase.obj: {x: 1}\ncase.list: [1] [2]"
            ),
        ),
    ),
    Case(
        "disabled",
        (
            admin("case.on: 1"),
            admin("case { on: 2, off: true }", "b", enabled=False),
            Text("case.on: 3", enabled=False),
        ),
    ),
    Case(
        "json",
        (
            admin(json.dumps({"case": {"a": [1, "1", 1.5, True, None], "b": {"c d": "e"}}}), format="json"),
            admin('{"case": {"empty": ["", "x"], "text": ""}}', "b", format="json"),
        ),
    ),
    Case("yaml-as-json", (admin(NESTED_YAML, format="yaml"),)),
    Case("yaml-as-yaml", (admin("flat: 1\nother: yes\nname: plain\n", format="yaml", send_as="yaml"),)),
    Case("yaml-misread", (admin("casetop:\n  nested:\n    key: abc\n  region: eu\n", format="yaml", send_as="yaml"),)),
    Case("yaml-dropped", (admin("---\ncase: [1]\n", format="yaml", send_as="yaml"), Text("case.own: 1"))),
    Case(
        "unicode",
        (
            admin('case { "grüße": "Zürich ☃ 日本", emoji: "🚀", plain: naïve }'),
            Text('{"case": {"json": "déjà vu \\" \\\\ \\n"}}', format="json"),
        ),
    ),
    Case(
        "machine-keys-and-other-targets",
        (
            admin("agent { worker_id: from-vault, debug: true, git_user: u }\ncase.a: 1"),
            admin("case.a: 2", "b", target="ui-storage"),
        ),
    ),
    Case(
        "secrets",
        (
            admin(
                'sdk.aws.s3 { key: "@{KEY}", secret: "x@{KEY}y" }\ncase.plain: @{KEY}', secrets="{KEY: {env: SDK_KEY}}"
            ),
            Text('{"case": {"own": "@{KEY}"}}', format="json", secrets="{KEY: {env: SDK_KEY}}"),
        ),
    ),
    Case(
        "spellings-and-dotted-keys",
        (
            admin('case { a = 1e3, b: 010, c: yes, d: 5 minutes, e: """two\nlines""", f: x y # no\n g: 1.10 }'),
            admin('a.b.c: 1\na { b.d: 2 }\n"e.f": 3\ni.j { k.l: 5 }\na.b.c: 6', "b"),
        ),
    ),
    Case("conflict", (admin("case { a: one, same: 1 }"), admin("case { a: two, same: 1 }", "b"))),
    Case("conflict-decided", (admin("case.a: one"), admin("case.a { b: two }", "b"), Text("case.a: own"))),
)


def declaration() -> str:
    """Return a declaration with an account, its groups and its vaults for each case."""
    accounts, groups, vaults = [], [], []
    for case in CASES:
        own = [vault for vault in case.vaults if vault.group is None]
        accounts.append(
            f"  - name: {case.name}\n    credentials: [{{label: sdk, deliver: {{file: out/{case.name}.conf}}}}]\n"
            + "".join(f"    vault:\n{_vault(vault, 6)}" for vault in own)
        )
        names = sorted({vault.group for vault in case.vaults if vault.group})
        groups += [
            f"  - {{name: {case.name}-{name}, members: [], service_accounts: [{case.name}]}}\n" for name in names
        ]
        for index, vault in enumerate(vault for vault in case.vaults if vault.group):
            head = f"  - name: {case.name}-{index}\n    group: {case.name}-{vault.group}\n"
            vaults.append(head + _vault(vault, 4))
    vaults.append("  - {name: everyone, group: Users, data: 'everyone { reached: true }'}\n")
    vaults.append("  - {name: first, group: first, data: 'member { first: 1, list: [1] }'}\n")
    vaults.append("  - {name: second, group: second, data: 'member { second { x: 2 } }'}\n")
    groups += [f"  - {{name: {name}, members: [lena@acme.io], service_accounts: []}}\n" for name in ("first", "second")]
    members = "members:\n  - {email: root@acme.io, role: admin}\n  - {email: lena@acme.io}\n"
    return (
        members
        + "service_accounts:\n"
        + "".join(accounts)
        + "groups:\n"
        + "".join(groups)
        + "vaults:\n"
        + "".join(vaults)
    )


def _vault(vault: Text, indent: int) -> str:
    lines = [f"format: {vault.format}", f"target: {vault.target}", f"enabled: {str(vault.enabled).lower()}"]
    lines += [f"send_as: {vault.send_as}"] if vault.send_as else []
    lines += [f"secrets: {vault.secrets}"] if vault.secrets else []
    lines.append(f"data: {json.dumps(vault.text, ensure_ascii=False)}")
    return textwrap.indent("".join(f"{line}\n" for line in lines), " " * indent)
