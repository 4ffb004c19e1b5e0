"""Work spread over all processors."""

import threading
from multiprocessing import Pool, cpu_count
from typing import Any, Callable, Iterable, Iterator

WAITING = 64  # tasks that wait: what keeps memory flat
CHUNK = 8  # at most so many go to a process at once


def spread(work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
    """Do the work in order, a few tasks ahead."""
    with Pool() as pool:
        yield from some_ahead(pool, work, tasks, 4)


def descend(work: Callable[[Any], Any], tasks: Iterable[Any], *begin: Any) -> Iterator[Any]:
    """Do the work, which tells its result and further tasks, level by level.

    Each process begins with a function and its arguments.
    """
    level = list(tasks)
    with Pool(None, begin[0], begin[1:]) as pool:
        while level:
            below = []
            fair = len(level) // (4 * cpu_count())
            for done, more in some_ahead(pool, work, level, max(1, min(fair, CHUNK))):
                below += more
                yield done
            level = below


def some_ahead(pool: Any, work: Callable[[Any], Any], tasks: Iterable[Any], chunk: int) -> Iterator[Any]:
    places = threading.Semaphore(WAITING)

    def waiting() -> Iterator[Any]:
        for task in tasks:
            places.acquire()
            yield task

    for done in pool.imap(work, waiting(), chunk):
        places.release()
        yield done
