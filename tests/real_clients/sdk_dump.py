"""Runs in a process of its own: opens the SDK's session with each configuration file and tells what it has then.

Its arguments are the file for its answer and the configuration files. The answer is one JSON object: for each file its
base (built-in defaults and the file) and its whole configuration, vaults included.
"""

import copy
import json
import os
import sys
from pathlib import Path
from typing import Any


def whole(config: Any) -> Any:
    """Everything but the section that the SDK hands to Python's logging, which rewrites it in place."""
    return {key: value for key, value in plain(config._config).items() if key != "logging"}


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {unquoted(key): plain(item) for key, item in dict.items(value)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return None if type(value).__name__ == "NoneValue" else value


def unquoted(key: str) -> str:
    """The client's parser keeps the quotes of quoted keys in its tree."""
    return key[1:-1] if len(key) > 2 and key[0] == key[-1] == '"' else key


def dump(file: str) -> dict[str, Any]:
    from clearml.backend_api import Session
    from clearml.config import ConfigWrapper

    os.environ["CLEARML_CONFIG_FILE"] = file
    ConfigWrapper._config = None
    config = ConfigWrapper._init()
    base = whole(config)
    session = Session()
    return {"base": base, "whole": whole(session.config), "user": bool(session.token)}


def read_built_in_files_once() -> None:
    """The SDK parses its own defaults twice for each session; here the same trees are handed out again."""
    from clearml.backend_config.config import Config

    read, known = Config._read_single_file, {}

    def read_once(file: str, verbose: bool = True) -> Any:
        if "site-packages" not in str(file):
            return read(file, verbose)
        if file not in known:
            known[file] = read(file, verbose)
        return copy.deepcopy(known[file])

    Config._read_single_file = staticmethod(read_once)


if __name__ == "__main__":
    read_built_in_files_once()
    answer, *files = sys.argv[1:]
    Path(answer).write_text(json.dumps({file: dump(file) for file in files}), encoding="utf-8")
