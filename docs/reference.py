"""The pages of the reference, as they stand in the code: parameters, commands, exit statuses, steps and ways back."""

from collections.abc import Iterator

from bmnb import errors, procedures
from bmnb.plan import rows
from bmnb.settings import defaults, ordered
from bmnb.steps import Procedure

COMMANDS = """# Commands

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


def pages() -> dict[str, str]:
    """Each page's name with its Markdown."""
    return {
        "commands": COMMANDS,
        "exit-statuses": "".join(exit_statuses()),
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
