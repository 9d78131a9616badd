"""Rules of the house that a reader relies on: how wide a function is, and who may touch the process."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import reconciler
import reconciler.commands
from reconciler.cli.main import COMMANDS

PACKAGE = Path(reconciler.__file__).parent
MOST_PARAMETERS = 8
MOST_CLI_LINES = 146  # For each command, on average: 1,900 of 13 commands.
MOST_MEANINGS = 2

EDGE = "process.py"
"""The only file below the command line that asks the system for time, chance, threads and programs."""

PROCESS = frozenset(
    {
        "asyncio.run",
        "asyncio.to_thread",
        "datetime.now",
        "datetime.utcnow",
        "os.environ",
        "os.getenv",
        "os.getpid",
        "os.urandom",
        "platform.node",
        "print",
        "random.random",
        "secrets.randbelow",
        "secrets.token_bytes",
        "secrets.token_hex",
        "secrets.token_urlsafe",
        "subprocess.Popen",
        "subprocess.run",
        "sys.exit",
        "time.monotonic",
        "time.perf_counter",
        "time.sleep",
        "time.time",
        "uuid.uuid4",
    }
)
EXCEPTIONS = {
    ("clearml/retrying.py", "time.monotonic"): "the defaults of a transport that nobody gives a clock",
    ("clearml/retrying.py", "time.time"): "the same",
    ("clearml/http.py", "os.environ"): "the variables that name certificates, as every TLS library reads them",
    ("vaults/hocon.py", "subprocess.Popen"): "the child that pyhocon is locked into; it reaches nothing",
    ("vaults/hocon.py", "time.monotonic"): "how long that child may take",
}
"""What touches the process all the same, and why."""


def files(*without: str) -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] not in without:
            yield path


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return sum(argument.arg not in ("self", "cls") for argument in named)


def test_no_function_has_more_parameters_than_a_reader_can_hold() -> None:
    wide = {
        f"{path.relative_to(PACKAGE)}: {node.name} has {parameters(node)}"
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and parameters(node) > MOST_PARAMETERS
    }
    assert wide == set()


def test_no_class_name_stands_for_three_things() -> None:
    names = Counter(
        node.name for path in files("sandbox") for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)
    )
    assert {name for name, count in names.items() if count > MOST_MEANINGS} == set()


def modules() -> dict[str, Path]:
    return {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in files()}


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Iterate over the modules of this house that a file imports, wherever in it and for whatever that is."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            whole = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from {name if name in known else node.module for name in whole} & known.keys()


def test_no_imports_run_in_circles() -> None:
    known = modules()
    graph = {name: set(imports(path, known)) for name, path in known.items()}
    TopologicalSorter(graph).prepare()


def test_only_the_edge_touches_the_process() -> None:
    found = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in files("cli", "sandbox", EDGE, "__main__.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute | ast.Name) and (name := ast.unparse(node)) in PROCESS
    }
    assert found - {("vaults/hocon_child.py", "sys.exit")} == set(EXCEPTIONS)


def test_the_command_line_stays_thin() -> None:
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (PACKAGE / "cli").glob("*.py"))
    assert lines <= MOST_CLI_LINES * len(COMMANDS)


def declared_exports() -> dict[str, str]:
    """Return what a type checker sees in the package of the commands: names, and the modules that they come from."""
    (block,) = (node for node in tree(PACKAGE / "commands/__init__.py").body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: f"{node.module}" for node in imports for alias in node.names}


@pytest.mark.parametrize("name", sorted(declared_exports()))
def test_the_python_api_is_what_its_types_say(name: str) -> None:
    assert getattr(reconciler.commands, name).__module__ == declared_exports()[name]


def test_the_python_api_says_all_that_there_is() -> None:
    assert set(reconciler.commands._HOME) == set(declared_exports())
