"""The project's tasks: ``nox -s lint types tests docs bench``. `.ci/run` is all of them but the last, as CI runs it."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "docs", "tests"]
nox.options.reuse_existing_virtualenvs = True


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and layers."""
    session.install("-e", ".[test]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """Check types."""
    session.install("-e", ".[test]")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; what follows ``--`` is for pytest."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into build/docs; warnings are errors."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "--fail-on-warning", "--keep-going", "docs", "build/docs")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure; what follows ``--`` is for the benchmarks (see benchmarks/README.md)."""
    session.install("-e", ".[benchmark]")
    session.run("python", "-m", "benchmarks", *session.posargs)
