"""Makes ``reconciler/vaults/harmless_settings.tsv`` from the default configurations of ``clearml`` and ``clearml-agent``.

    python tests/vaults/harmless_settings.py FOLDER... >reconciler/vaults/harmless_settings.tsv

Each ``FOLDER`` is an unpacked package (``.../site-packages/clearml``, ``.../site-packages/clearml_agent``). Settings
are taken from their ``config/default/*.conf``, those that stand in comments too. A setting is left out if its name says
that it is a secret, if it holds arguments, scripts, URLs of package indexes or whatever people like (``LEFT_OUT``), or
if it is a number or truth value, which is shown anyway.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.vaults.secret_names import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = """\
# Settings of ClearML's clients that hold no secrets: shown also where only the server knows them.
# Made by tests/vaults/harmless_settings.py from clearml 2.1.12 and clearml-agent 3.0.3.
"""
FILES = ("sdk.conf", "agent.conf", "api.conf")
LEFT_OUT = re.compile(
    # Free text, arguments and scripts, in which people write passwords.
    r"\.(?:environment|files|extra_args|extra_docker_arguments|extra_docker_shell_script|arguments|custom_build_script"
    r"|docker_init_bash_script|docker_preprocess_bash_script|\w+_extra_args|git_fetch_args|match|extra_keys)(?:\.|$)"
    # Users may be tokens, and URLs of package indexes may hold them in their paths.
    r"|\.(?:git_user|user|username|extra_index_url|uv_index_url|uv_default_index_url|uv_python_meta_file)$"
    # What looks like a setting in a comment and is none.
    r"|\.(?:note|notice|example|default|key|value|foo|some|nested|contents|target_format|overwrite|mode|max_key|url|optional|none|direct)(?:\.|$)"
    r"|^\w+\.(?:binary|entry_point|working_dir|format|path|https)$"
)
_SETTING = re.compile(r'"?(?P<name>[a-z][a-z0-9_.]*)"?[ \t]*(?P<sign>[:=]?)[ \t]*(?P<value>.*)')
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?|true|false|null|None", re.IGNORECASE)


def settings(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the path of each setting of a package that may hold a string, and the file that names it."""
    for name in FILES:
        for file in sorted(folder.rglob(f"config/default/{name}")):
            for path in _named(file.read_text(encoding="utf-8"), file.stem):
                if not LEFT_OUT.search(path) and not any(map(is_secret_name, path.split(".")[-1:])):
                    yield path, f"{folder.name} {name}"


def _named(text: str, root: str) -> Iterator[str]:
    """Yield the paths of the settings in a configuration, following its braces through comments too."""
    above: list[tuple[str, bool]] = [(root, False)]
    for line in text.splitlines():
        commented = bool(re.match(r"\s*(?:#|//)", line))
        content = re.sub(r"^\s*(?:#|//)+\s*", "", line).strip()
        content = re.sub(r"\s(?:#|//)\s.*$", "", content)
        while len(above) > 1 and above[-1][1] and not commented and content:
            above.pop()
        match = _SETTING.match(content)
        if match and (match["sign"] or match["value"].startswith(("{", "["))):
            name, value = match["name"], match["value"].strip().rstrip(",")
            path = ".".join([*(part for part, _ in above if part), name])
            if value.startswith(("{", "[")) and value.count("{") + value.count("[") > value.count("}") + value.count(
                "]"
            ):
                above.append((name, commented))
                above += [("", commented)] * (
                    value.count("{") + value.count("[") - value.count("}") - value.count("]") - 1
                )
                if value.startswith("["):
                    yield path
            elif not value.startswith("{") and not _PLAIN.fullmatch(value.strip("\"' ")):
                yield path
            continue
        for sign in re.sub(r'"[^"]*"', "", content):
            if sign in "{[":
                above.append(("", commented))
            elif sign in "}]" and len(above) > 1:
                above.pop()


def main(folders: list[str]) -> None:
    """Print the list, with the packages that it was made from."""
    found: dict[str, str] = {}
    for folder in map(Path, folders):
        for path, source in settings(folder):
            found.setdefault(path, source)
    sys.stdout.write(HEAD)
    sys.stdout.writelines(f"{path}\t{found[path]}\n" for path in sorted(found))


if __name__ == "__main__":
    main(sys.argv[1:])
