"""Texts for people that stand in the code, as its syntax tree has them."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "bmnb"
APART = {"lab", "programs", "files"}
"""What is no part of a run, or speaks on the servers."""

MESSAGES = ("Verdict", "Stopped", "ActionFailed", "ConnectionFailed", "InputError", "BmnbError")


def modules() -> Iterator[ast.AST]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if not APART & set(path.relative_to(PACKAGE).parts):
            yield from ast.walk(ast.parse(path.read_text()))


def messages() -> Iterator[str]:
    """Each line of what verdicts and errors say, with `{}` for what varies."""
    for node in modules():
        if isinstance(node, ast.Call) and called(node) in MESSAGES:
            for argument in node.args:
                for text in texts(argument):
                    yield from text.splitlines()


def cells() -> Iterator[str]:
    """Each name of a column, and each text that stands in a cell, of what makes rows of tables."""
    for node in modules():
        if isinstance(node, ast.FunctionDef) and node.returns and "Row" in ast.unparse(node.returns):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Dict):
                    for part in [*inner.keys, *inner.values]:
                        yield from texts(part) if part else ()


def called(node: ast.Call) -> str:
    return str(getattr(node.func, "id", getattr(node.func, "attr", "")))


def texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(one.value if isinstance(one, ast.Constant) else "{}" for one in node.values)
    elif isinstance(node, ast.IfExp):
        yield from [*texts(node.body), *texts(node.orelse)]
    elif isinstance(node, ast.BoolOp):
        yield from (text for one in node.values for text in texts(one))
    elif isinstance(node, ast.BinOp):
        yield from [*texts(node.left), *texts(node.right)]
