"""Plain values as a YAML document for programs, by the YAML library alone."""

from __future__ import annotations

import io

from ruamel.yaml import YAML


def dump(value: object) -> str:
    """Return a value as a YAML document in lines, keys in their order and no string folded."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    yaml.width = 4096
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()
