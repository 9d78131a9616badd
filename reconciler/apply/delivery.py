"""Hands a new secret key to where it belongs, before anything else happens with it.

Source: ``docs/explanation/decisions.md, 7``.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from reconciler.apply.client_section import client_environment, client_section, kubernetes_secret
from reconciler.apply.ignored_by_git import add_to_gitignore, check_ignored
from reconciler.apply.secret_file import check_secret_file, write_secret_file
from reconciler.child_environment import child_environment
from reconciler.errors import DeliveryError
from reconciler.frozen import Frozen
from reconciler.model.delivery import CommandDelivery, Delivery, EnvFileDelivery, FileDelivery
from reconciler.model.text import harmless
from reconciler.world import ProgramTimeoutError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.model.secret import Secret
    from reconciler.world import World

COMMAND_SECONDS = 60


class Deliveries(Frozen):
    """Delivers secret keys; relative paths start at the declaration's folder.

    ``server`` is the address that clients are given, ``environment`` this process's own: a program
    gets it without our keys and without the tokens of CI.
    """

    folder: Path
    server: str
    environment: Mapping[str, str]
    world: World

    def check(self, delivery: Delivery) -> None:
        """Make sure, before the first write of a run, that this delivery can work.

        Raises :class:`DeliveryError` if a folder or program is missing, something else is in the way, or a commit could
        take the file along.
        """
        if isinstance(delivery, CommandDelivery):
            self._program(delivery)
        else:
            path, run = self.folder / delivery.path, self.world.run_program
            check_secret_file(path, delivery.path)
            check_ignored(path, delivery.path, self.environment, run, gitignore=delivery.gitignore)

    async def deliver(self, delivery: Delivery, access_key: str, secret_key: Secret) -> None:
        """Deliver one secret key, in a thread that is given nothing but values which never change.

        Raises :class:`DeliveryError`; then a file is as it was before, and a program has said that it failed.
        """
        await self.world.in_thread(self._hand_over, delivery, access_key, secret_key)

    def _hand_over(self, delivery: Delivery, access_key: str, secret_key: Secret) -> None:
        section = client_section(self.server, access_key, secret_key)
        if isinstance(delivery, CommandDelivery):
            self._run(delivery, section)
            return
        if isinstance(delivery, FileDelivery):
            content = section
        elif isinstance(delivery, EnvFileDelivery):
            content = client_environment(self.server, access_key, secret_key)
        else:
            content = kubernetes_secret(delivery, section)
        if delivery.gitignore:
            add_to_gitignore(self.folder / delivery.path, self.environment, self.world.run_program)
        write_secret_file(self.folder / delivery.path, delivery.path, content)

    def _program(self, delivery: CommandDelivery) -> str:
        name = delivery.command[0]
        path = self.environment.get("PATH")
        found = shutil.which(name if "/" not in name else str((self.folder / name).absolute()), path=path)
        if found is None:
            raise DeliveryError(f"the program {harmless(name)}, which delivers a secret key, does not exist")
        return found

    def _run(self, delivery: CommandDelivery, content: str) -> None:
        """Run the program; what it prints is not shown, since it could hold the secret key."""
        name = harmless(delivery.command[0])
        try:
            done = self.world.run_program(
                [self._program(delivery), *delivery.command[1:]],
                folder=self.folder,
                environment=child_environment(self.environment),
                seconds=COMMAND_SECONDS,
                given=content.encode(),
            )
        except ProgramTimeoutError:
            raise DeliveryError(f"{name} did not accept the secret key within {COMMAND_SECONDS} seconds") from None
        except OSError as error:
            raise DeliveryError(f"{name} could not be run: {error.strerror}") from None
        if done.code:
            raise DeliveryError(f"{name} failed to accept the secret key (exit code {done.code})")
