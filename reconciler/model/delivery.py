"""Where a new secret key goes. Each kind says so in its ``title``; none of them holds a secret."""

from __future__ import annotations

from reconciler.frozen import Frozen


class FileDelivery(Frozen):
    """A file, made with mode 0600, that holds a ready ``api`` section of ``clearml.conf``.

    Paths are relative to the declaration's folder, here and below. ``gitignore``: the run makes git ignore the file.
    """

    path: str
    gitignore: bool = False

    @property
    def title(self) -> str:
        """The delivery as people read it."""
        return self.path


class EnvFileDelivery(Frozen):
    """A file, made with mode 0600, of ``NAME=value`` lines with ClearML's environment variables."""

    path: str
    gitignore: bool = False

    @property
    def title(self) -> str:
        """The delivery as people read it."""
        return f"{self.path} (environment)"


class KubernetesSecretDelivery(Frozen):
    """A file, made with mode 0600, with the manifest of a Kubernetes Secret that holds ``clearml.conf``."""

    path: str
    name: str
    namespace: str | None = None
    gitignore: bool = False

    @property
    def title(self) -> str:
        """The delivery as people read it."""
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.path} (Kubernetes Secret {where})"


class CommandDelivery(Frozen):
    """A program, run without a shell, that reads a ready ``api`` section on its standard input."""

    command: tuple[str, ...]

    @property
    def title(self) -> str:
        """The delivery as people read it: the program, without its arguments."""
        return f"{self.command[0]} (command)"


Delivery = FileDelivery | EnvFileDelivery | KubernetesSecretDelivery | CommandDelivery
