"""Our engine for papermill: `papermill --engine bmnb`.

papermill's own marks every cell completed when the kernel dies, at a timeout and at a signal, and leaves
half a notebook where it is killed while saving. Here a cell is completed when it has ended well; failed,
with one plain message, when it has not; running where nobody was left to say; pending where it was never begun.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine as PapermillEngine
from papermill.engines import NotebookExecutionManager

from bmnb import kernel, redact
from bmnb.errors import BmnbError, Interrupted, KernelDied, TimedOut
from bmnb.files import replace_text

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 60.0
"""How long a cell may take to stop what it runs on the servers, after Ctrl-C."""
GOES_ON = "what runs on the servers, if anything, goes on there, and the same command takes it up again"


class Engine(PapermillEngine):  # type: ignore[misc]
    """Execute a notebook so that what it says of its cells is true whatever ends it."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: bool = True,
        log_output: bool = False,
        autosave_cell_every: int = 30,
        save_as: str | None = None,
        **options: Any,
    ) -> Any:
        """The executed notebook; `save_as` is where it is kept when papermill itself shall not write it."""
        book = Book(nb, save_as or output_path, log_output, progress_bar, autosave_cell_every)
        nb.metadata.papermill["engine"] = "bmnb"
        book.notebook_start()
        try:
            Client(
                book,
                kernel_name=kernel_name,
                timeout=options.get("execution_timeout"),
                startup_timeout=options.get("start_timeout", 60),
                log_output=log_output,
            ).execute()
        finally:
            book.notebook_complete()
        return book.nb


class Book(NotebookExecutionManager):  # type: ignore[misc]
    """The notebook while it is executed: what is known of its cells, and its file, always whole."""

    @cached_property
    def _mask(self) -> Callable[[str], str]:
        """Each text is masked once, though the whole notebook is written again with each cell."""
        return lru_cache(maxsize=None)(redact.text)

    def save(self, **kwargs: Any) -> None:
        """Write the notebook. Where the disk is full the cells go on: the journal decides whether the run does."""
        with suppress(BmnbError):
            self._write()
        self.last_save_time = self.now()

    def _write(self) -> None:
        if self.output_path:
            replace_text(Path(self.output_path), self._text() + "\n")

    @cached_property
    def _written(self) -> dict[tuple[int, str], str]:
        """The text of each cell in each state in which nothing is done with it."""
        return {}

    def _text(self) -> str:
        """The notebook as nbformat writes it; a cell that has ended, or was not begun, is not written anew."""
        cells = [self._of_cell(place, cell) for place, cell in enumerate(self.nb.cells)]
        rest = self._json({**self.nb, "cells": []})
        return rest.replace("[]", "[\n" + ",\n".join(cells) + "\n ]", 1) if cells else rest

    def _of_cell(self, place: int, cell: Any) -> str:
        state = cell.metadata.get("papermill", {}).get("status", self.RUNNING)
        text = self._written.get((place, state))
        if text is None:
            whole = self._json({**self.nb, "cells": [cell], "metadata": {}})
            text = whole.partition("[\n")[2].rpartition('\n ],\n "metadata"')[0]
            if state != self.RUNNING:
                self._written[place, state] = text
        return text

    def _json(self, book: dict[str, Any]) -> str:
        written: str = nbformat.writes(nbformat.from_dict(redact.facts(book, self._mask)))
        return written

    def cell_ended(self, cell: Any, status: str) -> None:
        """Set how a cell ended, and when. The file is written where it failed, else as the next one starts."""
        known, now = cell.metadata.papermill, self.now()
        known["status"], known["end_time"] = status, now.isoformat()
        known["exception"] = status == self.FAILED
        known["duration"] = (now - datetime.fromisoformat(known["start_time"])).total_seconds()
        if status == self.FAILED:
            self.nb.metadata.papermill["exception"] = True
            self.save()
        if self.pbar:
            self.pbar.update(1)

    def cell_passed(self, cell: Any) -> None:
        """Pass by a cell that has nothing to execute."""
        cell.metadata.papermill["status"] = self.COMPLETED
        if self.pbar:
            self.pbar.update(1)

    def notebook_complete(self, **kwargs: Any) -> None:
        """Set when the execution ended; what was not begun stays pending. Raise BmnbError where that cannot be kept."""
        self.end_time = self.now()
        self.nb.metadata.papermill["end_time"] = self.end_time.isoformat()
        self.nb.metadata.papermill["duration"] = (self.end_time - self.start_time).total_seconds()
        self.cleanup_pbar()
        self._written.clear()
        self._write()


