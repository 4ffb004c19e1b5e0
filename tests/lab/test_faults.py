"""Everything that is in the table of faults, on real servers: the same command completes, or the way back is taken.

The tests are one story on one lab, in their order: three runs that are rolled back from another phase each.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bmnb import observe, perform
from bmnb.errors import BmnbError
from bmnb.lab import Lab
from bmnb.lab.compare import Difference, compare
from bmnb.lab.demo import EXPECTED, unexpected
from bmnb.lab.server import Server
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.steps import Step
from tests.lab.faults import COLD, FIRST, FOUND, GUARDS, HOT, Fault
from tests.lab.migration import BMNB, journal, opened

pytestmark = pytest.mark.lab

CANARY = "canary-5f2ac81e77"
WATCH = "setsid bash -c 'while sleep 0.03; do cat /proc/[0-9]*/cmdline >> /root/arguments; done' > /dev/null 2>&1 &"
LEFT = "/var/lib/bmnb /tmp /var/tmp /root /var/log /run/log"
"""Where a run, or a program that it starts, may leave something on a server."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults") / "runs"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may be away for seconds only, and what does not hold is looked at a few times only."""
    until = observe.until
    monkeypatch.setattr(perform, "OUT_OF_REACH_SECONDS", 5.0)
    monkeypatch.setattr(
        observe, "until", lambda look, patience, *more: until(look, min(patience, 6.0), *more)
    )


def servers(lab: Lab, fault: Fault) -> list[Server]:
    return lab.servers if fault.server == "both" else [lab.server(fault.server)]


def strike(lab: Lab, fault: Fault) -> None:
    for server in servers(lab, fault):
        if fault.breaks.startswith("cable down"):
            server.link("down")
            if seconds := fault.breaks.removeprefix("cable down"):
                time.sleep(float(seconds))
                server.link("up")
        elif "reboot" in fault.breaks:
            server.run(fault.breaks)
        else:
            server.must(fault.breaks)
    if fault.server == "both":
        time.sleep(2)
        mend(lab, fault)


def mend(lab: Lab, fault: Fault) -> None:
    for server in servers(lab, fault):
        if fault.mends == "cable up":
            server.link("up")
        elif "reboot" in fault.breaks:
            server.wait()
        elif fault.mends:
            server.must(fault.mends)


def in_the_middle(runs: Path, title: str, act: Callable[[], None]) -> threading.Thread:
    """Act in the background, once an action with this title has started anew."""

    def starts() -> int:
        return sum(line["event"] == "started" and line["title"] == title for line in journal(runs))

    before = starts()

    def wait() -> None:
        while starts() == before:
            time.sleep(0.02)
        time.sleep(0.5)
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def go(lab: Lab, runs: Path, last: Step, again: bool = False) -> str:
    """Run through this step, as the same command or the same cells do; what stopped it, or nothing."""
    run = opened(lab, runs)
    try:
        for step in run.procedure.steps:
            run(step, again=again and step is last)
            if step is last:
                return ""
        raise AssertionError(last)
    except BmnbError as error:
        return str(error)
    finally:
        run.close()


def named(name: str) -> Step:
    return next(one for one in PROCEDURE.steps if one.name == name)


def suffer(lab: Lab, runs: Path, fault: Fault, again: bool = False) -> None:
    """The fault strikes before its step; the message says it; mended, the next one may come."""
    strike(lab, fault)
    said = go(lab, runs, named(fault.step), again)
    mend(lab, fault)
    assert fault.says in said, fault.name
    assert bool(said) == bool(fault.says), f"{fault.name}: {said}"


def latest(runs: Path) -> Path:
    return max(runs.glob("*/journal.jsonl"), key=lambda path: path.stat().st_mtime).parent


def rolled_back(runs: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`bmnb rollback` of the latest run."""
    return subprocess.run(
        [*BMNB, "rollback", str(latest(runs)), *words], capture_output=True, text=True, check=False
    )


def assert_origin_serves(lab: Lab) -> None:
    said = lab.origin.must(
        "bmctl status; systemctl is-active postfix; ip -o -4 addr; cat /root/.ssh/authorized_keys"
    )
    assert "is stopped" not in said
    assert "bm-core.service is running" in said
    assert lab.origin.address in said
    assert "169.254." not in said
    assert "bmnb:" not in said, "the run's key is withdrawn"


def assert_target_is_itself(lab: Lab) -> None:
    said = lab.target.must(
        "cat /etc/bm/.installed; systemctl start postgresql; cd /; runuser -u postgres -- psql -XAtc "
        "'SELECT datname FROM pg_database ORDER BY 1'; bmctl status; ip -o -4 addr; ls /var/lib/bmnb/test"
    )
    assert said.startswith("target\nbj\nbj-data\npostgres\n")
    assert "bm-core.service is stopped" in said
    assert lab.origin.address not in said
    assert "key" not in said.split()
    assert not [line for line in said.splitlines() if line.endswith(".sql")]


