"""The process that runs the clients' parser, alone with documents and nothing worth stealing or breaking.

It is run as a file by :mod:`reconciler.vaults.hocon` (isolated, empty environment, no folder) and imports nothing of
this project but :mod:`reconciler.vaults.clients_parser`. Both directions carry frames: four bytes of length, then JSON.

A question ``{"read": text, "seconds": number}``, for so much processor time a step, has up to three answers: what the
text says (``meaning``, and ``refused`` if this project wants no such text; or ``error``); unless that failed, what a
client gets from it whose environment is empty; and if it asks for variables, what one gets that has them. A question
``{"merge": [text, …], "orders": [[index, …], …], "seconds": number}`` has one: the configuration that each order gives.
An outcome is ``["tree", tree]``, ``["dropped", message, line, column]`` or ``["endless", message]``.

In a tree ``["o", [[key, tree], …]]`` is an object, ``["l", [tree, …]]`` a list, ``["p", text]`` a Python object that
is no plain value, ``["e", [part, …], earlier]`` an expression (a part is ``["s", path, optional, blanks]`` or a tree),
and everything else a scalar.
"""

from __future__ import annotations

import datetime as dt
import functools
import gc
import importlib.util
import json
import math
import re
import resource
import signal
import struct
import sys
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn
from urllib.error import URLError

import pyparsing
from dateutil.relativedelta import relativedelta

MARK, UNMARK = "\ue000", "\ue001"
"""Around the name of a variable of the client's environment, in the place of its value."""

_MEMORY = 1024 * 1024 * 1024
_MOST_NODES = 300_000
_KEY_PARTS = 30
_PLACE = re.compile(r"\(line: ?(\d+), col: (\d+)\)")
_ADDRESS = re.compile(
    r"(?!https?:)[A-Za-z][A-Za-z0-9+.-]*:[\s\S]*"
    r"|https?:(?://[^\x00-\x20\x7f/?#:]*(?::\d*)?(?:[/?][\x21\x22\x24-\x7e]*)?)?(?:#[\s\S]*)?"
)
"""What ``urlopen`` tries to reach, and fails; anything else it refuses with an error that drops the vault."""

_TOO_LARGE = "it takes more memory than clients should have to give"


class _TooLarge(Exception):  # noqa: N818 - control flow
    """What a document grows into is too large to be shown, or to be had."""


class _Watch:
    """What this project refuses in a document, noticed while it is parsed; nothing is raised, as clients raise nothing.

    The first refusal counts; its place is the end of the object that it is in.
    """

    def __init__(self) -> None:
        self.refused: str | None = None
        self.place: tuple[int, int] | None = None
        self.included = False
        self.looking = False

    def put(self, tree: OrderedDict[Any, Any], key: Any, value: object) -> None:
        if self.looking and self.refused is None and OrderedDict.__contains__(tree, key):
            before, after = _shape(OrderedDict.__getitem__(tree, key)), _shape(value)
            if before and after and before != after:
                self.refuse(
                    "the object that ends here sets a key twice, with values of different kinds; readers disagree on"
                    " that"
                )

    def key(self, text: str, tokens: list[str]) -> None:
        if not tokens or not all(tokens) or "\\" in text or text.startswith('"""'):
            self.refuse("the object that ends here has a key that is empty or cannot be read by clients")
        if len(tokens) > _KEY_PARTS:
            self.refuse("the object that ends here has a key of too many parts")

    def ended(self, text: str, offset: int) -> None:
        if self.refused is not None and self.place is None:
            self.place = pyparsing.lineno(offset, text), pyparsing.col(offset, text)

    def null_as_text(self) -> None:
        self.refuse("null cannot be joined with a string: clients put the name of a Python object there")

    def refuse(self, message: str) -> None:
        if self.looking and self.refused is None:
            self.refused = message

    def include(self) -> None:
        self.included = True
        self.refuse("includes are not allowed: a vault must hold everything itself")


class _Environment:
    """The client's environment: empty, or with every variable that is asked for; notes which those are."""

    def __init__(self) -> None:
        self.asked: dict[str, None] = {}
        self.full = False

    def get(self, name: object, default: str | None = None) -> str | None:
        if not isinstance(name, str):
            raise TypeError("str expected")  # as the real one does: a key that is a number
        if "=" in name or "\0" in name:
            return default  # There can be no such variable.
        self.asked[name] = None
        return f"{MARK}{name}{UNMARK}" if self.full else default


