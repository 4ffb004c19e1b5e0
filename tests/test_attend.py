"""Jobs side by side: their order, their errors, and an interrupt that reaches them."""

import threading
import time
from collections.abc import Callable

import pytest

from bmnb.attend import attend


def nothing() -> None:
    pass


def test_results_come_in_the_order_of_the_jobs():
    second = threading.Event()

    def first() -> int:
        second.wait(10)
        return 1

    def last() -> int:
        second.set()
        return 2

    assert attend([first, last], 2, nothing, nothing, 0.01) == [1, 2]


def test_an_error_of_a_job_is_raised_when_all_have_ended():
    ended = []

    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        attend([fails, lambda: ended.append(1)], 2, nothing, nothing, 0.01)
    assert ended == [1]


def test_an_interrupt_ends_what_runs_and_begins_nothing_more():
    stop, begun = threading.Event(), []

    def job(number: int) -> Callable[[], bool]:
        def wait() -> bool:
            begun.append(number)
            return stop.wait(10)

        return wait

    def watch() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attend([job(1), job(2)], 1, watch, stop.set, 0.01)
    assert begun == [1]


def test_after_an_error_no_further_job_begins():
    begun = []

    def fails() -> None:
        raise ValueError("no")

    def waits() -> None:
        time.sleep(0.2)

    with pytest.raises(ValueError, match="no"):
        attend([fails, waits, lambda: begun.append(1)], 1, nothing, nothing, 0.01)
    assert begun == []
