"""A run struck by faults: the same command again and again to its end, then an independent look at what is left."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bmnb import seal
from bmnb.errors import BmnbError
from bmnb.journal import step_of
from bmnb.lab import Lab
from bmnb.lab.compare import compare
from bmnb.lab.demo import unexpected
from bmnb.lab.server import Server
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.transfer.access import WORK
from tests.lab.chance import Strike, Trial
from tests.lab.faults import REBOOT
from tests.lab.migration import BMNB, client_file, journal, kill_all

AGAIN = 6
"""How often the same command may be needed after the last fault."""
SECONDS = 420.0
"""How long a command may write nothing into its journal."""
SILENT_SECONDS = 31.0
"""After so long another session of a run may go on."""
HOT = {one.name for one in PROCEDURE.steps if not one.phase.downtime} & {
    *("prerequisites", "key-authentication", "stop-target", "hot-synchronization", "compare-ahead")
}
LATER = {one.name for one in PROCEDURE.steps if one.phase.name in ("switching-servers", "post-migration")}
PORTS = (25, 143, 443)
SLEEP = Path(__file__).parent / "clock"

WORK_KILLED = (
    "for n in $(seq 40); do unit=$(systemctl list-units --plain --no-legend --state=running 'bmnb-*' | "
    'awk \'$1 != "bmnb-writer.service" {print $1; exit}\'); [ -z "$unit" ] || '
    '{ systemctl kill -s KILL "$unit"; exit; }; sleep 0.05; done; exit 1'
)
PROGRAM_KILLED = (
    "for n in $(seq 40); do pkill -9 -x 'rsync|tar|psql|pg_dump|ssh' && exit; sleep 0.05; done; exit 1"
)
DATE = 'printf \'#!/bin/sh\\nexec /bin/date --date="1 hour ago" "$@"\\n\' > /usr/local/bin/date; chmod +x /usr/local/bin/date'

ON_A_SERVER = {
    "restarts": (REBOOT, ""),
    "PostgreSQL killed": (
        "systemctl is-active --quiet 'postgresql@*' && systemctl kill -s KILL 'postgresql@*'",
        "systemctl reset-failed 'postgresql@*'; systemctl start postgresql",
    ),
    "work killed": (WORK_KILLED, ""),
    "program killed": (PROGRAM_KILLED, ""),
    "ssh killed": ("pkill -9 -f '^sshd: .*@notty'", ""),
    "/var/lib/bmnb read-only": (
        f"mkdir -p {WORK}; mount --bind {WORK} {WORK} && mount -o remount,bind,ro {WORK}",
        f"! mountpoint -q {WORK} || umount -l {WORK}",
    ),
    "/tmp full": (
        "mount -t tmpfs -o size=4k full /tmp; head -c 9000 /dev/zero > /tmp/full; true",
        "! grep -q '^full /tmp' /proc/mounts || umount -l /tmp",
    ),
    "clock jumps": (DATE, "rm -f /usr/local/bin/date"),
}
"""What strikes a server, ending with 0 where it did, and what mends that."""


@dataclass
class Struck:
    """A lab with one run on it, the faults that really struck it with the step that was under way, and its commands."""

    lab: Lab
    place: Path
    trial: Trial
    record: list[tuple[str, Strike]] = field(default_factory=list)
    commands: int = 0
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> Path:
        return self.place / "runs"

    @property
    def folder(self) -> Path:
        return max(self.runs.glob("*/journal.jsonl"), key=lambda path: path.stat().st_mtime).parent

    def forth(self) -> None:
        """The run through its faults, to its end where it is not to be rolled back."""
        client_file(self.lab, self.runs, engine=self.trial.engine)
        self._through(lambda: ["run", PROCEDURE.name, "-f", self._client()], self.trial.forth)

    def back(self) -> None:
        """The way back through its faults, to its end."""
        self._through(lambda: ["rollback", str(self.folder), "--confirm", "target"], self.trial.back or ())

    def _client(self) -> str:
        answers = {"erase-target": "target", "stop-service": "origin", "switch-servers": "origin"}
        more = {"engine": self.trial.engine, "answers": {**answers, **self.answers}}
        return str(client_file(self.lab, self.runs, **more))

    def _through(self, words: Callable[[], list[str]], strikes: tuple[Strike, ...]) -> None:
        waiting, left = deque(strikes), AGAIN
        ends_here = self.trial.back is not None and strikes is self.trial.forth
        while True:
            before = len(waiting)
            code, said = self._command(words(), waiting)
            if code == 0 or (ends_here and not waiting):
                return
            left = AGAIN if len(waiting) < before else left - 1
            assert left, f"{self.trial}\n  no way on after {AGAIN} times: {code}\n{said}"
            self._do_as_it_says(said)

    def _do_as_it_says(self, said: str) -> None:
        self._assert_services()
        for key in re.findall("answer `([^ `]+): again`", said):
            self.answers[key] = "again"
        if "give-back" in said or "is reached through target" in said:
            self.lab.origin.must("bash /var/lib/bmnb/test/give-back")
        if "for this very run" in said:
            time.sleep(SILENT_SECONDS)

    def _assert_services(self) -> None:
        """Before the downtime the origin serves, whatever has stopped the run; up to the switch the target never does."""
        lines = journal(self.runs)
        if any(line["event"] == "rollback started" for line in lines):
            return
        begun = {step_of(line) for line in lines if line["event"] == "step started"}
        over = {step_of(line) for line in lines if line["event"] == "step done"}
        if begun <= HOT:
            self._assert_service(self.lab.origin, "running")
        if "stop-target" in over and not begun & LATER:
            self._assert_service(self.lab.target, "stopped")
        if "stop-services" in over and not begun & LATER:
            self._assert_service(self.lab.origin, "stopped")

    def _assert_service(self, server: Server, state: str) -> None:
        server.wait()
        said = server.must("bmctl status")
        assert f"bm-core.service is {state}" in said, f"{self.trial}\n{server.name}: {said}"

    def _command(self, words: list[str], waiting: deque[Strike]) -> tuple[int, str]:
        self.commands += 1
        said = self.place / f"said-{self.commands}"
        clock = self.place / "clock"
        clock.write_text("+0")
        jumps = any(one.kind == "clock jumps" and one.where == "controller" for one in waiting)
        with said.open("w") as out:
            running = subprocess.Popen(
                [*BMNB, *words],
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**os.environ, **(clock_of(clock) if jumps else {})},
            )
            self._watch(running, waiting)
        return running.returncode, said.read_text()

    def _watch(self, running: subprocess.Popen[Any], waiting: deque[Strike]) -> None:
        mends: list[tuple[float, Callable[[], None]]] = []
        written, since = 0, time.monotonic()
        while running.poll() is None:
            if written < (now := self._written()):
                written, since = now, time.monotonic()
            if time.monotonic() > since + SECONDS:
                kill_all(running)
                raise AssertionError(f"{self.trial}\n  hangs: {words_of(journal(self.runs)[-1])}")
            if waiting and self._is_reached(waiting[0]):
                strike = waiting.popleft()
                time.sleep(strike.wait)
                where = self._under_way()
                if running.poll() is None and (mend := self._strike(strike, running)):
                    mends.append((time.monotonic() + strike.lasts, mend))
                    self.record.append((where, strike))
            for one in [one for one in mends if one[0] < time.monotonic()]:
                mends.remove(one)
                one[1]()
            time.sleep(0.03)
        for _, mend in mends:
            mend()

    def _written(self) -> int:
        """Bytes in the journals of these runs."""
        return sum(one.stat().st_size for one in self.runs.glob("*/journal.jsonl"))

    def _is_reached(self, strike: Strike) -> bool:
        steps = [step_of(line) for line in journal(self.runs) if "step" in line or "action" in line]
        later = self._steps[self._steps.index(strike.step) + 1 :] if strike.step in self._steps else []
        return steps.count(strike.step) >= strike.lines or bool({*later} & {*steps})

    @property
    def _steps(self) -> list[str]:
        return [one.name for one in PROCEDURE.steps]

    def _under_way(self) -> str:
        return next(
            step_of(line) for line in reversed(journal(self.runs)) if "step" in line or "action" in line
        )

    def _strike(self, strike: Strike, running: subprocess.Popen[Any]) -> Callable[[], None] | None:
        """Strike; what mends it, or None where it did not strike."""
        if strike.where == "controller":
            return self._strike_here(strike, running)
        servers = self.lab.servers if strike.where == "both" else [self.lab.server(strike.where)]
        mends = [mend for one in servers if (mend := strike_server(one, strike.kind))]
        return (lambda: [mend() for mend in mends] and None) if mends else None

    def _strike_here(self, strike: Strike, running: subprocess.Popen[Any]) -> Callable[[], None] | None:
        if strike.kind == "command killed":
            kill_all(running)
        elif strike.kind == "kernel killed":
            children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
            kernels = [one for one in children if b"ipykernel" in Path(f"/proc/{one}/cmdline").read_bytes()]
            for one in kernels:
                os.kill(int(one), signal.SIGKILL)
            return _nothing if kernels else None
        elif strike.kind in ("Ctrl-C", "SIGTERM"):
            running.send_signal(signal.SIGINT if strike.kind == "Ctrl-C" else signal.SIGTERM)
        elif strike.kind == "clock jumps":
            (self.place / "clock").write_text("-2h" if strike.lines % 2 else "+2h")
        else:
            return self._fill()
        return _nothing

    def _fill(self) -> Callable[[], None]:
        full = self.runs / "full"
        subprocess.run(["dd", "if=/dev/zero", f"of={full}", "bs=64k"], check=False, capture_output=True)
        subprocess.run(["dd", "if=/dev/zero", f"of={full}.more", "bs=1"], check=False, capture_output=True)

        def mend() -> None:
            full.unlink()
            full.with_suffix(".more").unlink(missing_ok=True)

        return mend

    def assert_nothing_is_lost(self) -> None:
        found = unexpected(self.lab)
        assert found == [], f"{self.trial}\n{found[:20]}"
        target = self.lab.target
        assert "is stopped" not in target.must("bmctl status"), self.trial
        assert "bm-core.service is stopped" in self.lab.origin.must("bmctl status"), self.trial
        self._assert_served()

    def assert_the_origin_serves_as_before(self, ask: Callable[[str], str]) -> None:
        origin = self.lab.origin
        said = origin.must(
            "bmctl status; systemctl is-active postfix; ip -o -4 addr; cat /root/.ssh/authorized_keys"
        )
        assert "is stopped" not in said, f"{self.trial}\n{said}"
        assert "bm-core.service is running" in said, f"{self.trial}\n{said}"
        assert origin.address in said, f"{self.trial}\n{said}"
        assert "bmnb:" not in said, f"{self.trial}\n{said}"
        assert self.lab.origin.address not in self.lab.target.must("ip -o -4 addr"), self.trial
        found = compare(ask, origin.must)
        assert found == [], f"{self.trial}\n{found[:20]}"
        self._assert_served()

    def _assert_served(self) -> None:
        for port in PORTS:
            assert answers(self.lab.origin.address, port), f"{self.trial}: nobody answers at port {port}"

    def assert_the_record_is_true(self) -> None:
        """Nothing that may be done once was done twice, and the journal is whole."""
        lines = journal(self.runs)
        once = {one.name for one in PROCEDURE.steps if one.once}
        ended = [
            line["action"]
            for line in lines
            if line["event"] == "done" and line["kind"] == "command" and step_of(line) in once
        ]
        assert len(ended) == len(set(ended)) or any(one["event"] == "reopened" for one in lines), self.trial
        found = list(seal.problems(self.folder))
        assert found == [], f"{self.trial}\n{found[:5]}"


def clock_of(file: Path) -> dict[str, str]:
    """The environment of programs whose clock is as far from this machine's as a file says, but for the monotonic one."""
    [library] = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    return {
        "LD_PRELOAD": str(library),
        "PYTHONPATH": os.pathsep.join([str(SLEEP), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def words_of(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False)[:400]


def answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), 5.0):
            return True
    except OSError:
        return False


def strike_server(server: Server, kind: str) -> Callable[[], None] | None:
    if kind == "line cut":
        server.link("down")
        return lambda: server.link("up")
    breaks, mends = ON_A_SERVER[kind]
    try:
        if kind == "restarts":
            server.restart(breaks)
            return server.wait
        if server.run(breaks).returncode != 0:
            return None
    except BmnbError:  # it restarts just now
        return None

    def mend() -> None:
        server.wait()
        if mends:
            server.must(mends)

    return mend


def _nothing() -> None:
    pass


class Begun:
    """What a server told at the beginning, for a comparison at the end."""

    def __init__(self, server: Server) -> None:
        self.told: dict[str, str] = {}
        self.server = server
        compare(self.ask, self.ask)

    def ask(self, script: str) -> str:
        if script not in self.told:
            self.told[script] = self.server.must(script)
        return self.told[script]


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A folder whose runs lie on a disk of their own, which can be filled; a copy stays where something went wrong."""
    runs = place / "runs"
    runs.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "bmnb-runs", runs], check=True)
    try:
        yield place
    except (AssertionError, BmnbError):
        sockets = shutil.ignore_patterns("kernel-ipc-*")
        shutil.copytree(place, place.with_name(f"failed-{place.name}"), ignore=sockets)
        raise
    finally:
        subprocess.run(["umount", "-l", runs], check=True)


def endure(lab: Lab, place: Path, trial: Trial) -> Struck:
    """A whole trial on a lab that is as it was saved; raise AssertionError where anything is lost, or nobody gets on."""
    with small_disk(place):
        struck = Struck(lab, place, trial)
        if trial.back is None:
            struck.forth()
            struck.assert_nothing_is_lost()
        else:
            lab.origin.must("systemctl disable --quiet --now bmnb-writer")
            begun = Begun(lab.origin)
            struck.forth()
            struck.back()
            struck.assert_the_origin_serves_as_before(begun.ask)
        struck.assert_the_record_is_true()
    return struck
