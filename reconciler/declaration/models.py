"""What a declaration may say: the strict models of `workspace.yaml` and of the files that it includes.

A field's description is what an editor shows: the JSON Schema is made of these models. A list that is ``None`` was not
mentioned, which is another thing than an empty one.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reconciler.declaration.models_access import AccessRuleEntry
from reconciler.declaration.models_base import Strict, Text
from reconciler.declaration.models_credentials import CredentialEntry
from reconciler.declaration.values import Domain, KeyPattern, RemovalLimit, Server, Target, Version
from reconciler.model.desired import Limit, Management
from reconciler.model.resources import DocumentFormat, Role

LIST_KINDS = ("members", "service_accounts", "groups", "vaults", "access_rules")
"""The keys of the lists that both a declaration and an included file may hold."""

Format = Annotated[DocumentFormat, Field(strict=False)]


AssignableRole = Literal[Role.ADMIN, Role.USER, Role.CONSUMER]
"""The roles that can be given to a member."""

Extent = Literal[Management.ALL, Management.DECLARED]
"""How much of a kind that it lists the declaration speaks for."""

SentFormat = Literal[DocumentFormat.JSON, DocumentFormat.YAML]
"""What a document that is written in YAML is sent as."""


class WorkspaceSection(Strict):
    """Which workspace the declaration is for."""

    name: Text = Field(description="The workspace's name, shown in plans and reports.", examples=["acme-ml"])
    server: Server = Field(
        description="The API server's URL. Credentials are never written here: they come from the environment, "
        "from flags or from clearml.conf."
    )


class ManageSection(Strict):
    """How much of each kind the declaration speaks for; a kind that no file lists is never touched."""

    members: Extent = Field(
        Management.ALL, description="all: members that are not declared are removed. declared: they are left alone."
    )
    groups: Extent = Field(
        Management.ALL, description="all: groups that are not declared are removed. declared: they are left alone."
    )
    service_accounts: Extent = Field(
        Management.ALL,
        description="all: service accounts that are not declared are removed. declared: they are left alone.",
    )
    vaults: Extent = Field(
        Management.ALL,
        description="all: group vaults that are not declared are removed. declared: they are left alone.",
    )
    access_rules: Extent = Field(
        Management.ALL,
        description="all: access rules that are not declared are removed. declared: they are left alone. The server's "
        "own rules are never touched.",
    )


class ProtectedVault(Strict):
    """A vault that is never removed: its owner and its name."""

    group: Text | None = Field(None, description="The group that the vault belongs to.")
    service_account: Text | None = Field(None, description="The service account that the vault belongs to.")
    name: Text = Field(description="The vault's name.")

    @model_validator(mode="after")
    def _has_one_owner(self) -> Self:
        if (self.group is None) == (self.service_account is None):
            raise ValueError("a protected vault needs either `group` or `service_account`")
        return self


class ProtectedCredential(Strict):
    """A credential that is never revoked: its service account and its label."""

    service_account: Text = Field(description="The service account that the credential belongs to.")
    label: Text = Field(description="The credential's label.")


class ProtectSection(Strict):
    """What no plan may remove or demote, whatever the lists say."""

    members: list[Text] = Field([], description="E-mails of members that are never removed or demoted.")
    groups: list[Text] = Field([], description="Names of groups that are never removed.")
    service_accounts: list[Text] = Field([], description="Names of service accounts that are never removed.")
    credentials: list[ProtectedCredential] = Field(
        [], description="Credentials that are never revoked, by service account and label."
    )
    vaults: list[ProtectedVault] = Field([], description="Vaults that are never removed, by owner and name.")
    access_rules: list[Text] = Field([], description="Names of access rules that are never removed.")


class UnreadableSection(Strict):
    """What nobody minds that it cannot be read: each by the name or id that a plan shows for it."""

    members: list[Text] = Field([], description="Names, e-mails or ids of users.")
    service_accounts: list[Text] = Field([], description="Names or ids of service accounts.")
    credentials: list[Text] = Field([], description="Credentials, as `account / label` or by their account.")
    groups: list[Text] = Field([], description="Names or ids of groups.")
    vaults: list[Text] = Field([], description="Vaults, as `name → owner`, by name or by id.")
    access_rules: list[Text] = Field([], description="Names or ids of access rules.")


class PolicySection(Strict):
    """The limits that stop a plan before its first write."""

    min_admins: int = Field(2, ge=1, le=1000, description="The minimum number of admins that a plan must leave.")
    max_removals: RemovalLimit = Field(
        Limit(share=0.2),
        description="The maximum number of removals in one plan, per kind and, for memberships, per group: a number, "
        'or a share like "20%". Of a share, at least 3 memberships of each group or access rule and 1 resource of each '
        "other kind pass (`{share: 20%, at_least: 3}` sets another number), as long as the plan removes no more than "
        "that share of all memberships. Admins have no such floor.",
    )
    protect: ProtectSection = Field(ProtectSection(), description="What is never removed or demoted.")
    unreadable: UnreadableSection = Field(
        UnreadableSection(),
        description="What cannot be read from the server, and is accepted as it is. It is left alone in any case; "
        "what is not accepted here counts as a difference.",
    )
    domains: list[Domain] = Field(
        [], description="The e-mail domains that people may be invited from. Empty: any.", examples=[["acme.io"]]
    )
    max_write_gains: int = Field(
        25,
        ge=0,
        le=1_000_000,
        description="The maximum number of people and service accounts that may gain write access in one plan.",
    )
    visible: list[KeyPattern] = Field(
        [],
        description="Paths of vault documents at which live values may be shown in plans; `*` stands for one "
        "key, and at the end for everything below. Secrets stay hidden.",
        examples=[["sdk.http.*"]],
    )
    sources: list[Text] = Field(
        [],
        description="What secrets may come from although it is one of this program's own variables, or a file outside "
        "the declaration's folder; `*` stands for any characters.",
        examples=[["/run/secrets/*"]],
    )
    rules: Text | None = Field(
        None,
        description="The file with the organization's own rules, inside the declaration's folder.",
        examples=["policy.yaml"],
    )


class MemberEntry(Strict):
    """A person in the workspace."""

    email: str = Field(
        description="The member's e-mail: the identity, compared without regard to case.", examples=["ada@acme.io"]
    )
    name: str | None = Field(None, description="The member's name as people read it.", examples=["Ada"])
    role: AssignableRole = Field(Role.USER, description="The role: admin, user (default) or consumer.")


class SecretSource(Strict):
    """Where a secret comes from when the command runs: exactly one of the three."""

    env: Text | None = Field(None, description="The name of an environment variable.", examples=["S3_KEY"])
    file: Text | None = Field(
        None,
        description="A file that holds the secret; one newline at its end does not count. Relative to the "
        "declaration's folder, and inside it unless `policy.sources` allows another.",
        examples=["secrets/git"],
    )
    command: Annotated[list[Text], Field(min_length=1)] | None = Field(
        None,
        description="A program and its arguments, run without a shell for at most 30 seconds; its output is the "
        "secret.",
        examples=[["op", "read", "op://ml/token"]],
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if sum(value is not None for value in (self.env, self.file, self.command)) != 1:
            raise ValueError("a secret needs exactly one of `env`, `file` and `command`")
        return self


class DocumentEntry(Strict):
    """The document of a vault: its text, format and secrets."""

    target: Target = Field(
        "config",
        description="What the document is for: client (default; clearml.conf of SDK and agents), ui-storage, "
        "ssh-server, monitoring (what agents put above everything else), or type:NAME with the API's own name for it.",
    )
    format: Format | None = Field(
        None, description="How the document is written. By default as its file's ending says, and hocon otherwise."
    )
    file: Text | None = Field(
        None,
        description="The file that holds the document, inside the declaration's folder.",
        examples=["vaults/s3.conf"],
    )
    data: str | None = Field(None, description="The document itself, in place of a file.")
    enabled: bool = Field(True, description="Whether the vault reaches anybody.")
    secrets: dict[str, SecretSource] = Field(
        {}, description="The secrets that the document refers to as @{NAME}, and where each comes from."
    )
    visible: list[KeyPattern] = Field(
        [],
        description="Paths of this document at which live values may be shown in plans and reports, as in "
        "`policy.visible`.",
        examples=[["agent.docker_internal_mounts.*"]],
    )
    send_as: SentFormat | None = Field(
        None, description="What a document that is written in YAML is sent as: json (default) or yaml."
    )

    @model_validator(mode="after")
    def _has_one_text(self) -> Self:
        if (self.file is None) == (self.data is None):
            raise ValueError("a vault needs either `file` or `data`")
        if self.send_as is not None and self.document_format is not DocumentFormat.YAML:
            raise ValueError("`send_as` applies only to `format: yaml`")
        return self

    @property
    def document_format(self) -> DocumentFormat:
        """The format that the document is written in: the given one, or the one that the file's ending tells."""
        if self.format is not None:
            return self.format
        suffix = PurePosixPath(self.file or "").suffix.lower()
        by_suffix = {".json": DocumentFormat.JSON, ".yaml": DocumentFormat.YAML, ".yml": DocumentFormat.YAML}
        return by_suffix.get(suffix, DocumentFormat.HOCON)

    @property
    def sent_format(self) -> DocumentFormat:
        """The format that the server is told: JSON for YAML unless ``send_as`` says otherwise."""
        if self.document_format is not DocumentFormat.YAML:
            return self.document_format
        return self.send_as or DocumentFormat.JSON


