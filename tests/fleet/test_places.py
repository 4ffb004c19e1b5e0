"""Where the folder of the runs is not shared, a run stays with the machine that has its journal."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bmnb.fleet import conduct
from bmnb.fleet.conduct import Conductor, Wish
from bmnb.fleet.inventory import gather
from bmnb.fleet.store import Store
from bmnb.fleet.work import Job, Lost, Outcome
from bmnb.procedures.changing_distributions import PROCEDURE
from tests.fleet.conductor import entry, inventory


class Machines:
    """Machines that each have a folder of runs of their own; `fate` is how a client's run ends on one."""

    shared = False

    def __init__(self, *names: str, lost: str = "") -> None:
        self.names, self.lost = list(names), lost
        self.jobs: list[tuple[str, str]] = []
        self._ended: list[tuple[str, Outcome | Lost]] = []

    def machines(self) -> Mapping[str, int]:
        return dict.fromkeys(self.names, 1)

    def free(self) -> int:
        return len(self.names)

    def submit(self, job: Job, machine: str = "") -> None:
        self.jobs.append((job.name, machine))
        if machine == self.lost:
            self.names.remove(machine)
            self._ended.append((job.name, Lost("its worker is gone")))
        else:
            self._ended.append((job.name, Outcome(0, "", machine)))

    def ended(self) -> Iterator[tuple[str, Outcome | Lost]]:
        while self._ended:
            yield self._ended.pop()

    def stop(self, names: list[str]) -> None:
        pass

    def wait(self, seconds: float) -> None:
        pass


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conduct, "LOST_SECONDS", 0.0)


def run(folder: Path, places: Machines) -> tuple[int, Store]:
    members = gather(PROCEDURE, [str(inventory(folder, entry("a"), entry("b")))])
    store = Store(folder / "runs")
    store.make()
    made = Conductor(
        PROCEDURE,
        members,
        store,
        places,
        Wish(at_once=2),
        lambda line: None,
        lambda kind, name: None,
        threading.Event(),
    )
    return made.run(), store


def test_a_run_is_not_begun_anew_on_another_machine(tmp_path: Path):
    places = Machines("one", "two", lost="one")
    code, store = run(tmp_path, places)
    assert (code, places.jobs) == (1, [("a", "one"), ("b", "two")])
    assert [(one.name, one.state, one.machine) for one in store.clients()] == [
        ("a", "lost", "one"),
        ("b", "done", "two"),
    ]
    without = Machines("two")
    assert (run(tmp_path, without)[0], without.jobs) == (1, [])
    back = Machines("two", "one")
    assert (run(tmp_path, back)[0], back.jobs) == (0, [("a", "one")])
