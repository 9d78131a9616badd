"""The sandbox on a port, talked to with curl: nothing of ours and nothing of ClearML's on the client's side."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.support.sandboxes import ADMIN_KEY, ADMIN_SECRET, Sandbox

pytestmark = [
    pytest.mark.real_clients,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


def curl(url: str, *options: str) -> Any:
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "20", *options, url],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_curl_signs_in_and_reads_vaults(sandbox: Sandbox) -> None:
    sandbox.set_group("researchers", "root@acme.io")
    sandbox.set_vault("s3-defaults", "researchers", "sdk.aws.s3.region: eu-west-1")
    with sandbox.on_a_port() as url:
        token = curl(f"{url}/auth.login", "--user", f"{ADMIN_KEY}:{ADMIN_SECRET}", "--request", "POST")["data"]["token"]
        found = curl(
            f"{url}/users.get_vaults?enabled=true&types=config&types=config",
            "--header",
            f"Authorization: Bearer {token}",
        )
        assert [vault["data"] for vault in found["data"]["vaults"]] == ["sdk.aws.s3.region: eu-west-1"]
        refused = curl(f"{url}/users.get_vaults", "--user", f"{ADMIN_KEY}:wrong")
        assert refused["meta"]["result_code"] == 401
