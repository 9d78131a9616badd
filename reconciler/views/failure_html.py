"""Why there is no plan, as the page that a plan would have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.views.elements import Markup, element
from reconciler.views.failure import failure_findings
from reconciler.views.plan_html import page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.views.failure import Failure
    from reconciler.views.findings import Finding


def render_failure_html(failure: Failure) -> str:
    """Return the page."""
    return page(f"No plan for {failure.workspace or failure.declaration}", list(_body(failure)))


def _body(failure: Failure) -> Iterator[Markup]:
    reason = (
        f"There is no plan of {failure.declaration} (exit code {failure.exit_code.value}). Nothing has been changed."
    )
    title = element("h1", f"No plan for {failure.workspace or failure.declaration}")
    yield element("header", element("div", element("div", title, element("p", reason, class_="soft"), class_="titles")))
    found = [element("li", *_finding(finding)) for finding in failure_findings(failure)]
    heading = element("h2", f"Stopped: {failure.message}")
    yield element("main", element("section", heading, element("ul", *found), class_="refused"), id="plan")


def _finding(finding: Finding) -> Iterator[str]:
    if finding.place is not None:
        yield element("code", str(finding.place))
        yield " "
    yield f"{finding.level}: {finding.message}"