class Client(PapermillNotebookClient):  # type: ignore[misc]
    """Executes the cells in a kernel of their own, up to the first that does not end well."""

    def execute(self, **kwargs: Any) -> Any:
        asyncio.run(self._execute())
        return self.nb

    async def _execute(self) -> None:
        self.reset_execution_trackers()
        self._signals: list[signal.Signals] = []
        self._woken = asyncio.Event()
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._signalled, number)
        # over TCP anyone on this machine could read what passes between the kernel and us
        self.create_kernel_manager().transport = "ipc"
        try:
            await self.async_start_new_kernel(env={**os.environ, kernel.ENGINE: "bmnb"})
            await self.async_start_new_kernel_client()
            told = await self.async_wait_for_reply(self.kc.kernel_info())
            self.nb.metadata["language_info"] = told["content"]["language_info"]
            for index, cell in enumerate(self.nb.cells):
                if not await self._ends_well(cell, index):
                    break
            self.set_widgets_metadata()
        finally:
            await self._async_cleanup_kernel()

    def _signalled(self, number: signal.Signals) -> None:
        self._signals.append(number)
        self._woken.set()

    async def _ends_well(self, cell: Any, index: int) -> bool:
        """Execute a cell; where it does not end well, leave one plain message in its outputs."""
        if cell.cell_type != "code":
            self.nb_man.cell_passed(cell)
            return True
        self.nb_man.cell_start(cell, index)
        try:
            await self._run(cell, index)
        except CellExecutionError:
            # the cell carries its own message, but for Ctrl-C outside of our code
            if self._signals and cell.outputs[-1].ename == "KeyboardInterrupt":
                cell.outputs[-1] = message(self._interrupted())
        except DeadKernelError:
            cell.outputs.append(message(KernelDied(f"the kernel died in this cell; {GOES_ON}")))
        except CellTimeoutError:
            await self._kill()
            text = f"this cell took more than {self.timeout} s and was ended; {GOES_ON}"
            cell.outputs.append(message(TimedOut(text)))
        except Interrupted as error:
            await self._kill()
            cell.outputs.append(message(error))
        else:
            self.nb_man.cell_ended(cell, self.nb_man.COMPLETED)
            return True
        self.nb_man.cell_ended(cell, self.nb_man.FAILED)
        return False

    async def _run(self, cell: Any, index: int) -> None:
        """Wait for the cell's end, or for a signal. Ctrl-C interrupts the cell, which stops what it runs."""
        if self._signals:
            raise self._interrupted()
        work = asyncio.ensure_future(self.async_execute_cell(cell, index))
        if await self._signal_before(work, None) and self._signals[-1] is signal.SIGINT:
            self._woken.clear()
            await self.km.interrupt_kernel()
            await self._signal_before(work, GRACE_SECONDS)
        if not work.done():
            work.cancel()
            raise self._interrupted()
        await work

    async def _signal_before(self, work: asyncio.Future[Any], seconds: float | None) -> bool:
        """Wait for work, so many seconds at the most; tell whether a signal, or the time, came first."""
        woken = asyncio.ensure_future(self._woken.wait())
        await asyncio.wait({work, woken}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        woken.cancel()
        return not work.done()

    async def _kill(self) -> None:
        # jupyter_client interrupts a kernel before it ends it, which would stop what runs on the servers
        await self.km.signal_kernel(signal.SIGKILL)

    def _interrupted(self) -> Interrupted:
        return Interrupted(f"ended by {self._signals[-1].name}; {GOES_ON}")


def message(error: BmnbError) -> Any:
    """An error as the output of a cell, without a stack."""
    name, text = type(error).__name__, str(error)
    return nbformat.v4.new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])