class Kept:
    """What a server told, script by script, for a comparison with what it tells later."""

    def __init__(self, server: Server) -> None:
        self.server, self.told = server, dict[str, str]()
        compare(self.ask, self.ask)

    def ask(self, script: str) -> str:
        if script not in self.told:
            self.told[script] = self.server.must(script)
        return self.told[script]

    def changes(self) -> list[Difference]:
        self.server.must("systemctl start postgresql")
        return compare(self.ask, self.server.must)


def restart_target(lab: Lab) -> None:
    """What the operator does before the next attempt: the target serves its own data again."""
    lab.target.must(
        "bmctl start; systemctl start postfix; until curl -sf localhost:8090/api/system/installation/state; do sleep 0.2; done"
    )


@pytest.fixture(scope="module")
def quiet_origin(lab: Lab) -> Kept:
    """From here on nobody works on the origin, so that it must be the same after each way back.

    Its database has a password that can be searched for.
    """
    lab.origin.must(
        "systemctl stop bmnb-writer; mv /etc/default/bmnb-writer /root/; "
        f"sed -i 's/^password = .*/password = {CANARY}/' /etc/bm/bm.ini; cd /; "
        # as input: the journal keeps the arguments of whatever writes to it, and runuser does
        f"runuser -u postgres -- psql -q <<< \"ALTER ROLE bj PASSWORD '{CANARY}'\"; bmctl stop; bmctl start"
    )
    return Kept(lab.origin)


# the first run: the hot synchronization, while users work


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", FIRST, ids=lambda fault: fault.name)
def test_prerequisites(lab: Lab, runs: Path, fault: Fault):
    suffer(lab, runs, fault)


def test_another_run_at_the_same_servers_is_refused(lab: Lab, runs: Path, tmp_path: Path):
    assert go(lab, runs, named("key-authentication")) == ""
    assert "is held by another run" in go(lab, tmp_path / "runs", named("key-authentication"))
    assert go(lab, runs, named("stop-target")) == ""


@pytest.mark.usefixtures("impatient")
def test_hot_synchronization(lab: Lab, runs: Path):
    stops = [fault for fault in HOT if fault.says]
    for fault in stops[:3]:
        strikes = in_the_middle(runs, "/var/spool/cyrus", lambda fault=fault: strike(lab, fault))
        said = go(lab, runs, named(fault.step))
        strikes.join(30)
        mend(lab, fault)
        assert fault.says in said, fault.name
    for fault in stops[3:]:
        suffer(lab, runs, fault)
    assert go(lab, runs, named("hot-synchronization")) == ""


@pytest.mark.usefixtures("impatient")
def test_hot_synchronization_goes_on_by_itself(lab: Lab, runs: Path):
    """A short cut, a killed ssh, an origin that is back soon: the pass is started again, each time on record."""
    faults = [fault for fault in HOT if not fault.says and "reboot" not in fault.breaks]
    restart = next(fault for fault in HOT if fault.server == "origin" and "reboot" in fault.breaks)
    strikes = in_the_middle(runs, "/var/spool/cyrus", lambda: strike(lab, restart))
    go(lab, runs, named("hot-synchronization"), again=True)
    strikes.join(30)
    mend(lab, restart)
    assert go(lab, runs, named("hot-synchronization")) == ""
    cut = next(fault for fault in faults if fault.breaks == "cable down 5")
    strikes = in_the_middle(runs, "/var/spool/cyrus", lambda: strike(lab, cut))
    for fault in faults:
        if fault is not cut:
            strike(lab, fault)
    assert go(lab, runs, named("hot-synchronization"), again=True) == ""
    strikes.join(30)
    for fault in faults:
        mend(lab, fault)
    lines = [line for line in journal(runs) if line.get("title") == "/var/spool/cyrus"]
    assert [line["event"] for line in lines[-4:]] == ["started", "failed", "started", "done"], (
        "the pass was started again by itself after ssh was killed"
    )


@pytest.mark.parametrize("fault", GUARDS, ids=lambda fault: fault.name)
def test_a_guard_stops_a_pass_before_it_deletes_anything(lab: Lab, runs: Path, fault: Fault):
    count = "find /var/spool/cyrus /var/spool/bm-docs | wc -l"
    before = lab.target.must(count)
    suffer(lab, runs, fault, again=True)
    assert lab.target.must(count) == before


def test_a_full_disk_of_the_controller_and_a_cut_journal(lab: Lab, runs: Path):
    folder = next(runs.glob("*/journal.jsonl")).parent
    kept = folder.with_name("kept")
    folder.rename(kept)
    folder.mkdir()
    # a file takes whole pages there
    pages = sum(path.stat().st_size // 4096 + 2 for path in kept.rglob("*"))
    size = f"size={pages * 4 + 256}k"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "full", str(folder)], check=True)
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        subprocess.run(["dd", "if=/dev/zero", f"of={folder}/filler", "status=none"], check=False)
        whole = (folder / "journal.jsonl").read_bytes()
        assert "nothing more is done" in go(lab, runs, named("hot-synchronization"), again=True)
        assert (folder / "journal.jsonl").read_bytes()[: len(whole)] == whole
        (folder / "filler").unlink()
        with (folder / "journal.jsonl").open("ab") as torn:
            torn.write(b'{"number": 1000, "eve')
        assert go(lab, runs, named("hot-synchronization"), again=True) == ""
        shutil.copytree(folder, kept, dirs_exist_ok=True)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()
    kept.rename(folder)


