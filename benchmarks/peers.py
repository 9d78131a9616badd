"""What people would use instead: Terraform on the same resources, octoDNS on as many; left out where not there."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Job
from benchmarks.programs import PYTHON

_PROVIDER = 'provider["terraform.io/builtin/terraform"]'

Value = str | bool | list["Value"] | dict[str, "Value"]


def terraform_plan(folder: Path, resources: Sequence[Value]) -> Job | str:
    """Return ``terraform plan`` with nothing to do, of one literal ``terraform_data`` for each (its fastest form).

    The state is written as an apply leaves it, since an apply of ten thousand takes longer than all else here.
    """
    program = shutil.which("terraform")
    if program is None:
        return "there is no terraform on the PATH"
    folder.mkdir(parents=True, exist_ok=True)
    blocks = (
        f'resource "terraform_data" "r{number}" {{\n  input = {_literal(value)}\n}}\n'
        for number, value in enumerate(resources)
    )
    (folder / "main.tf").write_text("".join(blocks))
    state = {
        "version": 4,
        "terraform_version": "1.0.0",
        "serial": 1,
        "lineage": "f478fc5a-2812-6a89-eb5a-da27bade86c6",
        "outputs": {},
        "resources": [_resource(number, value) for number, value in enumerate(resources)],
        "check_results": None,
    }
    (folder / "terraform.tfstate").write_text(json.dumps(state))
    if subprocess.run([program, "init", "-no-color"], cwd=folder, capture_output=True, check=False).returncode:
        return "terraform init failed"
    command = [program, "plan", "-no-color", "-input=false", "-detailed-exitcode"]
    return Job("terraform plan, nothing to do", command, folder, {"CHECKPOINT_DISABLE": "1"})


def terraform_apply(folder: Path, resources: Sequence[Value]) -> Job | str:
    """Return ``terraform apply`` of a new ``terraform_data`` for each."""
    ready = terraform_plan(folder, resources)
    if isinstance(ready, str):
        return ready

    def forget() -> None:
        for path in folder.glob("terraform.tfstate*"):
            path.unlink()

    command = [ready.command[0], "apply", "-no-color", "-input=false", "-auto-approve"]
    return Job("terraform apply, all new", command, folder, ready.environment, forget)


def _literal(value: Value) -> str:
    """Return a value as Terraform's language writes it, which is JSON with a sign before what it would interpolate."""
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")


def _resource(number: int, value: Value) -> dict[str, object]:
    typed = {"value": value, "type": _type(value)}
    attributes = {
        "id": f"00000000-0000-0000-0000-{number:012}",
        "input": typed,
        "output": typed,
        "triggers_replace": None,
    }
    instance = {"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}
    return {
        "mode": "managed",
        "type": "terraform_data",
        "name": f"r{number}",
        "provider": _PROVIDER,
        "instances": [instance],
    }


def _type(value: Value) -> object:
    """Return the type of a literal, as Terraform's state says it."""
    if isinstance(value, dict):
        return ["object", {key: _type(item) for key, item in value.items()}]
    if isinstance(value, list):
        return ["tuple", [_type(item) for item in value]]
    return "bool" if isinstance(value, bool) else "string"


def octodns_plan(folder: Path, count: int) -> Job | str:
    """Return ``octodns-sync`` with nothing to do, from one YAML provider to another that has the same records.

    A record is as octoDNS's README writes one: a TTL and two addresses. That is still fewer values than the
    declaration has, of which every group names a hundred members.
    """
    if importlib.util.find_spec("octodns") is None:
        return "octodns is not installed"
    records = list(map(_record, range(count)))
    for name in ("config", "target"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "acme.io.yaml").write_text("---\n" + "".join(sorted(records)))
    providers = "\n".join(
        f"  {name}:\n    class: octodns.provider.yaml.YamlProvider\n    directory: ./{name}\n"
        "    default_ttl: 3600\n    enforce_order: false"
        for name in ("config", "target")
    )
    zones = "zones:\n  acme.io.:\n    sources: [config]\n    targets: [target]\n"
    (folder / "octodns.yaml").write_text(f"---\nproviders:\n{providers}\n{zones}")
    command = [PYTHON, "-c", "from octodns.cmds.sync import main; main()", "--config-file", "octodns.yaml", "--quiet"]
    return Job("octodns-sync, nothing to do", command, folder)


def _record(number: int) -> str:
    place = f"{number // 250 % 250}.{number % 250 + 1}"
    return f"r{number}:\n  ttl: 60\n  type: A\n  values:\n    - 10.0.{place}\n    - 10.1.{place}\n"
