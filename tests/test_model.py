"""The model of a run: killed, resumed, edited, copied, rolled back, in any order, nothing is done that must not be.

The procedure here has what the real one rests on: a copy that a verification proves, a look at that proof before
what cannot be taken back, a switch that is done once, and a way back. Its servers have a lock, a folder of one run,
the last line of the journal that has gone on, and a machine behind each name.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import seed
from hypothesis import settings as property_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bmnb import lock, rollback
from bmnb import run as interpreter
from bmnb.errors import BmnbError, ConnectionFailed
from bmnb.journal import Journal, Line, encoded
from bmnb.ledger import has_undone
from bmnb.remote import UnitState
from bmnb.remote.connection import Identity
from bmnb.remote.locks import NOT_OURS
from bmnb.run import Run
from bmnb.settings import setting
from bmnb.steps import Check, Command, Manual, Phase, Procedure, Result, Together, Verdict, step
from tests.fakes import FakeServers, FakeSettings, World

NAMES = ("origin", "target", "third")
FOLDER = "/var/lib/bmnb/fake"


# the procedure

LOOK, HOT, COLD, SWITCH = (
    Phase("Look", back="nothing", price="nothing"),
    Phase("Hot", back="the target starts", price="nothing"),
    Phase("Cold", back="the origin starts", price="nothing"),
    Phase("Switch", downtime=True, back="the origin is in its place", price="what the target accepted"),
)


@dataclass(frozen=True)
class ModelSettings(FakeSettings):
    origin: str = setting("origin", "origin", frozen=True)
    target: str = setting("target", "target", frozen=True)
    address: str = setting("127.0.0.1", "address", frozen=True)
    work: ClassVar[str] = FOLDER


def holds(result: Result) -> Verdict:
    return Verdict(result.ok, "seen")


def undo_stop_target(settings: ModelSettings) -> Iterator[Any]:
    yield Command(settings.target, "start target", "start target")


def undo_stop(settings: ModelSettings) -> Iterator[Any]:
    yield Command(settings.origin, "start origin", "start origin", ensure=True)


def undo_switch(settings: ModelSettings) -> Iterator[Any]:
    yield Manual(settings.target, rollback.CONFIRM, "the price", expect=settings.target)
    yield Command(settings.target, "leave the place", "leave the place")
    yield Command(settings.origin, "take the place back", "take the place back")


@step("Look", LOOK)
def look(settings: ModelSettings) -> Iterator[Any]:
    yield Check((settings.origin, settings.target), "is there", lambda *seen: Verdict(True, "seen"), "there")


@step("Stop target", HOT, undo=undo_stop_target)
def stop_target(settings: ModelSettings) -> Iterator[Any]:
    yield Command(settings.target, "stop target", "stop target")


@step("Hot", HOT, passes=lambda settings: settings.passes)
def hot(settings: ModelSettings) -> Iterator[Any]:
    yield Command(settings.target, "copy", "copy", again=(2,))


@step("Stop", COLD, undo=undo_stop)
def stop(settings: ModelSettings) -> Iterator[Any]:
    """Once the origin has given up its place there is only the way back, as where the real run's key is withdrawn."""
    yield Check(settings.origin, "is in its place", holds, "in its place", answers=(0, 1))
    yield Manual(settings.origin, "sure", "the stop", expect=settings.origin)
    yield Command(settings.origin, "stop origin", "stop origin", ensure=True)


@step("Carry", COLD)
def carry(settings: ModelSettings) -> Iterator[Any]:
    yield Check(settings.origin, "is stopped", holds, "stopped", reopens="stop", answers=(0, 1))
    yield Together((Command(settings.target, "copy", "copy"), Command(settings.origin, "note", "note")))


@step("Import", COLD, once=True)
def bring_in(settings: ModelSettings) -> Iterator[Any]:
    yield Command(settings.target, "import", "import")


