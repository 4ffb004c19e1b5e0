"""A step while it is under way: on the screen in a notebook, as plain lines beside the journal."""

from __future__ import annotations

import shlex
import time
from contextlib import suppress
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import HTML, display

from bmnb.files import append_text, private, private_folder
from bmnb.language import _
from bmnb.phrases import phrase
from bmnb.plain import plain
from bmnb.progress import Job, clock, share, words
from bmnb.steps import Single

SCREEN_SECONDS = 0.5
LINE_SECONDS = 15.0
SMALL = "color: var(--jp-ui-font-color2, #555); font-size: 85%"
GRID = "display: grid; align-items: center; grid-template-columns: max-content max-content auto; gap: 0 1em; margin: 0 0 1em 2em"
FILE = "progress.log"
"""Plain lines of what is under way, for who follows from outside."""
SCREEN = ".under-way.html"
"""The screen as it is now, in the run's folder while a step is under way, for who watches from elsewhere. No seal covers
names with a dot in front."""


class Live:
    """Shows the jobs of a step. `draw` is called often, from one thread."""

    def __init__(self, title: str, actions: dict[str, Single], logs: Path) -> None:
        self.title, self.jobs, self.logs = title, {key: Job(one) for key, one in actions.items()}, logs
        self._began = self._told = time.monotonic()
        self._screen: Any = None
        self._shell = get_ipython() is not None

    def draw(self) -> None:
        drawn = plain(screen(self.title, list(self.jobs.values()), time.monotonic() - self._began))
        self._show(f"{drawn}\n{as_of(datetime.now(UTC), self.logs.parent)}")
        self._keep(drawn)
        if time.monotonic() - self._told >= LINE_SECONDS:
            self._told = time.monotonic()
            self._tell()

    def close(self, ended: str) -> None:
        """Leave one line of what was on the screen."""
        counted = sum(job.over for job in self.jobs.values())
        text = _("{title}: {ended} after {time}, {done} of {all} actions").format(
            title=_(self.title),
            ended=_(ended),
            time=clock(time.monotonic() - self._began),
            done=counted,
            all=len(self.jobs),
        )
        self._show(f"<p>{escape(text)}</p>")
        (self.logs.parent / SCREEN).unlink(missing_ok=True)

    def _keep(self, drawn: str) -> None:
        new = self.logs.parent / f"{SCREEN}.new"
        with suppress(OSError):  # where the disk is full the journal's next line tells so
            private(new).write_text(drawn, encoding="utf-8")
            new.replace(self.logs.parent / SCREEN)

    def _show(self, html: str) -> None:
        if not self._shell:
            return
        if self._screen is None:
            self._screen = display(HTML(html), display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._screen.update(HTML(html))  # type: ignore[no-untyped-call]

    def _tell(self) -> None:
        now = f"{datetime.now(UTC):%H:%M:%S}"
        told = [f"{now}    {line(job)}\n" for job in self.jobs.values() if job.status == "started"]
        with suppress(OSError):
            append_text(private_folder(self.logs) / FILE, "".join(told))


def line(job: Job) -> str:
    """A job under way in one line."""
    parts = "; ".join(f"{part.name} {part.counted}" for part in job.parts.values())
    said = ", ".join(filter(None, [words(job), parts]))
    return f"{_('started'):8}{phrase(job.action.title)} ({host(job)}) {said}"


def host(job: Job) -> str:
    return job.action.host if isinstance(job.action.host, str) else ", ".join(job.action.host)


def screen(title: str, jobs: list[Job], seconds: float) -> str:
    """The step with a bar, and what is under way with its command line and last output."""
    done = sum(job.over for job in jobs)
    counted = _("{done} of {all} actions, {time}").format(done=done, all=len(jobs), time=clock(seconds))
    parts = [f"<p><b>{escape(_(title))}</b> {bar(share(jobs), _(title))} {escape(counted)}</p>"]
    parts += [_under_way(job) for job in jobs if job.status == "started"]
    return "\n".join(parts)


def as_of(now: datetime, run: Path) -> str:
    """When a screen was drawn: a notebook that is opened again shows the one that was saved, for ever."""
    text = _(
        "{time} UTC. Where this time stands still, the tab was closed while the cell ran, and the work goes on: "
        "“Under way” in 00-index.ipynb shows it, or {command}."
    )
    command = shlex.join(["bmnb", "status", str(run), "--watch"])
    said = text.format(time=f"{now:%H:%M:%S}", command=command)
    return f'<p style="{SMALL}">{escape(said)}</p>'


def _under_way(job: Job) -> str:
    name = f"{host(job)}: {phrase(job.action.title)}"
    command = job.action.line if isinstance(job.action.line, str) else job.action.line[0]
    lines = "\n".join([f"$ {command.splitlines()[0]}", *job.lines])
    parts = "".join(
        f"<span>{escape(part.name)}</span>{bar(part.share, part.name)}<span>{escape(part.counted)}</span>"
        for part in job.parts.values()
    )
    return (
        f"<p>{escape(name)} {bar(job.reading.share, name)} {escape(words(job))}</p>"
        f'<div style="{GRID}">{parts}</div>'
        f'<pre style="margin-left: 2em; max-height: 8em; overflow: auto">{escape(lines)}</pre>'
    )


def bar(part: float | None, name: str) -> str:
    """A bar that moves to and fro where nobody knows the whole."""
    value = "" if part is None else f' value="{part:.3f}"'
    return f'<progress max="1"{value} aria-label="{escape(name)}"></progress>'
