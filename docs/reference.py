"""The pages of the reference, as they stand in the code: parameters, commands, exit statuses, events, steps."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from bmnb import diagnostics, errors, events, preferences, procedures
from bmnb.ledger import ENDS
from bmnb.plan import rows
from bmnb.settings import defaults, ordered
from bmnb.steps import Procedure

COMMANDS = """# Commands

`-v`, `-vv` and `--log-file` may stand before a command's name as well.

```{click} bmnb.cli:main
:prog: bmnb
:nested: full
```

```{click} bmnb.lab.cli:lab
:prog: bmnb lab
:nested: full
```

```{click} bmnb.fleet.cli:fleet
:prog: bmnb fleet
:nested: full
```
"""
PACKAGE = Path(events.__file__).parent


def pages() -> dict[str, str]:
    """Each page's name with its Markdown."""
    return {
        "commands": COMMANDS,
        "exit-statuses": "".join(exit_statuses()),
        "events": "".join(journal_events()),
        "configuration": "".join(configuration()),
        **{f"parameters-{one.name}": "".join(parameters(one)) for one in procedures.ALL},
        **{f"steps-{one.name}": "".join(steps(one)) for one in procedures.ALL},
    }


def parameters(procedure: Procedure) -> Iterator[str]:
    yield f"# Parameters of *{procedure.title}*\n\nThey stand in the client file, or are filled in by the form.\n\n"
    usual = defaults(procedure.settings)
    yield from table(
        ("parameter", "meaning", "default", "one of"),
        (
            (
                f"`{one.name}`",
                one.metadata["help"],
                f"`{usual[one.name]!r}`",
                ", ".join(f"`{value}`" for value in (one.metadata["choices"] or {}).values()),
            )
            for one in ordered(procedure.settings)
        ),
    )


def steps(procedure: Procedure) -> Iterator[str]:
    yield f"# Steps of *{procedure.title}*\n\n`bmnb plan {procedure.name}` shows the commands.\n\n"
    found = list(rows(procedure, procedure.settings()))
    for phase in procedure.phases:
        yield f"## {phase.title}\n\n"
        yield "Users are cut off.\n\n" if phase.downtime else ""
        yield f"The way back: {phase.back}. Its price: {phase.price}.\n\n"
        of_phase = [row for row in found if row["phase"] == phase.title]
        yield from table(
            ("step", "what", "kind"), ((row["step"], str(row["what"]), row["kind"]) for row in of_phase)
        )


def exit_statuses() -> Iterator[str]:
    yield "# Exit statuses\n\n"
    kinds = [errors.BmnbError, *below(errors.BmnbError)]
    yield from table(
        ("exit status", "error", "meaning"),
        [("0", "", "All is done.")]
        + [(str(one.exit_code), f"`{one.__name__}`", (one.__doc__ or "").splitlines()[0]) for one in kinds],
    )


def journal_events() -> Iterator[str]:
    yield "# Events of the journal\n\n`journal.jsonl` has a JSON object a line. Each line has these facts:\n\n"
    yield from table(("fact", "meaning"), ((f"`{name}`", text) for name, text in events.ALWAYS.items()))
    yield "Those of an event come beside them; not every line of an event has all of its facts.\n\n"
    known = facts()
    yield from table(
        ("event", "meaning", "facts"),
        (
            (f"`{name}`", text, ", ".join(f"`{fact}`" for fact in known[name]))
            for name, text in events.EVENTS.items()
        ),
    )


def facts() -> dict[str, list[str]]:
    """Each event that is written somewhere in the package, with its facts."""
    found = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            for event in written(node):
                found[event] += [one.arg for one in node.keywords if one.arg and one.arg not in found[event]]
                found[event] += [one for one in unpacked(node) if one not in found[event]]
    return found


def written(node: ast.AST) -> list[str]:
    """The events that a call writes into a journal."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=value, attr="write" | "end"), args=[ast.Constant(value=str(one))]
        ):
            return [one] if "journal" in ast.unparse(value).lower() or node.func.attr == "end" else []
        case (
            ast.Call(func=ast.Attribute(attr="write"), args=[ast.Attribute(attr="status")])
            | ast.Call(
                func=ast.Attribute(attr="_end")  # the same, with facts that are passed on
            )
        ):
            return list(ENDS)
    return []


def unpacked(call: ast.Call) -> Iterator[str]:
    """The keys of mappings that are given with `**`, where they stand in the call."""
    for keyword in call.keywords:
        if keyword.arg is None:
            for node in ast.walk(keyword.value):
                if isinstance(node, ast.Dict):
                    yield from (key.value for key in node.keys if isinstance(key, ast.Constant))


def configuration() -> Iterator[str]:
    yield "# A person's configuration\n\n"
    yield "`~/.config/bmnb/config.yaml`, or `bmnb/config.yaml` in `$XDG_CONFIG_HOME`, is a YAML mapping. "
    yield "A variable goes before it; a client file and an option go before both.\n\n"
    named = {one.name: one.metadata["help"] for kind in procedures.ALL for one in ordered(kind.settings)}
    yield from table(
        ("in the file", "variable", "meaning"),
        ((f"`{key}`", f"`{variable}`", named[key]) for key, variable in preferences.VARIABLES.items()),
    )
    yield "By variables alone:\n\n"
    yield from table(
        ("variable", "meaning"),
        (
            (
                f"`{diagnostics.VARIABLE}`",
                "file of the log, as `--log-file` names it; kernels of notebooks write it, too",
            ),
            (
                "`BMNB_LAB_HOME`",
                "place of the lab, its images included; `/var/lib/bmnb-lab` where it is not set",
            ),
        ),
    )


def below(kind: type[errors.BmnbError]) -> Iterator[type[errors.BmnbError]]:
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


def table(columns, lines) -> Iterator[str]:
    """A table of Markdown, a blank line behind it."""
    yield f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}\n"
    for line in lines:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in line)} |\n"
    yield "\n"