@step("Verify", COLD)
def verify(settings: ModelSettings) -> Iterator[Any]:
    yield Check(settings.origin, "is stopped", holds, "stopped", reopens="stop", answers=(0, 1))
    yield Command(settings.target, "verify", "verify")


@step("Switch", SWITCH, once=True, undo=undo_switch)
def switch(settings: ModelSettings) -> Iterator[Any]:
    yield Check(settings.origin, "is as verified", holds, "as verified", reopens="stop", answers=(0, 1))
    yield Command(settings.origin, "give up the place", "give up the place")
    yield Command(settings.target, "take the place", "take the place")


@step("Finish", SWITCH)
def finish(settings: ModelSettings) -> Iterator[Any]:
    yield Command(settings.target, "serve", "serve")


PROCEDURE = Procedure(
    "Model",
    ModelSettings,
    (look, stop_target, hot, stop, carry, bring_in, verify, switch, finish),
)
ONCE = ("give up the place", "take the place", "leave the place", "take the place back")


# its servers


@dataclass
class Machine:
    """A server behind a name: whose lock and folder are on it, and what was started there last."""

    id: str
    lock: tuple[str, str] | None = None
    owner: str = ""
    head: str = ""


@dataclass
class Site(World):
    """What is true of the client's mail, whatever journals say of it."""

    machines: dict[str, Machine] = field(default_factory=lambda: {name: Machine(name) for name in NAMES})
    lost: set[str] = field(default_factory=set)
    fails: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    journal: Callable[[], Journal] = lambda: Journal(Path("none"))
    """The copy of the run that is gone on with."""
    mail: int = 0
    copied: int = -1
    imported: int = -1
    verified: int = -1
    serves: str = "origin"
    origin_runs: bool = True

    def servers(self, *_: object) -> SiteServers:
        return SiteServers(self)

    def answer(self, host: str, line: str) -> Result:
        told = {
            "is in its place": self.serves == "origin",
            "is stopped": not self.origin_runs,
            "is as verified": not self.origin_runs and self.verified == self.mail,
        }
        return Result(host, line, 0 if told.get(line, True) else 1)

    def do(self, line: str) -> None:
        """The effect of a line, and what must be true for it."""
        if line == "copy":
            self.copied = self.mail
        elif line == "import":
            self.imported = self.copied
        elif line == "verify":
            self.verified = self.imported if self.imported == self.mail else -1
        elif line == "stop origin":
            self.origin_runs = False
        elif line == "start origin":
            self.origin_runs = True
        elif line == "give up the place":
            if self.origin_runs or self.verified != self.mail:
                self.wrong.append(f"switched: {self.verified} of {self.mail}, {self.origin_runs}")
            self.serves = "nobody"
        elif line == "take the place":
            self.serves = "target"
        elif line == "leave the place":
            self.serves = "nobody"
        elif line == "take the place back":
            self.serves = "origin"