class AccountVault(DocumentEntry):
    """A service account's own vault."""

    name: str | None = Field(
        None, description="The vault's name on the server. Left out: as it is; a new one gets the account's name."
    )


class ServiceAccountEntry(Strict):
    """An API user for agents and automations."""

    name: str = Field(description="The account's name: its identity.", examples=["train-agent"])
    was: str | None = Field(None, description="The former name: it is renamed in place, never created again.")
    impersonation: bool = Field(False, description="Whether tasks may run as their owner (the server's run-as).")
    admin: bool = Field(False, description="Whether the account is an admin; only where the server allows it.")
    credentials: list[CredentialEntry] | None = Field(
        None, description="The access keys. Left out: not managed. An empty list: there must be none."
    )
    vault: AccountVault | None = Field(
        None,
        description="The account's own vault, whatever it is called. Left out: not managed. null: it must be empty and "
        "switched off, since ClearML never deletes it.",
    )

    @property
    def manages_vault(self) -> bool:
        """Whether the declaration says anything of the account's own vault."""
        return "vault" in self.model_fields_set


class GroupEntry(Strict):
    """A set of members and service accounts."""

    name: str = Field(description="The group's name: its identity.", examples=["researchers"])
    was: str | None = Field(None, description="The former name: it is renamed in place, never created again.")
    description: str | None = Field(None, description="What the group is for. Left out: not managed.")
    members: list[str] | None = Field(
        None, description="E-mails of its members. Left out: not managed. An empty list: there must be none."
    )
    service_accounts: list[str] | None = Field(
        None, description="Names of its service accounts. Left out: not managed. An empty list: none."
    )


