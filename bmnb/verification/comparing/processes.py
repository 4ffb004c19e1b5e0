"""Work spread over all processors."""

import multiprocessing
import threading
from typing import Any, Callable, Iterable, Iterator

WAITING = 64  # tasks that wait: what keeps memory flat
CHUNK = 4


def spread(work: Callable[[Any], Any], tasks: Iterable[Any], *begin: Any) -> Iterator[Any]:
    """Do the work in order, a few tasks ahead. Each process may begin with a function and its arguments."""
    places = threading.Semaphore(WAITING)

    def waiting() -> Iterator[Any]:
        for task in tasks:
            places.acquire()
            yield task

    begins = {"initializer": begin[0], "initargs": begin[1:]} if begin else {}
    with multiprocessing.Pool(**begins) as pool:
        for done in pool.imap(work, waiting(), CHUNK):
            places.release()
            yield done