class SiteServers(FakeServers):
    """One session on the servers, with what the real ones keep apart: machines, locks, folders, copies of a journal."""

    world: Site

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.pinned: dict[str, str] = {}

    def _machine(self, host: str) -> Machine:
        machine = self.world.machines[host]
        if self.pinned.get(host, machine.id) != machine.id:
            raise ConnectionFailed(f"{host} is another machine")
        return machine

    def identity(self, host: str) -> Identity:
        machine = self._machine(host)
        return Identity(machine.id, "boot", host, "Debian", f"key of {machine.id}")

    def pin(self, host: str, machine_id: str) -> None:
        self.pinned[host] = machine_id

    def run(self, host: str, line: str, **_: Any) -> Result:
        self._machine(host)
        return self.world.answer(host, line)

    def start(self, host: str, unit: str, line: str, *, head: str = "", **_: Any) -> None:
        machine = self._machine(host)
        run = head.split()[0]
        if machine.lock is None or machine.lock[0] != run:
            self.world.wrong.append(f"{line} on {host} without its lock")
        if machine.owner != run:
            self.world.wrong.append(f"{line} on {host} in another run's folder")
        before = machine.head.split()
        if before[:1] == [run] and before[2] not in {one["sha256"] for one in self.world.journal().lines}:
            self.world.wrong.append(f"{line} on {host} by a copy that does not know what was started there")
        machine.head = head
        assert (host, unit) not in self.world.units, "a unit is started once"
        if line in self.world.lost:
            self.world.lost.discard(line)
            self.world.units[host, unit] = Result(host, line, None)
            return
        if line in self.world.fails:
            self.world.fails.discard(line)
            self.world.units[host, unit] = Result(host, line, 1)
            return
        self.world.effects.append((machine.id, line))
        self.world.do(line)
        self.world.units[host, unit] = Result(host, line, 0)

    def state(self, host: str, unit: str) -> UnitState:
        self._machine(host)
        found = self.world.units.get((host, unit))
        return (
            UnitState.ABSENT if found is None else UnitState.LOST if found.exit is None else UnitState.ENDED
        )

    def follow(self, host: str, unit: str, **_: Any) -> Result | None:
        found = self.world.units[host, unit]
        return None if found.exit is None else found

    def take(self, host: str, *words: object) -> Result:
        """As `remote.locks.take`: another session of the run is silent for long enough."""
        run, session, _, _, folder, new, _ = words
        machine = self._machine(host)
        before = machine.lock
        told = f"{machine.head}\n"
        if before:
            told += f"{before[0]}\n{before[1]}\ntitle\nsince\n60\n"
        if before and before[0] != run:
            return Result(host, "take", 3, told)
        if folder and machine.owner != run:
            if not new and machine.owner:
                return Result(host, "take", NOT_OURS)
            machine.owner = str(run)
        machine.lock = str(run), str(session)
        return Result(host, "take", 0, told)

    def leave(self, host: str, session: str) -> Result:
        machine = self._machine(host)
        if machine.lock and machine.lock[1] == session:
            machine.lock = machine.lock[0], "nobody now"
        return Result(host, "leave", 0)

    def release(self, host: str, session: str, run: str) -> Result:
        machine = self._machine(host)
        if machine.lock and machine.lock[1] == session:
            machine.lock = None
            return Result(host, "release", 0)
        return Result(host, "release", 1)


class Killed(BaseException):
    """The controller was killed."""


