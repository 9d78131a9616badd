"""The real SDK's parser in a process of its own, with an empty environment: what it says is what clients get.

``python clients_oracle.py`` reads questions, one JSON a line, and answers each with a line: a text, the variables of
the environment, and how much processor time it may take. Of the package ``clearml`` nothing but the parser is loaded.
With ``--agent`` it is the parser that the package ``clearml_agent`` carries.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections import OrderedDict
from types import ModuleType
from typing import Any

SDK, AGENT = "clearml.utilities.pyhocon", "clearml_agent.external.pyhocon"
_ADDRESS = re.compile(r"<(?:\w+\.)*config_tree\.NoneValue object at 0x[0-9a-f]+>")


def load(name: str) -> Any:
    """Import one package without what is around it; raises ``ImportError`` if it is not installed."""
    top, *rest = name.split(".")
    found = importlib.util.find_spec(top)
    if found is None or not found.submodule_search_locations:
        raise ImportError(top)
    folder = found.submodule_search_locations[0]
    for part in ("", *rest[:-1]):
        top, folder = (f"{top}.{part}", f"{folder}/{part}") if part else (top, folder)
        module = sys.modules[top] = ModuleType(top)
        module.__path__ = [folder]
    return importlib.import_module(name)


class Oracle:
    """Asks the parser in a child; a text that takes too much processor time is ``endless``."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self._child: subprocess.Popen[str] | None = None
        self.seconds = 0.0
        """How much processor time the last answer took."""

    def read(self, text: str, environment: dict[str, str] | None = None, seconds: float = 5) -> list[Any]:
        return self._ask({"texts": [text], "environment": environment or {}, "seconds": seconds})

    def merge(self, texts: list[str], seconds: float = 10) -> list[Any]:
        """Lay texts over one another as ``Config.set_overrides`` does; those that do not parse are left out."""
        return self._ask({"texts": texts, "environment": {}, "seconds": seconds, "merge": True})

    def close(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def _ask(self, question: dict[str, Any]) -> list[Any]:
        if self._child is None:
            command = [sys.executable, "-I", "-W", "ignore", __file__, *self._options]
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, text=True
            )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(question) + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            self.close()
            self.seconds = question["seconds"]
            return ["endless"]
        answer = json.loads(line)
        self.seconds = answer["seconds"]
        return answer["answer"]


def plain(value: Any) -> Any:
    """Return a configuration as lists that JSON can carry; keys as ``to_dict`` gives them, in no order."""
    kind = type(value).__name__
    if isinstance(value, OrderedDict):
        members: dict[str, Any] = {}
        for key, item in OrderedDict.items(value):
            text = key.strip('"') if isinstance(key, str) else str(key)
            members[text if text not in members else f"{text} ({key!r})"] = plain(item)
        return {"object": members}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value is None or kind == "NoneValue":
        return None
    if isinstance(value, str):
        return _ADDRESS.sub("<clearml.utilities.pyhocon.config_tree.NoneValue object>", value)
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if kind == "ConfigQuotedString":
        return value.value + value.ws
    return {"python": repr(value) if kind in {"relativedelta", "timedelta", "float"} else kind}


def _answer(pyhocon: Any, question: dict[str, Any]) -> list[Any]:
    os.environ.clear()
    os.environ.update(question["environment"])
    configs = []
    for text in question["texts"]:
        try:
            configs.append(pyhocon.ConfigFactory.parse_string(text))
        except Exception as error:
            if not question.get("merge"):
                return ["dropped", type(error).__name__]
    configs = [config for config in configs if isinstance(config, dict)]
    if not question.get("merge"):
        return ["tree", plain(configs[0])] if configs else ["dropped", "list"]
    merge = functools.partial(pyhocon.ConfigTree.merge_configs, copy_trees=True)
    return ["tree", plain(functools.reduce(merge, configs, pyhocon.ConfigTree()))]


def main() -> None:
    pyhocon = load(AGENT if "--agent" in sys.argv else SDK)
    for line in sys.stdin:
        question = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, question["seconds"])
        start = time.process_time()
        answer = _answer(pyhocon, question)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(json.dumps({"answer": answer, "seconds": time.process_time() - start}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
