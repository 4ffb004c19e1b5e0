"""Imports go one way, and one outside library has one place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "bmnb"
FILES = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if not {"files", "programs"} & set(path.parts) and path.name != "__main__.py"
)

# library -> where it may be imported
ONLY_IN = {
    "paramiko": "remote/",
    "urllib3": "remote/",
    "pandas": ("tables.py", "data/"),
    "papermill": ("headless.py", "engine.py"),
    "ipywidgets": "forms/",
    "click": ("cli.py", "options.py", "lab/cli.py", "fleet/cli.py"),
    "nbconvert": "report/render.py",
    "bleach": "report/clean.py",
    "distributed": "fleet/engine.py",
    "dask": "fleet/engine.py",
    "babel": ("language.py", "phrases.py", "report/wording.py"),
}

# what runs on the servers, by itself
ON_SERVERS = ("transfer/programs/", "transfer/asking/", "transfer/network/", "verification/mailboxes/")

# who -> what it may not import
NEVER = {
    "steps.py": "bmnb",
    "procedures/": (
        "bmnb.run",
        "bmnb.remote",
        "bmnb.perform",
        "bmnb.journal",
        "bmnb.lab",
        "subprocess",
        "socket",
    ),
    "bluemind/": ("bmnb.run", "bmnb.remote", "bmnb.procedures", "bmnb.transfer", "subprocess", "socket"),
    "transfer/programs/": "bmnb",
    "transfer/asking/": "bmnb",
    "transfer/network/": "bmnb",
    "verification/mailboxes/": "bmnb",
    "verification/": ("bmnb.run", "bmnb.remote", "bmnb.procedures", "bmnb.lab", "subprocess", "socket"),
    "transfer/": ("bmnb.run", "bmnb.remote", "bmnb.procedures", "subprocess", "socket"),
    "remote/": ("bmnb.run", "bmnb.perform", "bmnb.procedures", "bmnb.journal"),
    "run.py": ("bmnb.procedures", "bmnb.headless", "bmnb.lab"),
    "perform.py": ("bmnb.run", "bmnb.procedures", "bmnb.headless"),
    "observe.py": ("bmnb.run", "bmnb.perform", "bmnb.procedures", "bmnb.headless"),
    "": "bmnb.cli",
}


def statements(within: ast.AST) -> Iterator[ast.stmt]:
    """All of them, without the expressions, of which there are many more."""
    for part in ("body", "handlers", "orelse", "finalbody", "cases"):
        for one in getattr(within, part, ()):
            yield one
            yield from statements(one)


def imports(path: Path) -> set[str]:
    found = set()
    for node in statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    return found


# Parsed when the tests are collected: Python before 3.11.8 may fail to parse beside threads that do so, too (gh-106905).
IMPORTS = {path: imports(path) for path in FILES}


def of(name: str, modules: str | tuple[str, ...]) -> bool:
    wanted = (modules,) if isinstance(modules, str) else modules
    return any(name == module or name.startswith(f"{module}.") for module in wanted)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path):
    place = str(path.relative_to(PACKAGE))
    found = IMPORTS[path]
    for who, what in NEVER.items():
        if place.startswith(who) and not (
            place.startswith(ON_SERVERS) and who in ("transfer/", "verification/")
        ):
            assert not [name for name in found if of(name, what)], f"{place} may not import {what}"
    for library, where in ONLY_IN.items():
        if not place.startswith(where):
            assert not [name for name in found if of(name, library)], f"{library} belongs in {where}"
