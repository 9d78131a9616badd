"""A record as documents: a head, and parts that it names.

What is long (resources, operations, open creations, what people were told) is cut into parts, so that a write costs
what changed. Where a part begins follows from the keys of its entries alone: one more entry moves no other part.
A head names its parts, and each name holds the digest of its content; so whoever has a head notices what is damaged.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from reconciler.errors import RecordError
from reconciler.frozen import Frozen, Published
from reconciler.model.text import harmless
from reconciler.record.document import (
    Applied,
    Creation,
    OperationEntry,
    Record,
    Reported,
    RunEntry,
    SealedActing,
    Workspace,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FORMAT: Final = "clearml-reconciler/record/2"
REMEDY: Final = "it is left as it is; move it away, or choose another with --record"

_BLOCK: Final = 256
"""So many operations of a run stand in one block."""
_USUAL_ENTRIES: Final = 256
"""A part begins at about every so-many-th key."""
_USUAL_BLOCKS: Final = 8
_MOST_WEIGHT: Final = 8192
"""A part is never heavier than this, unless by one entry: elements of sets, paths of documents and operations count."""
_DIGEST_LENGTH: Final = 32


class OperationBlock(Published, kw_only=True):
    """Some operations of one run, from the one with this number on."""

    run: str
    first: int
    operations: tuple[OperationEntry, ...]


Entry = Applied | Creation | OperationBlock | SealedActing | Reported
AnyEntry = TypeVar("AnyEntry", bound=Entry)
T = TypeVar("T")


PartName = Annotated[str, Meta(pattern=rf"\A[0-9a-f]{{{_DIGEST_LENGTH}}}-[0-9a-f]{{1,32}}\Z")]
"""A digest and a token: nothing that leads out of the folder of parts."""


class Head(Published, kw_only=True):
    """What stands in the record's own document. ``runs`` are without their operations, which are in parts.

    ``retired`` are the parts that the head before had and this one has not: the next writer removes them, so that
    whoever still reads by the head before finds them.
    """

    format: Literal["clearml-reconciler/record/2"] = "clearml-reconciler/record/2"
    workspace: Workspace
    runs: tuple[RunEntry, ...] = ()
    managed: tuple[str, ...] = ()
    resources: tuple[PartName, ...] = ()
    operations: tuple[PartName, ...] = ()
    creations: tuple[PartName, ...] = ()
    acting: tuple[PartName, ...] = ()
    reported: tuple[PartName, ...] = ()
    retired: tuple[PartName, ...] = ()

    @property
    def parts(self) -> tuple[PartName, ...]:
        """The names of all parts that the record is made of."""
        return (*self.resources, *self.operations, *self.creations, *self.acting, *self.reported)

    def to_bytes(self) -> bytes:
        """Return the head with its checksum as stable JSON, a line for each run."""
        content = self.plain()
        sealed = {"format": content.pop("format"), "checksum": "", **content}
        sealed["checksum"] = checksum(sealed)
        return ("{\n" + ",\n".join(_laid_out(name, value) for name, value in sealed.items()) + "\n}\n").encode()


Part = tuple[Entry, ...]


class Packed(Frozen):
    """A record on its way to a place: its head, all its parts, and the contents of those that are not there yet."""

    head: Head
    parts: Mapping[str, Part]
    new: Mapping[str, bytes]


_TYPES: Final[Mapping[str, type[Entry]]] = {
    "resources": Applied,
    "operations": OperationBlock,
    "creations": Creation,
    "acting": SealedActing,
    "reported": Reported,
}
"""What the parts of each section hold."""


def pack(record: Record, before: Head | None, known: Mapping[str, Part], token: str) -> Packed:
    """Cut a record into parts; those that the head before named too are not written again.

    ``known`` are the parts of the head before. ``token`` makes the names of new parts like no others, so that nobody
    removes a part that somebody else has written anew.
    """
    parts: dict[str, Part] = {}
    new: dict[str, bytes] = {}
    names: dict[str, tuple[str, ...]] = {}
    for section, entries in _sections(record).items():
        old = {_key(known[name][0]): name for name in getattr(before, section, ())}
        named = []
        for part in _cut(entries):
            name = old.get(_key(part[0]))
            if name is None or known[name] != part:
                content = _to_bytes(part)
                name = f"{_digest(content)}-{token}"
                new[name] = content
            parts[name] = part
            named.append(name)
        names[section] = tuple(named)
    retired = tuple(sorted(set(before.parts) - parts.keys())) if before is not None else ()
    head = Head(
        workspace=record.workspace,
        runs=tuple(replace(run, operations=()) for run in record.runs),
        managed=record.managed,
        retired=retired,
        resources=names["resources"],
        operations=names["operations"],
        creations=names["creations"],
        acting=names["acting"],
        reported=names["reported"],
    )
    return Packed(head, parts, new)


def unpack(head: Head, parts: Mapping[str, Part]) -> Record:
    """Put a record together again; ``parts`` has all that the head names."""
    found: dict[str, Part] = {
        section: tuple(entry for name in getattr(head, section) for entry in parts[name]) for section in _TYPES
    }
    operations: dict[str, list[OperationEntry]] = defaultdict(list)
    for block in _of_type(OperationBlock, found["operations"]):
        operations[block.run] += block.operations
    return Record(
        workspace=head.workspace,
        runs=tuple(replace(run, operations=tuple(operations[run.id])) for run in head.runs),
        resources=_of_type(Applied, found["resources"]),
        creations=_of_type(Creation, found["creations"]),
        acting=next(iter(_of_type(SealedActing, found["acting"])), None),
        reported=_of_type(Reported, found["reported"]),
        managed=head.managed,
    )


def section_of(head: Head, name: str) -> type[Entry]:
    """Return what a part of a head holds."""
    return next(kind for section, kind in _TYPES.items() if name in getattr(head, section))


def read_head(raw: Mapping[str, Any], shown: str) -> Head:
    """Read a head; raises :class:`RecordError` if it is incomplete or was altered."""
    if raw.get("checksum") != checksum(raw):
        raise RecordError(f"the record {shown} is damaged or was altered: its checksum does not match", hint=REMEDY)
    return _converted({name: value for name, value in raw.items() if name != "checksum"}, Head, shown)


def read_part(content: bytes, name: str, kind: type[AnyEntry], shown: str) -> tuple[AnyEntry, ...]:
    """Read a part; raises :class:`RecordError` if it is not what its name says."""
    if name.partition("-")[0] != _digest(content):
        raise RecordError(f"the record {shown} is damaged or was altered: the part {name} is another one", hint=REMEDY)
    found = _converted(json.loads(content), tuple[kind, ...], shown)  # type: ignore[valid-type]
    if not found:
        raise RecordError(f"the record {shown} is damaged: the part {name} is empty", hint=REMEDY)
    return found


def _converted(raw: Any, kind: type[T], shown: str) -> T:
    try:
        return msgspec.convert(raw, kind)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise RecordError(f"the record {shown} is damaged: {harmless(str(error))}", hint=REMEDY) from None


def _of_type(kind: type[AnyEntry], entries: Iterable[Entry]) -> tuple[AnyEntry, ...]:
    return tuple(entry for entry in entries if isinstance(entry, kind))


def _sections(record: Record) -> dict[str, Sequence[Entry]]:
    return {
        "resources": record.resources,
        "operations": tuple(_blocks(record.runs)),
        "creations": record.creations,
        "acting": (record.acting,) if record.acting is not None else (),
        "reported": record.reported,
    }


def _blocks(runs: Iterable[RunEntry]) -> Iterator[OperationBlock]:
    for run in runs:
        for first in range(0, len(run.operations), _BLOCK):
            yield OperationBlock(run=run.id, first=first, operations=run.operations[first : first + _BLOCK])


def _cut(entries: Iterable[Entry]) -> Iterator[Part]:
    part: list[Entry] = []
    weight = 0
    for entry in entries:
        if part and (weight >= _MOST_WEIGHT or _begins_part(entry)):
            yield tuple(part)
            part, weight = [], 0
        part.append(entry)
        weight += _weight(entry)
    if part:
        yield tuple(part)


def _begins_part(entry: Entry) -> bool:
    usual = _USUAL_BLOCKS if isinstance(entry, OperationBlock) else _USUAL_ENTRIES
    return zlib.crc32(_key(entry).encode("utf-8", "surrogatepass")) % usual == 0


def _key(entry: Entry) -> str:
    match entry:
        case OperationBlock():
            return json.dumps([entry.run, entry.first])
        case SealedActing():
            return ""
        case _:
            return json.dumps([entry.kind, *entry.key])


def _weight(entry: Entry) -> int:
    match entry:
        case OperationBlock():
            return len(entry.operations)
        case Applied():
            elements = sum(len(value) for value in entry.fields.values() if isinstance(value, tuple))
            return 1 + elements + (len(entry.document.values) if entry.document is not None else 0)
        case _:
            return 1


def _to_bytes(part: Part) -> bytes:
    return ("[\n" + ",\n".join(json.dumps(entry.plain()) for entry in part) + "\n]\n").encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]


def _laid_out(name: str, value: object) -> str:
    if isinstance(value, list) and value:
        return f"{json.dumps(name)}: [\n" + ",\n".join(map(json.dumps, value)) + "\n]"
    return f"{json.dumps(name)}: {json.dumps(value)}"


def checksum(raw: Mapping[str, object]) -> str:
    """Return the checksum of a document that holds one."""
    content = {name: value for name, value in raw.items() if name != "checksum"}
    text = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
