"""Streams side by side: as many as bring more together, which is found out while they run."""

import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any, Callable, Iterable, Optional

SECONDS = 5.0
"""So long the rate is measured with each number of streams."""

GAIN = 1.1
"""One more is worth while where the rate has grown by this."""


class Number:
    """How many streams at a time: one more after the other, up to the last that brought more, or to the bound."""

    def __init__(self, first: int, most: int) -> None:
        self.now, self.most = min(first, most), most
        self.rate: Optional[float] = None
        self.found = self.now == most

    def measured(self, rate: float) -> None:
        """Bytes a second with the present number."""
        if self.rate is not None and rate < self.rate * GAIN:
            self.now -= 1
            self.found = True
        elif self.now == self.most:
            self.found = True
        else:
            self.now += 1
        self.rate = rate


def side_by_side(
    work: Callable[[Any], None], tasks: Iterable[Any], number: Number, come: Callable[[], int]
) -> None:
    """Do all tasks; `come` tells how many bytes have come so far."""
    waiting = deque(tasks)
    running: Any = set()
    began, before = time.monotonic(), come()
    with ThreadPoolExecutor(number.most) as pool:
        while waiting or running:
            while waiting and len(running) < number.now:
                running.add(pool.submit(work, waiting.popleft()))
            done, running = wait(running, SECONDS / 10, FIRST_COMPLETED)
            for one in done:
                one.result()
            seconds = time.monotonic() - began
            if waiting and seconds >= SECONDS and not number.found:
                number.measured((come() - before) / seconds)
                began, before = time.monotonic(), come()
