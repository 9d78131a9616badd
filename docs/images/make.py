"""Takes the picture of a review in the README: ``python docs/images/make.py``. Needs Chromium.

It applies the small example to a sandbox, changes the declaration, and photographs what ``plan --format html`` writes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from reconciler.sandbox.store import Store

ROOT = Path(__file__).resolve().parents[2]
PICTURE = Path(__file__).with_name("review.png")
SIZE = (1180, 900)
"""Width and height of the picture in CSS pixels; it has twice as many for dense screens."""

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=2",
)

RULE = """
access_rules:
  - {name: vision-write, resource: {project: Vision}, permission: read_write, groups: [researchers]}

vaults:
"""
CHANGES = {
    "  - {email: tom@acme.io}\n": "  - {email: tom@acme.io, role: admin}\n  - {email: mia@acme.io, name: Mia}\n",
    "members: [root@acme.io, ada@acme.io, lena@acme.io]": "members: [root@acme.io, ada@acme.io, mia@acme.io]",
    "\nvaults:\n": RULE,
}
"""What the pull request changes in the example."""


def main() -> None:
    """Make the picture anew."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("no Chromium found: install it, for example with apt-get install chromium")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "team"
        page = Path(scratch) / "review.html"
        page.write_text(review(folder, Path(scratch) / "acme-ml.db"), encoding="utf-8")
        size = f"--window-size={SIZE[0]},{SIZE[1]}"
        profile = f"--user-data-dir={scratch}/profile"
        command = [browser, *FLAGS, size, profile, f"--screenshot={PICTURE}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size // 1000} kB\n")


def review(folder: Path, database: Path) -> str:
    """Return the page of a plan that changes the small example, applied to a new sandbox."""
    shutil.copytree(ROOT / "examples" / "small-team", folder)
    declaration = folder / "workspace.yaml"
    with Store.open(database) as store:
        store.add_entity("project", "Vision")
    server = ("--server", f"sandbox:../{database.name}")
    run(folder, "apply", "--yes", "--allow", "new-admin", "--allow", "impersonation", *server)
    for name in ("ada", "lena", "tom"):
        run(folder, "sandbox", "accept", "--db", str(database), f"{name}@acme.io")
    run(folder, "apply", "--yes", *server)
    text = declaration.read_text(encoding="utf-8")
    for before, after in CHANGES.items():
        if text.count(before) != 1:
            sys.exit(f"the example has changed, and holds this {text.count(before)} times: {before}")
        text = text.replace(before, after)
    declaration.write_text(text, encoding="utf-8")
    return run(folder, "plan", "--format", "html", *server)


def run(folder: Path, *arguments: str) -> str:
    """Run the command in a folder and return its result; a plan may be refused by a guard."""
    environment = os.environ | {"S3_KEY": "example-key", "S3_SECRET": "example-secret"}
    command = [sys.executable, "-m", "reconciler", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode not in (0, 4):
        sys.exit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
