"""How many streams run side by side."""

import threading
import time

import pytest

from bmnb.transfer.programs import streams
from bmnb.transfer.programs.streams import Number, side_by_side


@pytest.mark.parametrize(
    ("rates", "numbers"),
    [
        ([100, 190, 270, 280], [3, 4, 5, 4]),
        ([100, 100], [3, 2]),
        ([100, 50], [3, 2]),
        ([100, 200, 300, 400, 500, 600, 700], [3, 4, 5, 6, 7, 8, 8]),
    ],
    ids=["the fifth brings little", "nothing is gained", "it is slower", "up to the bound"],
)
def test_one_more_is_tried_until_it_brings_no_more(rates: list[int], numbers: list[int]):
    number, seen = Number(2, 8), []
    for rate in rates:
        assert not number.found
        number.measured(rate)
        seen.append(number.now)
    assert seen == numbers
    assert number.found


def test_where_the_bound_is_reached_nothing_is_tried():
    assert Number(4, 2).now == 2
    assert Number(4, 2).found


class Work:
    """Tasks that take their time; each brings one byte every 10 ms."""

    def __init__(self) -> None:
        self.lock, self.now, self.most, self.come, self.done = threading.Lock(), 0, 0, 0, []

    def __call__(self, task: int) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        for _ in range(20):
            time.sleep(0.01)
            with self.lock:
                self.come += 1
        with self.lock:
            self.now -= 1
            self.done.append(task)


def test_all_tasks_are_done_more_of_them_at_a_time_while_that_brings_more(monkeypatch):
    monkeypatch.setattr(streams, "SECONDS", 0.2)
    work = Work()
    side_by_side(work, range(30), Number(1, 4), lambda: work.come)
    assert sorted(work.done) == list(range(30))
    assert 1 < work.most <= 4


def test_what_a_task_raises_is_raised():
    def fail(task: int) -> None:
        raise SystemExit(task)

    with pytest.raises(SystemExit):
        side_by_side(fail, [7], Number(1, 2), lambda: 0)
