"""Work spread over all processors."""

import threading
from multiprocessing import Pool
from typing import Any, Callable, Iterable, Iterator

WAITING = 64  # tasks that wait: what keeps memory flat
CHUNK = 4


def spread(work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
    """Do the work in order, a few tasks ahead."""
    with Pool() as pool:
        yield from ahead(pool, work, tasks)


def descend(work: Callable[[Any], Any], tasks: Iterable[Any], *begin: Any) -> Iterator[Any]:
    """Do the work, which tells its result and further tasks, level by level.

    Each process begins with a function and its arguments.
    """
    with Pool(None, begin[0], begin[1:]) as pool:
        while tasks:
            below = []
            for done, more in ahead(pool, work, tasks):
                below += more
                yield done
            tasks = below


def ahead(pool: Any, work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
    places = threading.Semaphore(WAITING)

    def waiting() -> Iterator[Any]:
        for task in tasks:
            places.acquire()
            yield task

    for done in pool.imap(work, waiting(), CHUNK):
        places.release()
        yield done
