"""The process that runs pyhocon, alone with one document after another and nothing worth stealing or breaking.

It is run as a file by :mod:`reconciler.vaults.hocon` (isolated, empty environment, no folder) and imports nothing of
this project. Both directions carry frames: four bytes of length, then UTF-8. A question is a document; an answer is
JSON: ``["ok", tree]`` or ``["no", message, line, column]``. In a tree, ``["o", [[key, tree], …]]`` is an object,
``["l", [tree, …]]`` a list, ``["e", [part, …], earlier]`` an expression (a part is ``["s", path, optional, blanks]`` or
a tree), and everything else a scalar.
"""

from __future__ import annotations

import gc
import json
import math
import resource
import signal
import struct
import sys
from collections import OrderedDict
from typing import Any, NoReturn

import pyparsing
from pyhocon import config_parser, config_tree

CPU_SECONDS = 1.5
"""Processor time for one document; the system ends the process when it is used up, wherever it is."""

_MEMORY = 512 * 1024 * 1024
_KEY_PARTS = 30
_WHITE = pyparsing.ParserElement.DEFAULT_WHITE_CHARS


class Refused(BaseException):
    """Ends the parsing at once: pyparsing takes many exceptions for "no match", but nothing outside ``Exception``."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.place: tuple[int, int] | None = None


def _refuse_include(*_: object, **__: object) -> NoReturn:
    raise Refused("includes are not allowed: a vault must hold everything itself")


def _shape(value: object) -> str | None:
    if isinstance(value, config_tree.ConfigValues):
        return None
    if isinstance(value, OrderedDict):
        return "object"
    return "list" if isinstance(value, list) else "scalar"


def _check_same_shape(tree: OrderedDict[str, Any], key: str, value: object) -> None:
    if OrderedDict.__contains__(tree, key):
        before, after = _shape(OrderedDict.__getitem__(tree, key)), _shape(value)
        if before and after and before != after:
            raise Refused(
                "the object that ends here sets a key twice, with values of different kinds; readers disagree on that"
            )


_put = config_tree.ConfigTree._put  # noqa: SLF001 - the only place that sees every key that is set
_parse_key = config_tree.ConfigTree.parse_key
_merge = config_tree.ConfigTree.merge_configs
_post_parse = config_parser.ConfigTreeParser.postParse


def _checked_put(self: Any, key_path: list[str], value: Any, append: bool = False) -> None:
    _check_same_shape(self, key_path[0], value if len(key_path) == 1 else self)
    _put(self, key_path, value, append)


def _checked_merge(a: Any, b: Any, copy_trees: bool = False) -> Any:
    for key, value in b.items():
        _check_same_shape(a, key, value)
    return _merge(a, b, copy_trees)


def _checked_key(text: str) -> list[str]:
    tokens: list[str] = _parse_key(text)
    if not tokens or "\\" in text or text.startswith('"""'):
        raise Refused("the object that ends here has a key that is empty or cannot be read by clients")
    if len(tokens) > _KEY_PARTS:
        raise Refused("the object that ends here has a key of too many parts")
    return tokens


def _refuse_null_text(_: object) -> NoReturn:
    raise Refused("null cannot be joined with a text: clients put the name of a Python object there")


def _placed_post_parse(self: Any, instring: str, loc: int, tokens: Any) -> Any:
    try:
        return _post_parse(self, instring, loc, tokens)
    except Refused as refused:
        refused.place = refused.place or (pyparsing.lineno(loc, instring), pyparsing.col(loc, instring))
        raise


def _close_doors() -> None:
    """Take away everything that an include could use, and the durations, which no client reads."""
    factory, parser = config_parser.ConfigFactory, config_parser.ConfigParser
    factory.parse_file = factory.parse_URL = staticmethod(_refuse_include)
    parser.resolve_package_path = staticmethod(_refuse_include)
    config_parser.urlopen = config_parser.glob = config_parser.find_package_dirs = _refuse_include
    config_parser.get_period_expr = pyparsing.NoMatch
    config_tree.ConfigTree._put = _checked_put  # noqa: SLF001 - see above
    config_tree.ConfigTree.merge_configs = staticmethod(_checked_merge)
    config_tree.ConfigTree.parse_key = staticmethod(_checked_key)
    config_tree.NoneValue.__str__ = _refuse_null_text
    config_parser.ConfigTreeParser.postParse = _placed_post_parse