def test_the_way_back_from_the_hot_synchronization(lab: Lab, runs: Path):
    back = rolled_back(runs)
    assert back.returncode == 0, back.stdout + back.stderr
    assert_origin_serves(lab)
    assert_target_is_itself(lab)
    assert "rolled back already" in rolled_back(runs).stderr


# the second run: the cold synchronization


@pytest.mark.usefixtures("impatient")
def test_cold_synchronization(lab: Lab, runs: Path, quiet_origin: Kept):
    restart_target(lab)
    assert go(lab, runs, named("hot-synchronization")) == ""
    for fault in COLD:
        suffer(lab, runs, fault)
        if fault.server == "both":
            assert "bm-core.service is stopped" in lab.origin.must("bmctl status")
            assert "bm-core.service is stopped" in lab.target.must("bmctl status")
    assert go(lab, runs, named("import-databases")) == ""


@pytest.mark.parametrize("fault", FOUND, ids=lambda fault: fault.name)
def test_what_differs_is_found_and_stops_the_run(lab: Lab, runs: Path, fault: Fault):
    suffer(lab, runs, fault)


def test_then_nothing_differs(lab: Lab, runs: Path, quiet_origin: Kept):
    assert go(lab, runs, named("verify-copy")) == ""
    found = compare(lab.origin.must, lab.target.must)
    assert [one for one in found if (one.kind, one.name) not in EXPECTED] == []
    assert quiet_origin.changes() == []


def test_the_way_back_from_the_cold_synchronization_killed_in_its_middle(
    lab: Lab, runs: Path, quiet_origin: Kept
):
    folder = latest(runs)
    killed = subprocess.Popen([*BMNB, "rollback", str(folder)], stdout=subprocess.DEVNULL)
    while '"step": "undo-stop-services"' not in (folder / "journal.jsonl").read_text():
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    back = rolled_back(runs)
    assert back.returncode == 0, back.stdout + back.stderr
    assert_origin_serves(lab)
    assert_target_is_itself(lab)
    assert quiet_origin.changes() == []


# the third run: the switch, and back


def test_the_way_back_from_the_middle_of_the_switch(lab: Lab, runs: Path, quiet_origin: Kept):
    restart_target(lab)
    assert go(lab, runs, named("stop-origin")) == ""
    assert lab.origin.address not in lab.origin.must("ip -o -4 addr")
    back = rolled_back(runs)
    assert back.returncode == 0, back.stdout + back.stderr
    assert_origin_serves(lab)
    assert_target_is_itself(lab)
    assert quiet_origin.changes() == []


# the fourth run: to its end, and back, which costs the mail that came meanwhile


def test_a_whole_migration_whose_secrets_appear_nowhere(lab: Lab, runs: Path, quiet_origin: Kept):
    restart_target(lab)
    token = lab.origin.must("cat /etc/bm/bm-core.tok").strip()
    for server in lab.servers:
        server.must(WATCH)
    back = in_the_middle(
        runs, "virtual hosts of the client's domains", lambda: lab.target.must(WATCH) and None
    )
    assert go(lab, runs, named("clean-up")) == ""
    back.join(30)
    assert unexpected(lab) == []
    for server in lab.servers:
        arguments = server.must("cat /root/arguments")
        assert "pg_dump" in arguments or "psql" in arguments, "the arguments of the run's programs were seen"
        for secret in (CANARY, token):
            assert secret not in arguments
            assert (
                server.run(f"grep -rlaF {secret} {LEFT}; journalctl -ao export | grep -aF {secret}").stdout
                == ""
            )
        assert "PRIVATE" not in server.must("cat /var/lib/bmnb/*/* 2> /dev/null; true")
        assert server.run("find /var/lib/bmnb -type f -perm /077").stdout == ""
    for path in runs.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path
            assert token.encode() not in path.read_bytes(), path


def test_the_way_back_from_the_end_says_its_price_first(lab: Lab, runs: Path, quiet_origin: Kept):
    new = lab.target.must(
        "d=$(find /var/spool/cyrus/data -type d -name Sent | head -n 1); echo new > $d/999999.; echo -n $d/999999."
    )
    asked = rolled_back(runs)
    assert asked.returncode == 3
    assert new in asked.stdout
    assert "answer `give-up-target: target` to go on" in asked.stderr
    assert "is running" in lab.target.must("bmctl status"), "nothing is done before the price is accepted"
    back = rolled_back(runs, "--confirm", "target")
    assert back.returncode == 0, back.stdout + back.stderr
    assert_origin_serves(lab)
    assert lab.origin.address not in lab.target.must("ip -o -4 addr")
    assert new in lab.target.must("tar -tzPf /var/lib/bmnb/test/accepted-mail.tar.gz")
    assert quiet_origin.changes() == []
