"""What is known of the past of one workspace, as values. :mod:`reconciler.record.parts` writes and reads them.

``docs/reference/record.md`` describes the format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, field

from reconciler.frozen import Moment, Published
from reconciler.model.acting import Acting
from reconciler.model.resources import Address, Kind
from reconciler.model.text import canonical_json
from reconciler.plan.outcomes import Outcome

if TYPE_CHECKING:
    from reconciler.plan.fingerprints import DigestKey

FieldValue = str | bool | tuple[str, ...]
"""A field of a resource as the record keeps it; a set is sorted."""


class Workspace(Published, kw_only=True):
    """Which workspace a record is about: its name in the declaration, and the server that was connected to."""

    name: str
    server: str


class Who(Published, kw_only=True):
    """Who made a run: the identity that the server knew, and the person that the CI system says started the job."""

    user: str
    started_by: str | None = None


class Commit(Published, kw_only=True):
    """What a run's declaration was checked out from; ``dirty``: its files were not as committed (``None``: unknown)."""

    sha: str
    dirty: bool | None = None


class OperationEntry(Published, kw_only=True):
    """One operation of a run; ``outcome`` is ``None`` as long as it is not known how it ended.

    ``server_id`` is the id that this program chose for what the operation creates, where the API takes one.
    """

    operation: str
    kind: Kind
    title: str
    key: tuple[str, ...] = ()
    server_id: str | None = None
    outcome: Outcome | None = None
    message: str = ""


class RunEntry(Published, kw_only=True):
    """One apply. ``finished`` is ``None`` while it runs, and for ever if it was killed.

    ``counts`` has the operations by outcome; it stays when ``operations`` is dropped from an old run. ``remaining`` is
    how many changes a last reading found still needed, ``None`` if there was none.
    """

    id: str
    started: Moment
    finished: Moment | None = None
    interrupted: bool = False
    who: Who
    commit: Commit | None = None
    plan: str
    allowed: tuple[str, ...] = ()
    tool: str
    total: int
    counts: dict[Outcome, int] = field(default_factory=dict)
    remaining: int | None = None
    operations: tuple[OperationEntry, ...] = ()


class Creation(Published, kw_only=True):
    """A creation that was about to begin, written down before its call; it may still land.

    It stays until its end is known. ``server_id`` is the id that this program chose, where the API takes one.
    """

    kind: Kind
    key: tuple[str, ...]
    title: str
    server_id: str | None = None
    run: str
    begun: Moment

    @property
    def address(self) -> Address:
        """The identity of the resource."""
        return Address(self.kind, self.key)


class AppliedDocument(Published, kw_only=True):
    """A vault's document as it was last seen applied, in digests under one key.

    ``text`` is of the live text, ``declared`` of the declared one with its secrets, ``template`` of that as it is
    written in the file. ``values`` leads from the digest of each path to that of its value (together with the path);
    ``secrets`` are those paths at which a reference to a secret stood, ``visible`` the patterns of paths that the
    declaration made visible.
    """

    key_id: str
    text: str
    declared: str | None = None
    template: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    visible: tuple[str, ...] = ()


class Applied(Published, kw_only=True):
    """What one resource was when it was last seen applied.

    ``fields`` are its fields as the server had them, but for documents; a field that was not said, or not told by the
    server, is missing. ``declared`` is a digest of what the declaration said then, without documents. ``seen`` is when
    it was first seen so.
    """

    kind: Kind
    key: tuple[str, ...]
    server_id: str | None = None
    fields: dict[str, FieldValue] = field(default_factory=dict)
    document: AppliedDocument | None = None
    declared: Annotated[str | None, Meta(description="Digest of what the declaration said, without documents.")] = None
    seen: Moment

    @property
    def address(self) -> Address:
        """The identity of the resource."""
        return Address(self.kind, self.key)


class Reported(Published, kw_only=True):
    """Drift of one resource that people were told of: a digest of what was said, and when."""

    kind: Kind
    key: tuple[str, ...]
    digest: str
    at: Moment

    @property
    def address(self) -> Address:
        """The identity of the resource."""
        return Address(self.kind, self.key)


class SealedActing(Published, kw_only=True):
    """What acted when the declaration was last applied, sealed: without the key nobody can make it up."""

    acting: Acting
    key_id: str
    seal: str

    @staticmethod
    def of(acting: Acting, key: DigestKey) -> SealedActing:
        """Seal what acts."""
        return SealedActing(acting=acting, key_id=key.key_id, seal=key.seal("acting", canonical_json(acting.plain())))

    def opened(self, key: DigestKey) -> Acting | None:
        """Return what was sealed; ``None`` if it was made with another key, or altered."""
        return self.acting if key.seals(self.seal, "acting", canonical_json(self.acting.plain())) else None


class Record(Published, kw_only=True):
    """Everything that is known of the past of one workspace; ``runs`` has the newest first.

    ``managed`` is what the declaration spoke for when ``resources`` were last seen
    (:func:`reconciler.record.merge.spoken_for`). ``creations`` are those of which it is not known how they ended.
    """

    workspace: Workspace
    runs: tuple[RunEntry, ...] = ()
    resources: tuple[Applied, ...] = ()
    creations: tuple[Creation, ...] = ()
    acting: SealedActing | None = None
    reported: tuple[Reported, ...] = ()
    managed: tuple[str, ...] = ()

    def resource(self, address: Address) -> Applied | None:
        """Return what is known of one resource."""
        return next((item for item in self.resources if item.address == address), None)

    def by_address(self) -> dict[Address, Applied]:
        """Return what is known of every resource."""
        return {item.address: item for item in self.resources}