class VaultEntry(DocumentEntry):
    """A configuration document that reaches the members of a group."""

    name: str = Field(description="The vault's name: its identity within the group.", examples=["s3-defaults"])
    group: str = Field(description="The group that it reaches.", examples=["researchers"])
    was: str | None = Field(None, description="The former name: it is renamed in place, never created again.")


class IncludedFile(Strict):
    """A file named by `include`: any of the lists, and nothing else."""

    members: list[MemberEntry] | None = Field(
        None, description="The people in the workspace. Left out of every file: members are not managed."
    )
    service_accounts: list[ServiceAccountEntry] | None = Field(
        None, description="The service accounts. Left out of every file: they are not managed."
    )
    groups: list[GroupEntry] | None = Field(
        None, description="The groups. Left out of every file: they are not managed."
    )
    vaults: list[VaultEntry] | None = Field(
        None, description="The vaults of groups. Left out of every file: they are not managed."
    )
    access_rules: list[AccessRuleEntry] | None = Field(
        None, description="The access rules. Left out of every file: they are not managed."
    )


class WorkspaceFile(IncludedFile):
    """What a ClearML workspace shall look like: the top of a declaration."""

    version: Version = Field(description="The version of the file format.")
    workspace: WorkspaceSection = Field(description="The workspace that the declaration is for, and its server.")
    include: list[Text] = Field(
        [],
        description="Patterns of further files with lists, relative to this file; each must match something.",
        examples=[["teams/*.yaml"]],
    )
    manage: ManageSection = Field(ManageSection(), description="How much of each kind the declaration manages.")
    policy: PolicySection = Field(PolicySection(), description="The limits that stop a plan.")
