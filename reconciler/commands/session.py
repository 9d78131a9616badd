"""What a command reaches the world through, in one frozen value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import force_setattr

from reconciler.commands.known_secrets import KnownSecrets
from reconciler.commands.reporter import ContainedReporter, Silent
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from reconciler.commands.files import Files
    from reconciler.commands.reporter import Reporter
    from reconciler.commands.wire import Wire
    from reconciler.record.opening import OpenObject
    from reconciler.world import World


class AskedToStop(Protocol):
    """Hears when somebody asks for an end, as with Ctrl-C."""

    def __call__(self) -> AbstractContextManager[asyncio.Event]:
        """Listen while a block lasts; the event is set once somebody asks. Entered within a running event loop."""


class Session(Frozen):
    """Everything that a command reaches the world through. Make one with :meth:`of_process`; a test makes others.

    ``environment`` holds the variables, ``home`` the user's own ``clearml.conf``, and relative paths start at
    ``folder``. ``world`` is time, chance, threads, programs and this machine; ``wire`` is what a connection to a server
    runs over; ``files`` writes files whole or not at all; ``open_object`` opens an object store, for the record.

    ``reporter`` is shown how far a command is; whatever it does, it cannot end a run. ``secrets`` is the only owner of
    what is known to be secret: commands add to it, in the event loop, before a value is used, and whoever shows or
    writes a text masks it with :meth:`KnownSecrets.mask`. ``asked_to_stop`` hears of a wish for an end.
    """

    environment: Mapping[str, str]
    home: Path
    folder: Path
    world: World
    wire: Wire
    files: Files
    open_object: OpenObject
    reporter: Reporter
    secrets: KnownSecrets
    asked_to_stop: AskedToStop

    def __post_init__(self) -> None:
        if not isinstance(self.reporter, ContainedReporter):
            force_setattr(self, "reporter", ContainedReporter(self.reporter))

    @staticmethod
    def of_process(
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        wire: Wire | None = None,
        reporter: Reporter | None = None,
    ) -> Session:
        """Return a session that reaches the world as this process does.

        The defaults are the process's own variables and folder, the network, and a reporter that shows nothing.
        """
        from reconciler.commands.files import LocalFiles
        from reconciler.commands.wire import Network
        from reconciler.process import environment_of_process, home_in, never_asked_to_stop, this_world
        from reconciler.record.objects import open_object

        variables = environment_of_process() if environment is None else environment
        world = this_world()
        start = Path() if folder is None else folder
        return Session(
            environment=variables,
            home=home_in(variables),
            folder=start,
            world=world,
            wire=wire or Network(),
            files=LocalFiles(world.chance, start),
            open_object=open_object,
            reporter=reporter or Silent(),
            secrets=KnownSecrets(),
            asked_to_stop=never_asked_to_stop,
        )
