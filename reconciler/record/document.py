"""The record of one workspace as one document: read with suspicion, told apart from every other by its checksum."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from reconciler.errors import RecordError
from reconciler.frozen import Moment, Published
from reconciler.model.resources import Address, Kind
from reconciler.model.text import harmless
from reconciler.plan.outcomes import Outcome

FORMAT = "clearml-reconciler/record/1"
_FAMILY = "clearml-reconciler/record/"
_REMEDY = "it is left as it is; move it away, or choose another with --record"


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
    """One operation of a run; ``outcome`` is ``None`` as long as nobody has told how it ended."""

    operation: str
    kind: Kind
    title: str
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


class Applied(Published, kw_only=True):
    """What one resource was when it was last seen applied, in digests (:mod:`reconciler.record.fingerprint`).

    ``seen`` is when it was first seen so.
    """

    kind: Kind
    key: tuple[str, ...]
    server_id: str | None = None
    public: str
    fields: dict[str, str] = field(default_factory=dict)
    sets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    document: str | None = None
    key_id: Annotated[str | None, Meta(description="Which key the document's digest was made with.")] = None
    declared: Annotated[str | None, Meta(description="What the declaration said then, without documents.")] = None
    declared_document: Annotated[str | None, Meta(description="The declared document, made with the same key.")] = None
    declared_template: Annotated[str | None, Meta(description="The same, as it is written in the file.")] = None
    seen: Moment

    @property
    def address(self) -> Address:
        """The identity of the resource."""
        return Address(self.kind, self.key)


class Told(Published, kw_only=True):
    """Drift of one resource that people were told of: a digest of what was said, and when."""

    kind: Kind
    key: tuple[str, ...]
    digest: str
    at: Moment

    @property
    def address(self) -> Address:
        """The identity of the resource."""
        return Address(self.kind, self.key)


class Record(Published, kw_only=True):
    """Everything that is known of the past of one workspace; ``runs`` has the newest first.

    ``managed`` is what the declaration spoke for when ``resources`` were last seen
    (:func:`reconciler.record.merge.spoken_for`).
    """

    format: Literal["clearml-reconciler/record/1"] = "clearml-reconciler/record/1"
    workspace: Workspace
    runs: tuple[RunEntry, ...] = ()
    resources: tuple[Applied, ...] = ()
    told: tuple[Told, ...] = ()
    managed: tuple[str, ...] = ()

    def resource(self, address: Address) -> Applied | None:
        """Return what is known of one resource."""
        return next((item for item in self.resources if item.address == address), None)

    def by_address(self) -> dict[Address, Applied]:
        """Return what is known of every resource."""
        return {item.address: item for item in self.resources}

    def to_bytes(self) -> bytes:
        """Return the record with its checksum as stable JSON: a line for each run and resource, ending in a newline."""
        content = self.plain()
        sealed = {"format": content.pop("format"), "checksum": "", **content}
        sealed["checksum"] = _checksum(sealed)
        return ("{\n" + ",\n".join(_laid_out(name, value) for name, value in sealed.items()) + "\n}\n").encode()


def _laid_out(name: str, value: object) -> str:
    if isinstance(value, list) and value:
        return f"{json.dumps(name)}: [\n" + ",\n".join(map(json.dumps, value)) + "\n]"
    return f"{json.dumps(name)}: {json.dumps(value)}"


def _checksum(sealed: dict[str, object]) -> str:
    content = {name: value for name, value in sealed.items() if name != "checksum"}
    text = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def read_record(content: bytes, place: str, workspace: Workspace | None) -> Record:
    """Read a record; ``place`` is what to call where it was found.

    Raises :class:`RecordError` if it is torn, altered, of another version, or (where ``workspace`` is given) about
    another workspace.
    """
    shown = harmless(place)
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        raise RecordError(f"the record {shown} is damaged: it is not complete JSON", hint=_REMEDY) from None
    version = raw.get("format") if isinstance(raw, dict) else None
    if version != FORMAT:
        if isinstance(version, str) and version.startswith(_FAMILY):
            message = (
                f"the record {shown} was written by another version ({harmless(version[:80])}); this reads {FORMAT}"
            )
            raise RecordError(message, hint="use the version that wrote it, or choose another place with --record")
        raise RecordError(f"{shown} is not a record of this program", hint=_REMEDY)
    if raw.get("checksum") != _checksum(raw):
        raise RecordError(f"the record {shown} is damaged or was altered: its checksum does not match", hint=_REMEDY)
    del raw["checksum"]
    try:
        record = msgspec.convert(raw, Record)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise RecordError(f"the record {shown} is damaged: {harmless(str(error))}", hint=_REMEDY) from None
    if workspace is not None and record.workspace != workspace:
        raise RecordError(
            f"the record {shown} is about another workspace ({_named(record.workspace)}, this is {_named(workspace)})",
            hint="it is left as it is; choose another with --record",
        )
    return record


def _named(workspace: Workspace) -> str:
    return f"{harmless(workspace.name)} on {harmless(workspace.server)}"