watch, environment = _Watch(), _Environment()


def _no_file(*_: object, **__: object) -> NoReturn:
    watch.include()
    raise FileNotFoundError


def _no_address(address: object, *_: object, **__: object) -> NoReturn:
    watch.include()
    if not _ADDRESS.fullmatch(str(address)):
        raise ValueError("not a URL")
    raise URLError("there is no network here")


def _load() -> tuple[Any, Any]:
    """Load the clients' parser with every door shut that an include or a variable could use."""
    where = Path(__file__).with_name("clients_parser.py")
    spec = importlib.util.spec_from_file_location("clients_parser", where)
    if spec is None or spec.loader is None:
        raise ImportError("clients_parser")
    loader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)
    parser, tree = loader.load(watch)
    parser.os = SimpleNamespace(environ=environment, path=SimpleNamespace(dirname=str))
    parser.codecs = SimpleNamespace(open=_no_file)
    parser.urlopen = _no_address
    return parser, tree


config_parser, config_tree = _load()
_grammar = config_parser.ConfigParser.parse("")


def _limit() -> None:
    for name, most in (("AS", _MEMORY), ("NOFILE", 0), ("NPROC", 0), ("FSIZE", 0), ("CORE", 0)):
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
        except (AttributeError, ValueError, OSError):
            continue  # Not every system knows every limit; the others and the time-out still hold.


def _give(seconds: float) -> None:
    """Limit the processor time of the next step; the system ends the process when it is used up, wherever it is."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _parse(text: str) -> Any:
    """Parse without resolving anything, as the first half of the clients' ``ConfigFactory.parse_string``."""
    # As where the grammar was made, for what pyparsing adds to it; a failed parse leaves this global changed.
    pyparsing.ParserElement.set_default_whitespace_chars(" \t")
    return _grammar.parse_string(text, parse_all=True)[0]


def _resolve(config: Any) -> Any:
    """Resolve, as the second half of it."""
    config_parser.ConfigParser.resolve_substitutions(config, False)
    return config


def _shape(value: object) -> str | None:
    if isinstance(value, config_tree.ConfigValues):
        return None
    if isinstance(value, OrderedDict):
        return "object"
    return "list" if isinstance(value, list) else "scalar"


class _Encoder:
    """Turns what the parser made into a tree that can be sent; counts what it sends.

    What is ``resolved`` has no expressions any more: where one is left over, clients have an object of the parser's.
    """

    def __init__(self, *, resolved: bool) -> None:
        self._resolved = resolved
        self._nodes = 0

    def tree(self, value: Any) -> Any:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise _TooLarge
        if isinstance(value, config_tree.ConfigValues) and not self._resolved:
            return self._expression(value)
        if isinstance(value, OrderedDict):
            return ["o", self._members(value)]
        if isinstance(value, list):
            return ["l", [self.tree(item) for item in value]]
        if isinstance(value, config_tree.NoneValue) or value is None:
            return None
        if isinstance(value, config_tree.ConfigQuotedString):
            return value.value + value.ws
        if isinstance(value, float) and not math.isfinite(value):
            return ["p", repr(value)]
        if isinstance(value, bool | int | float | str):
            return value
        return ["p", repr(value) if isinstance(value, relativedelta | dt.timedelta) else type(value).__name__]

    def _members(self, value: OrderedDict[Any, Any]) -> list[Any]:
        members: dict[str, Any] = {}
        for key, item in OrderedDict.items(value):
            text = key.strip('"') if isinstance(key, str) else str(key)
            # To clients 1 and "1" are two keys.
            members[text if text not in members else f"{text} ({key!r})"] = self.tree(item)
        return list(members.items())

    def _expression(self, value: Any) -> Any:
        earlier = value.overriden_value
        tokens = [token for token in value.tokens if token is not None]
        parts = [self._part(token, last=token is tokens[-1]) for token in tokens]
        return ["e", parts, None if earlier is None else ["x", self.tree(earlier)]]

    def _part(self, token: Any, *, last: bool) -> Any:
        if isinstance(token, config_tree.ConfigSubstitution):
            return ["s", str(token.variable), bool(token.optional), "" if last else token.ws]
        return self.tree(token)


def _place(text: str, line: int, expanded_column: int) -> tuple[int, int]:
    """Undo pyparsing's expansion of tabs, which moves columns."""
    lines = text.split("\n")
    content = lines[line - 1] if line <= len(lines) else ""
    column = 0
    for index, char in enumerate(content):
        if column >= expanded_column - 1:
            return line, index + 1
        column += 8 - column % 8 if char == "\t" else 1
    return line, len(content) + 1


