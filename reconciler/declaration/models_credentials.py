"""The models of a service account's credentials, and of where a new secret key goes."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from reconciler.declaration.models_base import Strict, Text
from reconciler.declaration.values import Duration, KeyFile


class KubernetesSecret(Strict):
    """The manifest of a Kubernetes Secret that holds a ready clearml.conf."""

    file: Text = Field(description="The manifest's file, created with mode 0600.", examples=["out/agent-secret.yaml"])
    name: Text = Field(description="The Secret's name in the cluster.", examples=["clearml-agent"])
    namespace: Text | None = Field(None, description="The Secret's namespace; left out of the manifest by default.")
    gitignore: bool = Field(False, description="Whether the run adds the file to the .gitignore beside it.")


class DeliverSection(Strict):
    """Where a new secret key goes; it can be read only once. Exactly one of the four."""

    file: KeyFile | None = Field(
        None,
        description="A file that is created with mode 0600 and holds a ready `api { … }` section. Its folder must "
        "exist; relative to the declaration's folder, like the other paths here. Git must ignore it in a work tree; "
        "`{path: …, gitignore: true}` adds it to the .gitignore beside it.",
        examples=["out/k8s-prod.conf"],
    )
    env_file: KeyFile | None = Field(
        None,
        description="A file that is created with mode 0600 and holds ClearML's environment variables, NAME=value.",
        examples=["out/ci.env"],
    )
    command: Annotated[list[Text], Field(min_length=1)] | None = Field(
        None,
        description="A program and its arguments, run without a shell in the declaration's folder for at most 60 "
        "seconds; it reads a ready `api { … }` section on its standard input.",
        examples=[["vault", "kv", "put", "secret/clearml", "conf=-"]],
    )
    kubernetes_secret: KubernetesSecret | None = Field(
        None, description="A file with the manifest of a Kubernetes Secret, to be applied by whoever runs the cluster."
    )

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if sum(value is not None for value in (self.file, self.env_file, self.command, self.kubernetes_secret)) != 1:
            raise ValueError("`deliver` needs exactly one of `file`, `env_file`, `command` and `kubernetes_secret`")
        return self

    @property
    def written_file(self) -> tuple[tuple[str, ...], str] | None:
        """The file that the key is written to and where in this section it is named; ``None`` for a command."""
        if self.kubernetes_secret is not None:
            return ("kubernetes_secret", "file"), self.kubernetes_secret.file
        if self.env_file is not None:
            return ("env_file",), self.env_file.path
        return (("file",), self.file.path) if self.file is not None else None


class CredentialEntry(Strict):
    """An access key of a service account, known by its label."""

    label: str = Field(description="The credential's label: its identity within the account.", examples=["k8s-prod"])
    expires_in: Duration | None = Field(
        None, description="How long a new key lives (m, h, d, w). Without it, the server's default holds."
    )
    rotate_before: Duration | None = Field(
        None, description="How long before its end a key is replaced. Needs expires_in, and is shorter."
    )
    deliver: DeliverSection | None = Field(None, description="Where a new secret key is delivered to.")
