"""Calls the API of a page's sandbox as somebody in the web page would: ``by_hand.py ENDPOINT FIELDS``.

``FIELDS`` is JSON in which ``@NAME`` is the id of the member, service account or group of that name.
"""

from __future__ import annotations

import json
import os
import sys

import httpx


def main() -> None:
    host = os.environ["CLEARML_API_HOST"]
    pair = (os.environ["CLEARML_API_ACCESS_KEY"], os.environ["CLEARML_API_SECRET_KEY"])
    with httpx.Client(base_url=host, auth=pair, trust_env=False) as http:

        def call(endpoint: str, **fields: object) -> dict[str, list[dict[str, str]]]:
            answer = http.post(f"/{endpoint}", json=fields).raise_for_status()
            data: dict[str, list[dict[str, str]]] = answer.json()["data"]
            return data

        named = call("users.get_all_ex", include_auth=True)["users"] + call("users.get_service_users")["users"]
        ids = {one.get("email") or one["name"]: one["id"] for one in named}
        ids |= {group["name"]: group["id"] for group in call("permissions.get_user_groups")["groups"]}

        def resolved(value: object) -> object:
            if isinstance(value, dict):
                return {name: resolved(inner) for name, inner in value.items()}
            if isinstance(value, list):
                return [resolved(inner) for inner in value]
            return ids[value[1:]] if isinstance(value, str) and value.startswith("@") else value

        call(sys.argv[1], **{name: resolved(value) for name, value in json.loads(sys.argv[2]).items()})


if __name__ == "__main__":
    main()
