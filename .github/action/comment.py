"""Post a plan on its pull request, or why there is none: one comment per workspace, always brought up to date.

Needs a token that may write to pull requests. A comment is found by the marker in its first line, with the names of the
workspace and of the declaration. Where the name of the workspace cannot be read, the comment about the same declaration
is the one, so that nobody approves what another commit would do.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MARKER = re.compile(r"<!-- clearml-reconciler: (\S+)(?: (\S+))? -->")
UNKNOWN = "?"
MAXIMUM_CHARACTERS = 65_536
PAGE = 100


class Api:
    """GitHub's REST API, as far as comments need it."""

    def __init__(self, url: str, token: str) -> None:
        """Talk to the API at ``url`` with a token."""
        self._url, self._token = url.rstrip("/"), token

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send one request and return the answer's JSON. Raises :class:`urllib.error.URLError`."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}/{path}", data, method=method)  # noqa: S310 - the runner's own URL
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("X-GitHub-Api-Version", "2022-11-28")
        request.add_unredirected_header("Authorization", f"Bearer {self._token}")  # never sent on to another host
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def pages(self, path: str) -> Iterator[Any]:
        """Yield the items of all pages of a list."""
        page, items = 0, [None] * PAGE
        while len(items) == PAGE:
            page += 1
            items = self.call("GET", f"{path}?per_page={PAGE}&page={page}")
            yield from items

    def wrote(self, comment: Mapping[str, Any]) -> bool:
        """Tell whether a comment is the token's own: anybody can write a marker, and later edit what is below it."""
        author = comment.get("user") or {}
        return bool(author.get("login") == self._login if self._login else author.get("type") == "Bot")

    @cached_property
    def _login(self) -> str:
        """Whose the token is; empty for the token of an app (such as the job's own), which may not ask."""
        try:
            return str(self.call("GET", "user")["login"])
        except urllib.error.HTTPError as error:
            if error.code not in (401, 403):
                raise
            return ""


def post(api: Api, repository: str, number: int, text: str, origin: str) -> str:
    """Create or update the comment, and say what was done."""
    marker = marker_of(text)
    mine = [
        (found, comment["id"])
        for comment in api.pages(f"repos/{repository}/issues/{number}/comments")
        if (found := marker_of(comment["body"] or "")) and api.wrote(comment)
    ]
    before = earlier(marker, mine)
    if before is not None and UNKNOWN in marker:
        text = text.replace(marker, before[0], 1)
    if len(text) + len(origin) <= MAXIMUM_CHARACTERS:
        text += origin
    if before is not None:
        api.call("PATCH", f"repos/{repository}/issues/comments/{before[1]}", {"body": text})
        return "comment updated"
    api.call("POST", f"repos/{repository}/issues/{number}/comments", {"body": text})
    return "comment created"


def earlier(marker: str, mine: Sequence[tuple[str, Any]]) -> tuple[str, Any] | None:
    """Return which of the token's own comments, each a marker and an id, is about the workspace of a marker.

    The name of the workspace decides. If one of the two is not known, the declaration does, unless several have it.
    """
    name, declaration = names_in(marker)
    for found in mine:
        if names_in(found[0])[0] == name != UNKNOWN or found[0] == marker:
            return found
    about = [found for found in mine if names_in(found[0])[1] in (declaration, "")]
    about = [found for found in about if UNKNOWN in (name, names_in(found[0])[0])]
    return about[0] if len(about) == 1 else None


def names_in(marker: str) -> tuple[str, str]:
    """Return the names of the workspace and of the declaration, which older markers do not have."""
    found = MARKER.fullmatch(marker)
    return (found[1], found[2] or "") if found else ("", "")


def marker_of(text: str) -> str:
    """Return the marker that a comment begins with; empty if it has none."""
    first = text.partition("\n")[0].strip()
    return first if MARKER.fullmatch(first) else ""


def main(environ: Mapping[str, str]) -> int:
    """Post the comment of one run; returns 1 if the API refuses it."""
    event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    if "pull_request" not in event:
        sys.stdout.write("::notice title=clearml-reconciler::not a pull request, so there is nothing to comment on\n")
        return 0
    pull, repository = event["pull_request"], environ["GITHUB_REPOSITORY"]
    run = f"{environ['GITHUB_SERVER_URL']}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    origin = f"\n<sub>For commit {pull['head']['sha']}, made by [this run]({run}).</sub>\n"
    api = Api(environ["GITHUB_API_URL"], environ["COMMENT_TOKEN"])
    text = Path(environ["COMMENT_FILE"]).read_text(encoding="utf-8")
    try:
        done = post(api, repository, pull["number"], text, origin)
    except OSError as error:  # no answer, or one that refuses
        why = f"the comment was not posted: {error}; the job needs the permission pull-requests: write"
        sys.stdout.write(f"::error title=clearml-reconciler::{why}\n")
        return 1
    sys.stdout.write(f"Pull request {pull['number']}: {done}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
