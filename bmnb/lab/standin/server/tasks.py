"""Tasks of the core: they live in its memory, so a restart forgets them."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any, Callable

from .here import Fault

Say = Callable[[str], None]

_tasks: dict[str, Task] = {}


class Task:
    """Work in the background: its status and the lines it has said."""

    def __init__(self, work: Callable[[Say], None]) -> None:
        self.uid = str(uuid.uuid4())
        self.lines: list[str] = []
        self.state = "NotStarted"
        self._work = work

    def run(self) -> None:
        self.state = "InProgress"
        try:
            self._work(self.lines.append)
        except Exception as error:  # noqa: BLE001  whatever the work raises is how the task ends
            self.lines.append(str(error))
            self.state = "InError"
        else:
            self.state = "Success"

    @property
    def ended(self) -> bool:
        return self.state in ("Success", "InError")

    def status(self) -> dict[str, Any]:
        return {
            "steps": 1.0 if self.lines else 0.0,
            "progress": 1.0 if self.ended else 0.0,
            "lastLogEntry": self.lines[-1] if self.lines else None,
            "state": self.state,
            "result": None,
        }


def start(work: Callable[[Say], None]) -> dict[str, str]:
    """Begin, and answer with a reference."""
    task = Task(work)
    _tasks[task.uid] = task
    threading.Thread(target=task.run, name=f"task-{task.uid[:8]}", daemon=True).start()
    return {"id": task.uid}


def find(uid: str) -> Task:
    if uid not in _tasks:
        raise Fault("NOT_FOUND", f"Task {uid} not found")
    return _tasks[uid]


def follow(task: Task) -> Iterator[dict[str, Any]]:
    """Each line as it comes, until the task has ended."""
    told = 0
    while True:
        ended = task.ended
        for message in task.lines[told:]:
            told += 1
            yield {"done": float(told), "total": float(told), "message": message, "end": False}
        if ended:
            yield {
                "done": float(told),
                "total": float(told),
                "message": "",
                "end": True,
                "status": task.state,
            }
            return
        time.sleep(0.1)