def _failure(text: str, error: Exception) -> list[Any]:
    """Return what is wrong, as ``[message, line, column]``; never what pyhocon says, which quotes the document."""
    if isinstance(error, pyparsing.ParseBaseException):
        return ["this is not valid HOCON", *_place(text, error.lineno, error.column)]
    if isinstance(error, RecursionError):
        return ["the document is nested too deeply; clients fail beyond about 30 levels", None, None]
    if isinstance(error, MemoryError):
        return ["the document takes too much memory to parse", None, None]
    found = _PLACE.search(str(error))
    place = _place(text, int(found[1]), int(found[2])) if found else (None, None)
    if type(error).__name__ == "ConfigSubstitutionException":
        return ["a substitution in it has no value, or leads back to itself", *place]
    return ["values in it cannot be put together", *place]


def _said(text: str) -> tuple[dict[str, Any], Any]:
    """Return the first answer for a document, and the configuration to resolve, if there is one."""
    watch.__init__()  # type: ignore[misc]
    watch.looking = True
    try:
        config = _parse(text)
        answer = {"meaning": _Encoder(resolved=False).tree(config), "refused": None}
    except Exception as error:  # noqa: BLE001 - pyhocon lets almost anything escape; all of it means the same
        message, line, column = _failure(text, error)
        return {"error": [message, line, column]}, None
    finally:
        watch.looking = False
    if watch.refused is not None:
        answer["refused"] = [watch.refused, *(_place(text, *watch.place) if watch.place else (None, None))]
    return answer, config


def _outcome(text: str, config: Any) -> list[Any]:
    try:
        return ["tree", _Encoder(resolved=True).tree(_resolve(config))]
    except (_TooLarge, MemoryError):
        return ["endless", _TOO_LARGE]
    except Exception as error:  # noqa: BLE001 - as above
        return ["dropped", *_failure(text, error)]


def _without_environment(text: str, config: Any) -> dict[str, Any]:
    """Return the second answer: what a client gets whose environment is empty."""
    environment.__init__()  # type: ignore[misc]
    received = _outcome(text, config)
    return {"received": received, "asked": list(environment.asked), "included": watch.included}


def _with_environment(text: str) -> dict[str, Any]:
    """Return the third answer: what a client gets whose environment has all that is asked for."""
    environment.full = True
    received = _outcome(text, _parse(text))
    return {"received": received, "asked": list(environment.asked), "included": watch.included}


def _config(text: str) -> Any:
    """Return what a client has of a text: with an empty environment, unless only one that has all of it can read it."""
    environment.full = False
    try:
        return _resolve(_parse(text))
    except Exception:  # noqa: BLE001 - as above
        environment.full = True
        return _resolve(_parse(text))


def _merged(texts: list[str], orders: list[list[int]]) -> list[Any]:
    """Lay documents over one another as ``Config.set_overrides`` does; ones that clients drop are left out."""
    merge = functools.partial(config_tree.ConfigTree.merge_configs, copy_trees=True)
    configs = [_config(text) for text in texts]
    return [
        _Encoder(resolved=True).tree(
            functools.reduce(merge, (configs[index] for index in order), config_tree.ConfigTree())
        )
        for order in orders
    ]


def _serve() -> None:
    questions, answers = sys.stdin.buffer, sys.stdout.buffer

    def send(answer: object) -> None:
        # As ASCII: a document may hold half a surrogate pair, which UTF-8 has no bytes for.
        body = json.dumps(answer, separators=(",", ":")).encode("ascii")
        _give(0)
        answers.write(struct.pack(">I", len(body)) + body)
        answers.flush()

    answers.write(b"ready")
    answers.flush()
    while len(head := questions.read(4)) == 4:
        question = json.loads(questions.read(struct.unpack(">I", head)[0]))
        _give(question["seconds"])
        if "merge" in question:
            send(_merged(question["merge"], question["orders"]))
        else:
            said, config = _said(question["read"])
            send(said)
            if "error" not in said:
                _give(question["seconds"])
                send(without := _without_environment(question["read"], config))
                if without["asked"]:
                    _give(question["seconds"])
                    send(_with_environment(question["read"]))
        gc.collect()


if __name__ == "__main__":
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)  # nothing for everyday documents, and a quarter of the memory for large ones
    _limit()
    _serve()
