"""Work spread over all processors."""

import threading
from contextlib import closing
from multiprocessing import Pool, cpu_count
from typing import Any, Callable, Generator, Iterable, Iterator

WAITING = 64  # tasks that wait, unless that were too few for all processors: what keeps memory flat
FEW, MANY = 16, 64
"""At most so many tasks go to a process at once: each time costs as much as ten small folders."""


def spread(work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
    """Do the work in order, a few tasks ahead."""
    with Pool() as pool, closing(some_ahead(pool, work, tasks, FEW)) as results:
        yield from results


def descend(work: Callable[[Any], Any], tasks: Iterable[Any], most: int, *begin: Any) -> Iterator[Any]:
    """Do the work, which tells its result and further tasks, level by level, at most so many tasks at once.

    Each process begins with a function and its arguments.
    """
    level = list(tasks)
    with Pool(None, begin[0], begin[1:]) as pool:
        while level:
            below = []
            fair = len(level) // (4 * cpu_count())
            with closing(some_ahead(pool, work, level, max(1, min(fair, most)))) as results:
                for done, more in results:
                    below += more
                    yield done
            level = below


def some_ahead(
    pool: Any, work: Callable[[Any], Any], tasks: Iterable[Any], chunk: int
) -> Generator[Any, None, None]:
    most = max(WAITING, 2 * cpu_count() * chunk)
    places, over = threading.Semaphore(most), threading.Event()

    def waiting() -> Iterator[Any]:
        for task in tasks:
            places.acquire()
            if over.is_set():
                return
            yield task

    try:
        for done in pool.imap(work, waiting(), chunk):
            places.release()
            yield done
    finally:  # the pool ends only when its thread that takes tasks does
        over.set()
        places.release()