class Model(RuleBasedStateMachine):
    """One client's move; `folder` is the copy of the run with which the operator goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = tempfile.TemporaryDirectory()
        self.folder = Path(self.disk.name) / "laptop-0"
        self.copies = [self.folder]
        self.site = Site()
        self.machines = {
            name: (machine, Machine(f"{name} 2")) for name, machine in self.site.machines.items()
        }
        self.edits: dict[str, Any] = {}
        self.again: dict[str, str] = {}
        self.sessions = 0
        self.site.journal = lambda: self.journal
        self.patched = pytest.MonkeyPatch()
        self.patched.setattr(interpreter, "Servers", self.site.servers)
        self.patched.setattr(interpreter.Probe, "start", lambda probe: None)
        self.patched.setattr(lock, "session", lambda: f"me@here {4_200_000 + self.sessions}")

    def teardown(self) -> None:
        try:
            self._there_is_a_way()
        finally:
            self.patched.undo()
            self.disk.cleanup()

    # what the operator does

    def _command(self, work: Callable[[Run], None], kill: int | str = 0, share: float = 0.0) -> str:
        """One command in a process of its own; what it said.

        It is killed when the journal would get so many lines more, or the line that an action of this title is done.
        """
        self.sessions += 1
        write = Journal._append
        lines, dead = 0, False

        def append(journal: Journal, line: Line) -> None:
            nonlocal lines, dead
            lines += 1
            dead = dead or lines == kill or (line["event"] == "done" and line["title"] == kill)
            if dead:
                with journal.path.open("ab") as file:
                    text = encoded(line) + b"\n"
                    file.write(text[: int(share * len(text))])
                raise Killed
            write(journal, line)

        sure = {
            "sure": self.edits.get("origin", "origin"),
            rollback.CONFIRM: self.edits.get("target", "target"),
        }
        answers = {**sure, **self.again}
        values = {"folder": str(self.folder), "answers": answers, **self.edits}
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Journal, "_append", append)
            try:
                run = Run(PROCEDURE, ModelSettings(**values), show=lambda table: None)
                work(run)
                if not dead:
                    run.close()
            except Killed:
                return "killed"
            except BmnbError as error:
                if not dead:
                    run.close()
                return f"{type(error).__name__}: {error}"
        return ""

    def _forth(self, kill: int | str = 0, share: float = 0.0, until: int = len(PROCEDURE.steps)) -> str:
        def work(run: Run) -> None:
            if not run.journal.last("finished"):
                for one in PROCEDURE.steps[:until]:
                    run(one)

        return self._command(work, kill, share)

    def _back(self, kill: int | str = 0, share: float = 0.0) -> str:
        return self._command(rollback.roll_back, kill, share)

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "journal.jsonl")

    @initialize(passes=st.integers(1, 2), until=st.integers(0, len(PROCEDURE.steps)), kill=st.integers(0, 60))
    def begins(self, passes: int, until: int, kill: int) -> None:
        self.edits = {"passes": passes}
        self._forth(kill, until=until)

    @rule(until=st.integers(1, len(PROCEDURE.steps)), right=st.booleans())
    def goes_on(self, until: int, right: bool) -> None:
        if right:
            self._put_all_right()
        self._look_on(self._forth(until=until))

    @rule(kill=st.integers(1, 60), share=st.floats(0, 1, exclude_max=True), right=st.booleans())
    def is_killed_on_its_way(self, kill: int, share: float, right: bool) -> None:
        if right:
            self._put_all_right()
        self._forth(kill, share)

    @rule(line=st.sampled_from(("copy", "import", "verify", "give up the place", "take the place")))
    def is_killed_before_it_writes_that_something_is_done(self, line: str) -> None:
        self._put_all_right()
        self._forth(line)

    @rule(line=st.sampled_from(("leave the place", "take the place back", "start origin", "start target")))
    def is_killed_before_it_writes_that_something_is_undone(self, line: str) -> None:
        self._put_all_right()
        self._back(line)

    @rule()
    def rolls_back(self) -> None:
        self._look_on(self._back())

    @rule(kill=st.integers(1, 14), share=st.floats(0, 1, exclude_max=True))
    def is_killed_on_its_way_back(self, kill: int, share: float) -> None:
        self._back(kill, share)

    @rule(name=st.sampled_from(("origin", "target")), now=st.sampled_from(NAMES))
    def edits_the_servers(self, name: str, now: str) -> None:
        if now == name:
            self.edits.pop(name, None)
        elif name != now and self.edits.get("origin" if name == "target" else "target", "") != now:
            self.edits[name] = now

    @rule(address=st.sampled_from(("127.0.0.1", "127.0.0.2")))
    def edits_the_address(self, address: str) -> None:
        self.edits["address"] = address

    @rule(passes=st.integers(1, 3))
    def edits_the_passes(self, passes: int) -> None:
        self.edits["passes"] = passes

    @rule()
    def copies_the_folder(self) -> None:
        if self.folder.exists() and len(self.copies) < 4:
            copy = self.folder.with_name(f"laptop-{len(self.copies)}")
            shutil.copytree(self.folder, copy)
            self.copies.append(copy)

    @rule(chosen=st.integers(0, 3))
    def goes_to_another_copy(self, chosen: int) -> None:
        self.folder = self.copies[chosen % len(self.copies)]

    def _look_on(self, said: str) -> None:
        """Where nobody knows how something ended, the operator looks, and has it done again if it was not."""
        if "nobody knows how it ended" in said:
            key = said.partition("answer `")[2].partition(":")[0]
            self.again[key] = "again"

    # what happens to it

    @rule()
    def mail_comes(self) -> None:
        if self.site.origin_runs and self.site.serves == "origin":
            self.site.mail += 1

    @rule()
    def somebody_starts_the_origin(self) -> None:
        self.site.origin_runs = True
        self.site.mail += self.site.serves == "origin"

    @rule(line=st.sampled_from(("copy", "import", "verify", *ONCE)))
    def a_server_restarts_in_the_middle(self, line: str) -> None:
        self.site.lost.add(line)

    @rule(line=st.sampled_from(("copy", "import", "verify", "stop origin", "start origin", *ONCE)))
    def a_command_will_fail(self, line: str) -> None:
        self.site.fails.add(line)

    @rule(name=st.sampled_from(NAMES))
    def a_name_leads_elsewhere(self, name: str) -> None:
        first, second = self.machines[name]
        self.site.machines[name] = second if self.site.machines[name] is first else first

    @rule(name=st.sampled_from(NAMES))
    def another_run_takes_the_server(self, name: str) -> None:
        machine = self.site.machines[name]
        machine.lock = "another", "colleague@desk 1"

    @precondition(
        lambda self: any(one.lock and one.lock[0] == "another" for one in self.site.machines.values())
    )
    @rule()
    def the_other_run_ends(self) -> None:
        self._end_the_other()

    def _put_all_right(self) -> None:
        """Edits taken back, names mended, the other run over, and the copy at hand that went on last."""
        self._end_the_other()
        self.folder = max(self.copies, key=lambda copy: len(Journal(copy / "journal.jsonl").lines))
        pinned = {line["server"]: line["machine"] for line in self.journal.events("pinned")}
        for name, both in self.machines.items():
            [self.site.machines[name]] = [one for one in both if one.id == pinned.get(name, name)]
        opened = self.journal.last("opened")
        if opened:
            frozen = ("origin", "target", "address")
            self.edits = {name: opened["settings"][name] for name in frozen}

    def _end_the_other(self) -> None:
        for machine in chain.from_iterable(self.machines.values()):
            if machine.lock and machine.lock[0] == "another":
                machine.lock = None

    # what must hold

    @invariant()
    def nothing_is_done_that_must_not_be(self) -> None:
        assert self.site.wrong == []

    @invariant()
    def what_is_done_once_is_done_once(self) -> None:
        for line in ONCE:
            assert self.site.count(line) <= 1, line

    @invariant()
    def only_the_servers_of_the_run_are_touched(self) -> None:
        touched: dict[str, set[str]] = {}
        for machine, line in self.site.effects:
            side = "origin" if line in AT_THE_ORIGIN else "target"
            touched.setdefault(side, set()).add(machine)
        assert all(len(machines) == 1 for machines in touched.values()), touched

    def _there_is_a_way(self) -> None:
        """Once all is right again, to an end."""
        self._put_all_right()
        if self.journal.last("rolled back"):
            return
        back = has_undone(self.journal) or bool(self._again_and_again(self._forth))
        assert not (back and self._again_and_again(self._back))
        self.nothing_is_done_that_must_not_be()
        self.what_is_done_once_is_done_once()
        assert self.site.serves == ("origin" if back else "target")
        assert self.site.origin_runs or not back

    def _again_and_again(self, work: Callable[[], str]) -> str:
        """What the same command says at last; nothing where it came to its end."""
        for _ in range(AGAIN):
            said = work()
            self._look_on(said)
            if not said or "in its place" in said:
                break
        return said


AGAIN = 12
"""How often a command may stop for what happened to it before."""

AT_THE_ORIGIN = ("note", "stop origin", "start origin", "give up the place", "take the place back")

TestModel = Model.TestCase
TestModel.settings = property_settings(max_examples=100, stateful_step_count=15, derandomize=True)


class Longer(Model):
    """Other examples each time."""


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_many_more_of_them() -> None:
    longer = property_settings(max_examples=10_000, stateful_step_count=30)
    run_state_machine_as_test(seed(int(os.environ["BMNB_SEED"]))(Longer), settings=longer)
