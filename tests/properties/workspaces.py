"""Generated live workspaces, and generated declarations that overlap with them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from reconciler.sandbox import state

ROOT = "root@acme.io"
PEOPLE = [f"p{number}@acme.io" for number in range(5)]
ACCOUNTS = ["agent", "trainer", "Ünï robot"]
GROUPS = ["ops", "research", "a: #b", "yes"]
VAULTS = ["v", "s3 defaults"]
LABELS = ["ci", "k8s", "on: #1"]
KEYS = ["region", "bucket", "nested.deep", "list"]

secret_values = st.integers(0, 10**12).map(lambda number: f"sEcr3t-{number:012d}-valüe")
leaves = st.one_of(st.integers(-5, 5), st.booleans(), st.sampled_from(["eu-west-1", "no", "1e3", "a b: c", "# x"]))


@dataclass(frozen=True)
class Document:
    """A document as values; ``token`` is its secret."""

    values: dict[str, Any]
    token: str | None
    format: str

    def text(self, token: str | None) -> str:
        content = dict(self.values) if token is None else self.values | {"token": token}
        if self.format == "yaml":
            return "".join(f"{json.dumps(key)}: {json.dumps(value)}\n" for key, value in content.items()) or "{}\n"
        return json.dumps(content)


documents = st.builds(
    Document,
    st.dictionaries(
        st.sampled_from(["region", "bucket", "list"]), st.one_of(leaves, st.lists(leaves, max_size=3)), max_size=3
    ),
    st.one_of(st.none(), secret_values),
    st.sampled_from(["hocon", "json", "yaml"]),
)


@dataclass(frozen=True)
class Account:
    impersonation: bool
    admin: bool
    labels: tuple[str | None, ...] | None
    vault: Document | None


@dataclass(frozen=True)
class Team:
    """A workspace by names: what is live, or what shall be."""

    members: dict[str, str]
    invited: frozenset[str]
    accounts: dict[str, Account]
    groups: dict[str, frozenset[str]]
    vaults: dict[tuple[str, str], tuple[Document, bool]]
    renamed: dict[str, str] = field(default_factory=dict)


def _accounts(labels: Any) -> Any:
    listed = st.lists(labels, max_size=3).map(tuple)
    account = st.builds(Account, st.booleans(), st.booleans(), listed, st.one_of(st.none(), documents))
    return st.dictionaries(st.sampled_from(ACCOUNTS), account, max_size=3)


@st.composite
def teams(draw: st.DrawFn, *, labels: Any, roles: list[str]) -> Team:
    members = draw(st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(roles), max_size=5))
    invited = draw(st.frozensets(st.sampled_from(PEOPLE), max_size=2)) - members.keys()
    accounts = draw(_accounts(labels))
    people = sorted([ROOT, *members, *accounts])
    groups = draw(st.dictionaries(st.sampled_from(GROUPS), st.frozensets(st.sampled_from(people)), max_size=4))
    vaults = {}
    if groups:
        keys = st.tuples(st.sampled_from(sorted(groups)), st.sampled_from(VAULTS))
        vaults = draw(st.dictionaries(keys, st.tuples(documents, st.booleans()), max_size=4))
    return Team({ROOT: "admin"} | members, invited, accounts, groups, vaults)


live_teams = teams(labels=st.one_of(st.none(), st.sampled_from(LABELS)), roles=["admin", "user", "consumer"])
declared_teams = teams(labels=st.sampled_from(LABELS), roles=["admin", "user", "consumer"]).map(
    lambda team: replace(
        team,
        accounts={
            name: replace(account, labels=tuple(dict.fromkeys(account.labels or ())))
            for name, account in team.accounts.items()
        },
    )
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Team, Team]:
    """Return what is live and what shall be, with a group that is renamed where that is possible."""
    live, wanted = draw(live_teams), draw(declared_teams)
    gone, new = sorted(live.groups.keys() - wanted.groups), sorted(wanted.groups.keys() - live.groups.keys())
    if gone and new and draw(st.booleans()):
        wanted = replace(wanted, renamed={new[0]: gone[0]})
    return live, wanted


def as_state(team: Team) -> state.Workspace:
    """Return a team as the sandbox loads it."""
    ids = {name: f"id-{number}" for number, name in enumerate([*team.members, *team.accounts, *team.groups])}
    accounts = []
    for name, account in team.accounts.items():
        keys = tuple(
            state.AccessKey(f"KEY{ids[name][3:]}X{number}", label) for number, label in enumerate(account.labels or ())
        )
        role = "admin" if account.admin else "user"
        accounts.append(state.ServiceAccount(ids[name], name, role, account.impersonation, keys))
    vaults = [
        state.Vault(f"v-{number}", name, doc.text(doc.token), "group", ids[group], format=doc.format, enabled=enabled)
        for number, ((group, name), (doc, enabled)) in enumerate(team.vaults.items())
    ]
    vaults += [
        state.Vault(f"own-{name}", name, doc.text(doc.token), "user", user=ids[name], format=doc.format)
        for name, account in team.accounts.items()
        if (doc := account.vault) is not None
    ]
    return state.Workspace(
        people=tuple(state.Person(ids[email], email, email[0], role) for email, role in team.members.items()),
        invitations=tuple(state.Invitation(email) for email in sorted(team.invited)),
        service_accounts=tuple(accounts),
        groups=tuple(
            state.Group(ids[name], name, users=frozenset(ids[person] for person in people))
            for name, people in team.groups.items()
        ),
        vaults=tuple(vaults),
    )


@dataclass(frozen=True)
class Declared:
    """A declaration as plain values, and the variables that it needs."""

    content: dict[str, Any]
    variables: dict[str, str]


def as_declaration(team: Team) -> Declared:
    """Return a team as the lists of a declaration (JSON is YAML)."""
    variables: dict[str, str] = {}

    def document(doc: Document) -> dict[str, Any]:
        token = None
        secrets: dict[str, Any] = {}
        if doc.token is not None:
            name = f"TOKEN_{len(variables)}"
            variables[name] = doc.token
            token, secrets = f"@{{{name}}}", {name: {"env": name}}
        send = {"send_as": "yaml"} if doc.format == "yaml" else {}
        return {"format": doc.format, "data": doc.text(token), "secrets": secrets, **send}

    members = [{"email": email, "role": role} for email, role in team.members.items()]
    members += [{"email": email} for email in sorted(team.invited)]
    accounts = []
    for number, (name, account) in enumerate(team.accounts.items()):
        keys = [
            {"label": label, "deliver": {"file": f"out/{number}-{index}"}}
            for index, label in enumerate(account.labels or ())
        ]
        accounts.append(
            {
                "name": name,
                "impersonation": account.impersonation,
                "admin": account.admin,
                "credentials": keys,
                "vault": None if account.vault is None else document(account.vault),
            }
        )
    groups = []
    for name, people in team.groups.items():
        was = {"was": team.renamed[name]} if name in team.renamed else {}
        named = {
            "members": sorted(person for person in people if "@" in person),
            "service_accounts": sorted(person for person in people if "@" not in person),
        }
        groups.append({"name": name, **was, **named})
    vaults = [
        {"name": name, "group": group, "enabled": enabled, **document(doc)}
        for (group, name), (doc, enabled) in team.vaults.items()
    ]
    lists = {"members": members, "service_accounts": accounts, "groups": groups, "vaults": vaults}
    return Declared(lists, variables)


def secrets_of(*teams: Team) -> set[str]:
    documents = [doc for team in teams for doc, _ in team.vaults.values()]
    documents += [account.vault for team in teams for account in team.accounts.values() if account.vault]
    return {doc.token for doc in documents if doc.token is not None}