def _limit() -> None:
    for name, most in (("AS", _MEMORY), ("NOFILE", 0), ("NPROC", 0), ("FSIZE", 0), ("CORE", 0)):
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
        except (AttributeError, ValueError, OSError):
            continue  # Not every system knows every limit; the others and the time-out still hold.


class _Grammar:
    """pyhocon's grammar, kept from the first document on: making it takes longer than parsing most documents."""

    def __init__(self) -> None:
        self._expression: Any = None

    def parse(self, text: str) -> Any:
        """Parse without resolving anything."""
        # A failed parse leaves pyparsing's global white space changed.
        pyparsing.ParserElement.set_default_whitespace_chars(_WHITE)
        if self._expression is None:
            self._catch()
        return self._expression.parse_string(text, parse_all=True)[0]

    def _catch(self) -> None:
        """Let pyhocon build its grammar, which it keeps in a local variable, and take it as it is about to be used."""
        original = pyparsing.ParserElement.parse_string

        def catch(expression: Any, _: str, **__: object) -> list[None]:
            self._expression = expression
            return [None]

        pyparsing.ParserElement.parse_string = catch  # type: ignore[method-assign, assignment]
        try:
            config_parser.ConfigFactory.parse_string("", resolve=False)
        finally:
            pyparsing.ParserElement.parse_string = original  # type: ignore[method-assign]


def _encode(value: Any) -> Any:
    if isinstance(value, config_tree.ConfigValues):
        earlier = getattr(value, "overridden_value", None)
        parts = [_encode_part(token) for token in value.tokens if token is not None]
        return ["e", parts, None if earlier is None else ["x", _encode(earlier)]]
    if isinstance(value, OrderedDict):
        return ["o", [[_key(key), _encode(item)] for key, item in OrderedDict.items(value)]]
    if isinstance(value, list):
        return ["l", [_encode(item) for item in value]]
    if isinstance(value, config_tree.NoneValue) or value is None:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused("a number is too large")
    if isinstance(value, bool | int | float | str):
        return value
    raise Refused("a value is of a kind that clients do not read")


def _encode_part(token: Any) -> Any:
    if isinstance(token, config_tree.ConfigSubstitution):
        return ["s", token.variable.strip(), bool(token.optional), token.ws if isinstance(token.ws, str) else ""]
    if isinstance(token, config_tree.ConfigQuotedString):
        return token.value + token.ws
    return _encode(token)


def _key(key: Any) -> str:
    text = str(key)
    return text[1:-1] if len(text) > 2 and text[0] == text[-1] == '"' else text


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


def _answer(grammar: _Grammar, text: str) -> list[Any]:
    try:
        return ["ok", _encode(grammar.parse(text))]
    except Refused as refused:
        return ["no", refused.message, *(_place(text, *refused.place) if refused.place else (None, None))]
    except pyparsing.ParseBaseException as error:
        return ["no", "this is not valid HOCON", *_place(text, error.lineno, error.column)]
    except RecursionError:
        return ["no", "the document is nested too deeply; clients fail beyond about 30 levels", None, None]
    except MemoryError:
        return ["no", "the document takes too much memory to parse", None, None]
    except Exception:  # noqa: BLE001 - pyhocon lets almost anything escape; all of it means the same
        return ["no", "this is not valid HOCON: values that cannot be put together", None, None]


def _serve() -> None:
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    grammar = _Grammar()
    answers.write(b"ready")
    answers.flush()
    while len(head := questions.read(4)) == 4:
        text = questions.read(struct.unpack(">I", head)[0]).decode("utf-8")
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        body = json.dumps(_answer(grammar, text), ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(struct.pack(">I", len(body)) + body)
        answers.flush()
        gc.collect()


if __name__ == "__main__":
    gc.freeze()
    gc.disable()
    _close_doors()
    _limit()
    _serve()
