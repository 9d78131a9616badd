"""A drift report for Prometheus: the text format that the node exporter's textfile collector reads."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.drift.report import AttentionKind, DriftClass
from reconciler.model.resources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from reconciler.drift.report import Drift


def render_metrics(drift: Drift, finished: datetime, seconds: float) -> str:
    """Return the metrics of a check that came to its end; every series is always there, so that a zero can be seen."""
    return "".join(f"{line}\n" for line in _lines(drift, finished, seconds))


def _lines(drift: Drift, finished: datetime, seconds: float) -> Iterator[str]:
    drifted = Counter((finding.kind, finding.drift) for finding in drift.findings)
    yield from _head("reconciler_drift", "Resources that are not as declared, by kind and by which side moved.")
    for kind in Kind:
        for drift_class in DriftClass:
            labels = f'kind="{kind.value}",class="{drift_class.value}"'
            yield f"reconciler_drift{{{labels}}} {drifted[kind, drift_class]}"
    concerns = Counter(item.what for item in drift.attention)
    yield from _head("reconciler_attention", "What deserves attention but is not drift.")
    for what in AttentionKind:
        yield f'reconciler_attention{{what="{what.value}"}} {concerns[what]}'
    yield from _head("reconciler_credentials_due", "Credentials that the next apply replaces.")
    yield f"reconciler_credentials_due {len(drift.due)}"
    yield from _head("reconciler_last_success_timestamp_seconds", "When the workspace was last compared to its end.")
    yield f"reconciler_last_success_timestamp_seconds {finished.timestamp():.3f}"
    yield from _head("reconciler_duration_seconds", "How long that took.")
    yield f"reconciler_duration_seconds {seconds:.3f}"


def _head(name: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
