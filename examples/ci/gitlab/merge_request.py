"""Post a plan, or why there is none, as a note of its merge request, and fetch a reviewed plan. Needs only Python.

python merge_request.py note plan.md       with NOTE_TOKEN (scope api): one note, brought up to date in place
python merge_request.py fetch plan.json    with MERGE_TOKEN (scope read_api): the plan that was reviewed, or, if
                                           PLAN_JOB is set, the one that this job left
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

MARKER = re.compile(r"<!-- clearml-reconciler: (\S+)(?: (\S+))? -->")
UNKNOWN = "?"
PAGE = 100


def call(token: str, method: str, path: str, body: object = None) -> bytes:
    """Send one request to GitLab's API and return the answer. Raises :class:`urllib.error.URLError`."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{os.environ['CI_API_V4_URL']}/{path}", data, method=method)  # noqa: S310
    request.add_header("Content-Type", "application/json")
    request.add_unredirected_header("PRIVATE-TOKEN", token)  # artifacts may lie on another host: no token for that
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - GitLab's own address
        return bytes(answer.read())


def note(file: Path) -> str:
    """Create or update the note, and say which of the two was done."""
    token, text = os.environ["NOTE_TOKEN"], file.read_text(encoding="utf-8")
    marker = marker_of(text)
    if not marker:
        sys.exit(f"{file} is not what reconciler plan writes as Markdown.")
    text += f"\n<sub>For commit {os.environ['CI_COMMIT_SHA']}, made by [this job]({os.environ['CI_JOB_URL']}).</sub>\n"
    notes = f"projects/{os.environ['CI_PROJECT_ID']}/merge_requests/{os.environ['CI_MERGE_REQUEST_IID']}/notes"
    me = json.loads(call(token, "GET", "user"))["id"]
    page, found, mine = 0, [None] * PAGE, []
    while len(found) == PAGE:
        page += 1
        found = json.loads(call(token, "GET", f"{notes}?per_page={PAGE}&page={page}"))
        # Anybody can write a marker, and later edit what is below it: only a note of our own is taken for it.
        own = [(marker_of(one["body"]), one["id"]) for one in found if one["author"]["id"] == me]
        mine += [(its, number) for its, number in own if its]
    before = earlier(marker, mine)
    if before is None:
        call(token, "POST", notes, {"body": text})
        return "note created"
    if UNKNOWN in marker:
        text = text.replace(marker, before[0], 1)
    call(token, "PUT", f"{notes}/{before[1]}", {"body": text})
    return "note updated"


def earlier(marker: str, mine: list[tuple[str, int]]) -> tuple[str, int] | None:
    """Return which of our own notes, each a marker and an id, is about the workspace of a marker.

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
    """Return the marker that a note begins with; empty if it has none."""
    first = text.partition("\n")[0].strip()
    return first if MARKER.fullmatch(first) else ""


def fetch(file: Path) -> str:
    """Write the reviewed plan into a file, and say where it comes from."""
    token, project = os.environ["MERGE_TOKEN"], f"projects/{os.environ['CI_PROJECT_ID']}"
    job, commit = os.environ.get("PLAN_JOB", ""), os.environ["CI_COMMIT_SHA"]
    if job:
        path, origin = f"{project}/jobs/{int(job)}/artifacts/plan.json", f"job {job}"
    else:
        requests: list[Any] = json.loads(call(token, "GET", f"{project}/repository/commits/{commit}/merge_requests"))
        merged = [request["iid"] for request in requests if request["state"] == "merged"]
        if not merged:
            sys.exit("No merged merge request brought this commit, so nobody has reviewed a plan.")
        head = quote(f"refs/merge-requests/{merged[0]}/head", safe="")
        path, origin = f"{project}/jobs/artifacts/{head}/raw/plan.json?job=plan", f"merge request {merged[0]}"
    file.write_bytes(call(token, "GET", path))
    return f"plan of {origin} fetched"


if __name__ == "__main__":
    try:
        done = {"note": note, "fetch": fetch}[sys.argv[1]](Path(sys.argv[2]))
    except urllib.error.URLError as error:
        sys.exit(f"GitLab: {error}")
    sys.stdout.write(f"{done}\n")
