"""The parser that clients carry: pyhocon 0.3.54 with the changes of their copy, made in its source before it runs.

``clearml`` and ``clearml-agent`` carry the same fork of pyhocon 0.3.54 (``clearml/utilities/pyhocon``,
``clearml_agent/external/pyhocon``). :data:`CLIENTS` is all that the fork does otherwise; a test compares the changed
source with that of the installed ``clearml``, statement by statement. :data:`WATCHED` adds nothing to what is parsed:
it lets the process that parses see what goes on. This module is loaded by that process and imports nothing of ours.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

PYHOCON = "0.3.54"
CARRIED_BY = "clearml 2.1.12 and clearml-agent 3.0.3"
"""The clients that this parser was compared with (``docs/explanation/vaults.md``)."""

_NUMBER = r"r'[+-]?(\d*\.\d+|\d+(\.\d+)?)([eE][+\-]?\d+)?(?=$|[ \t]*([\$\}\],#\n\r]|//))'"


class Change(NamedTuple):
    """A piece of pyhocon's source, found exactly once, and what stands there instead; ``why`` is for readers."""

    module: str
    why: str
    old: str
    new: str


CLIENTS = (
    Change(
        "config_parser",
        "a key that looks like a number is a number",
        "        def convert_period(tokens):\n",
        "        def safe_convert_number(tokens):\n"
        "            n = tokens[0]\n"
        "            try:\n"
        "                return int(n, 10)\n"
        "            except ValueError:\n"
        "                try:\n"
        "                    return float(n)\n"
        "                except ValueError:\n"
        "                    return n\n\n"
        "        def convert_period(tokens):\n",
    ),
    Change(
        "config_parser",
        "a key that looks like a number is a number",
        "            key = QuotedString('\"', escChar='\\\\', unquoteResults=False) | Word(",
        f"            regexp_numbers = {_NUMBER}\n"
        "            key = QuotedString('\"', escChar='\\\\', unquoteResults=False) | \\\n"
        "                Regex(regexp_numbers, re.DOTALL).setParseAction(safe_convert_number) | Word(",
    ),
    Change(
        "config_parser",
        "numbers and keys share one pattern",
        f"            number_expr = Regex({_NUMBER},\n",
        "            number_expr = Regex(regexp_numbers,\n",
    ),
    Change(
        "config_parser",
        "a key that looks like a number is a number",
        "                key = tokens[0].strip()\n",
        "                key = tokens[0].strip() if isinstance(tokens[0], (unicode, basestring)) else tokens[0]\n",
    ),
    Change(
        "config_tree",
        "a key that looks like a number is a number",
        "        special_characters = '$}[]:=+#`^?!@*&.'\n",
        "        if isinstance(string, (int, float)):\n"
        "            return [string]\n\n"
        "        special_characters = '$}[]:=+#`^?!@*&.'\n",
    ),
    Change(
        "config_tree",
        "a key that looks like a number is a number",
        "        return OrderedDict((key.strip('\"'), plain_value(value)) for",
        "        return OrderedDict((key.strip('\"') if isinstance(key, (unicode, basestring)) else key,"
        " plain_value(value)) for",
    ),
    Change(
        "config_parser",
        "an optional reference of a key to itself vanishes before the environment is asked",
        "                        if prop_path[0] == key:\n                            value = os.environ.get(key)\n",
        "                        if prop_path[0] == key and substitution.optional:\n"
        "                            cls._do_substitute(substitution, None)\n"
        "                        if prop_path[0] == key:\n                            value = os.environ.get(key)\n",
    ),
)
"""What the clients' copy does otherwise than pyhocon 0.3.54."""

WATCHED = (
    Change(
        "config_parser",
        "the grammar is made once, not for each document",
        "            config = config_expr.parseString(content, parseAll=True)[0]\n",
        "            return config_expr\n",
    ),
    Change(
        "config_parser",
        "where an object ends",
        "                            config_tree.put(key, value, False)\n        return config_tree\n",
        "                            config_tree.put(key, value, False)\n"
        "        watch.ended(instring, loc)\n"
        "        return config_tree\n",
    ),
    Change(
        "config_tree",
        "which keys are set",
        "        key_elt = key_path[0]\n        if len(key_path) == 1:\n",
        "        key_elt = key_path[0]\n"
        "        watch.put(self, key_elt, value if len(key_path) == 1 else self)\n"
        "        if len(key_path) == 1:\n",
    ),
    Change(
        "config_tree",
        "which keys are merged",
        "        for key, value in b.items():\n            # if key is in both",
        "        for key, value in b.items():\n            watch.put(a, key, value)\n            # if key is in both",
    ),
    Change(
        "config_tree",
        "how keys are written",
        "        def contains_special_character(token):\n",
        "        watch.key(string, tokens)\n\n        def contains_special_character(token):\n",
    ),
    Change(
        "config_tree",
        "null joined with other text, without the address that Python shows",
        "class NoneValue(object):\n    pass\n",
        "class NoneValue(object):\n"
        "    def __str__(self):\n"
        "        watch.null_as_text()\n"
        "        return '<clearml.utilities.pyhocon.config_tree.NoneValue object>'\n",
    ),
)
"""What lets this project see what is parsed; none of it changes what comes out."""


def changed(module: str, source: str, changes: Iterable[Change]) -> str:
    """Return pyhocon's source with the changes for one of its modules; raises ``ValueError`` for another pyhocon."""
    for change in changes:
        if change.module == module:
            if source.count(change.old) != 1:
                raise ValueError(f"this is not pyhocon {PYHOCON}")
            source = source.replace(change.old, change.new)
    return source


def folder() -> Path:
    """Return where pyhocon is installed, without importing it; raises ``ImportError``."""
    found = importlib.util.find_spec("pyhocon")
    if found is None or not found.submodule_search_locations:
        raise ImportError("pyhocon")
    return Path(found.submodule_search_locations[0])


def load(watch: object) -> tuple[Any, Any]:
    """Load the parser and return its modules ``config_parser`` and ``config_tree``; ``watch`` sees what they do."""
    where = folder()
    package = sys.modules["pyhocon"] = ModuleType("pyhocon")
    package.__path__ = [str(where)]
    for name in ("exceptions", "config_tree", "config_parser"):
        source = changed(name, (where / f"{name}.py").read_text("utf-8"), (*CLIENTS, *WATCHED))
        module = sys.modules[f"pyhocon.{name}"] = ModuleType(f"pyhocon.{name}")
        module.__dict__["watch"] = watch
        exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102 - pyhocon itself, as it was installed
    return sys.modules["pyhocon.config_parser"], sys.modules["pyhocon.config_tree"]
