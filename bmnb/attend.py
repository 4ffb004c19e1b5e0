"""Jobs side by side in threads, watched from the thread that a person can interrupt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

R = TypeVar("R")


def attend(
    jobs: Sequence[Callable[[], R]],
    workers: int,
    watch: Callable[[], None],
    interrupt: Callable[[], None],
    seconds: float,
) -> list[R]:
    """Run the jobs and return their results in order; `watch` is called every so many seconds meanwhile.

    Once one has raised an error, no further job begins, and the error is raised.

    On KeyboardInterrupt no further job begins, `interrupt` is called once, which may tell those under way
    to end, and they are awaited before it is raised.
    """
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(job) for job in jobs]
        try:
            while (state := wait(futures, seconds)).not_done:
                if any(not one.cancelled() and one.exception() for one in state.done):
                    for one in state.not_done:
                        one.cancel()
                watch()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            interrupt()
            raise
        return [future.result() for future in futures]
