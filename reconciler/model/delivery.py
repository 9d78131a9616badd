"""Where a new secret key goes. Each kind says so in its ``title``; none of them holds a secret."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileDelivery:
    """A file, made with mode 0600, that holds a ready ``api`` section of ``clearml.conf``.

    Paths are relative to the declaration's folder, here and below.
    """

    path: str

    @property
    def title(self) -> str:
        """The delivery as people read it."""
        return self.path


@dataclass(frozen=True, slots=True)
class EnvFileDelivery:
    """A file, made with mode 0600, of ``NAME=value`` lines with ClearML's environment variables."""

    path: str

    @property
    def title(self) -> str:
        """The delivery as people read it."""
        return f"{self.path} (environment)"


@dataclass(frozen=True, slots=True)
class KubernetesSecretDelivery:
    """A file, made with mode 0600, with the manifest of a Kubernetes Secret that holds ``clearml.conf``."""

    path: str
    name: str
    namespace: str | None = None

    @property
    def title(self) -> str:
        """The delivery as people read it."""
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.path} (Kubernetes Secret {where})"


@dataclass(frozen=True, slots=True)
class CommandDelivery:
    """A program, run without a shell, that reads a ready ``api`` section on its standard input."""

    command: tuple[str, ...]

    @property
    def title(self) -> str:
        """The delivery as people read it: the program, without its arguments."""
        return f"{self.command[0]} (command)"


Delivery = FileDelivery | EnvFileDelivery | KubernetesSecretDelivery | CommandDelivery
