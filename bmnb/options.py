"""Options that several groups of commands have, and how a command tells what it does."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from bmnb.language import LANGUAGES
from bmnb.plain import say
from bmnb.preferences import preferences


def usual(name: str) -> Callable[[], str]:
    """The value of an option that is not given: the person's own, or ours."""
    return lambda: str(preferences().get(name, {"runs": "runs", "language": "en"}[name]))


def folder(text: str) -> Path:
    """A folder's path; a shell leaves `~` as it is in what a configuration or a variable has."""
    return Path(text).expanduser()


def tell_of(as_json: bool) -> Callable[[str], None]:
    """How a command tells what it does: where a program reads the result, beside that."""
    return functools.partial(say, err=as_json)


def become(words: Sequence[str]) -> None:
    """Be another program from here on, which goes on with the log that was asked for by name."""
    log = click.get_current_context().find_root().obj
    if log:
        log.hand_over()
    os.execvp(words[0], list(words))  # noqa: S606


runs_option = click.option(
    "--runs", type=folder, default=usual("runs"), help="folder of the runs  [default: runs]"
)
lang_option = click.option(
    "--lang", type=click.Choice(LANGUAGES), default=usual("language"), help="language  [default: en]"
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="one JSON object; what is told on the way goes to standard error"
)
