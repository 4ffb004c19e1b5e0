"""Everything that is in the table of faults, on real servers: the same command completes, or the way back is taken.

The tests are one story on one lab, in their order; `test_faults_fast.py` tells it with the other engine. After the copy is verified both servers and the run are kept
as they are, so that each way back from there begins without going through the phases before it again.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from bmnb import observe, perform, report
from bmnb.errors import BmnbError
from bmnb.lab import Lab
from bmnb.lab.compare import Difference, compare
from bmnb.lab.demo import EXPECTED, unexpected
from bmnb.lab.server import Server
from bmnb.remote import servers as remote
from bmnb.transfer.access import LOGIN
from bmnb.transfer.databases import COMPLETE
from tests.lab.faults import (
    AFTER,
    AHEAD,
    ALONE,
    COLD,
    FIRST,
    FOUND,
    GUARDS,
    HOT,
    IMPORT,
    LINE,
    MIDDLE,
    PAUSE,
    REBOOT,
    RESTART,
    Fault,
    of,
)
from tests.lab.migration import BMNB, client_file, journal, kill_all, opened, start, wait_for
from tests.test_french import messages

pytestmark = pytest.mark.lab
ENGINE = "literal"
AT_FIRST = MEANWHILE = "true"
"""What is done on the origin before the story, and between its last hot pass and the stop."""

CANARY = "canary-5f2ac81e77"
LEFT = "/var/lib/bmnb /tmp /var/tmp /root /home /var/log /run/log"
"""Where a run, or a program that it starts, may leave something on a server."""

SSH = "ssh -F /var/lib/bmnb/test/ssh_config"
STATE = "bmnb.state="
"""The setting by which the fast engine knows its copy, until the run cleans up."""
NOTHING = "< /dev/null"
"""The target's ssh to the origin, with the run's key."""

WATCH = """cat > /usr/local/lib/watch.py <<'END'
import glob, time
seen, told = set(), open("/var/lib/arguments", "ab", buffering=0)
while True:
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            line = open(path, "rb").read()
        except OSError:
            continue
        if line not in seen:
            seen.add(line)
            told.write(line + b"\\n")
    time.sleep(0.03)
END
cat > /etc/systemd/system/watch.service <<'END'
[Service]
ExecStart=python3 /usr/local/lib/watch.py
Nice=5
[Install]
WantedBy=basic.target
END
systemctl enable --quiet --now watch"""
"""Keeps the arguments of the programs that run on a server, also after a restart."""


@dataclass(frozen=True)
class Story:
    """A lab, the runs on it, and what its runs are given beside the usual values."""

    lab: Lab
    runs: Path
    more: dict[str, str]

    @property
    def engine(self) -> str:
        return self.more["engine"]

    @property
    def trees(self) -> str:
        """The title of the first action that copies trees in a hot pass."""
        return {"literal": "/var/spool/cyrus", "fast": "all trees"}[self.engine]

    @property
    def copying(self) -> tuple[str, str]:
        """Title and step of the action that copies a database in the cold phase."""
        return {
            "literal": ("dump bj-data", "dump-databases"),
            "fast": ("rows of bj-data, proven equal", "cold-synchronization"),
        }[self.engine]

    def go(self, last: str, again: bool = False) -> str:
        """Run through this step, as the same command or the same cells do; what stopped it, or nothing."""
        run = opened(self.lab, self.runs, **self.more)
        try:
            for step in run.procedure.steps:
                run(step, again=again and step.name == last)
                if step.name == last:
                    return ""
            raise AssertionError(last)
        except BmnbError as error:
            return str(error)
        finally:
            run.close()

    def go_back_and_on(self, last: str) -> None:
        """A disk that was put back has other ctimes than the verification saw: the cold pass is done again."""
        assert "The run goes back to “Stop services on the servers" in self.go(last)
        assert self.go(last) == ""

    def unlock(self) -> None:
        """What the operator does where a server restarted and the lock on it tells of a run that goes on."""
        run = opened(self.lab, self.runs, **self.more)
        for server in self.lab.servers:
            run.unlock(server.name)
        run.close()

    def suffer(self, fault: Fault, again: bool = False) -> None:
        """The fault strikes before its step; the message says it; mended, the next one may come."""
        self.strike(fault)
        said = self.go(fault.step, again)
        self.mend(fault)
        assert fault.says in said, fault.name
        assert bool(said) == bool(fault.says), f"{fault.name}: {said}"

    def suffer_while_copying(self, fault: Fault, again: bool = False) -> str:
        """The fault strikes while the trees are copied: the program is halted until then, lest it end before."""
        said = self.go_while(lambda over: self.strike_copying(fault, over), fault.step, again)
        self.mend(fault)
        return said

    def go_while(self, strike: Callable[[Event], None], last: str, again: bool = False) -> str:
        """Run through this step while something strikes, which is told when the run is over."""
        over = Event()
        with ThreadPoolExecutor(1) as pool:
            strikes = pool.submit(strike, over)
            try:
                said = self.go(last, again)
            finally:
                over.set()
            strikes.result(120)
        return said

    def strike_copying(self, fault: Fault, over: Event) -> None:
        program = {"literal": '-f "^rsync .*--stats"', "fast": '-f "[c]arry_files carry"'}[self.engine]
        target = self.lab.target
        halt = f"timeout 5 bash -c 'until pkill -STOP {program}; do {PAUSE}; done'"
        while target.run(halt).returncode:
            assert not over.is_set(), f"{fault.name}: nothing was copied"

        def go_on() -> None:
            target.must(f"pkill -CONT {program} || [ $? = 1 ]")

        if fault.breaks.startswith("cable"):
            threading.Timer(0.2, go_on).start()
            self.strike(fault)
            return
        try:
            self.strike(fault)
        finally:
            if not (fault.breaks == REBOOT and fault.server == "target"):
                go_on()

    def suffer_in_the_middle(self, fault: Fault, title: str) -> str:
        """The fault strikes once an action with this title has started anew."""

        def starts() -> int:
            return sum(line["event"] == "started" and line["title"] == title for line in journal(self.runs))

        before = starts()

        def strike(over: Event) -> None:
            while starts() == before:
                assert not over.is_set(), f"{fault.name}: it was not started"
                time.sleep(0.02)
            self.strike(fault)

        said = self.go_while(strike, fault.step)
        self.mend(fault)
        return said

    def servers(self, fault: Fault) -> list[Server]:
        return self.lab.servers if fault.server == "both" else [self.lab.server(fault.server)]

    def strike(self, fault: Fault) -> None:
        for server in self.servers(fault):
            if fault.breaks.startswith("cable down"):
                server.link("down")
                if seconds := fault.breaks.removeprefix("cable down"):
                    time.sleep(float(seconds))
                    server.link("up")
            elif fault.breaks == "cable slow":
                slow(server, self.lab.origin)
            elif fault.breaks == REBOOT:
                server.restart(REBOOT)
            else:
                server.must(fault.breaks)
        if fault.server == "both":
            self.mend(fault)

    def mend(self, fault: Fault) -> None:
        for server in self.servers(fault):
            if fault.mends == "cable up":
                server.link("up")
            elif fault.mends == "cable fast":
                subprocess.run(["tc", "qdisc", "del", "dev", f"vb-{server.machine}", "root"], check=True)
            elif "reboot" in fault.breaks:
                server.wait()
            elif fault.mends:
                server.must(fault.mends)

    @property
    def latest(self) -> Path:
        """The folder of the latest run."""
        return max(self.runs.glob("*/journal.jsonl"), key=lambda path: path.stat().st_mtime).parent

    def roll_back(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`bmnb rollback` of the latest run."""
        return subprocess.run(
            [*BMNB, "rollback", str(self.latest), *words], capture_output=True, text=True, check=False
        )

    def assert_rolled_back(self, back: subprocess.CompletedProcess[str]) -> None:
        assert back.returncode == 0, back.stdout + back.stderr
        assert "rolled back in" in back.stdout
        origin = self.lab.origin
        said = origin.must(
            "bmctl status; systemctl is-active postfix; ip -o -4 addr; "
            "[ ! -e /root/.ssh/authorized_keys ] || cat /root/.ssh/authorized_keys"
        )
        assert "is stopped" not in said
        assert "bm-core.service is running" in said
        assert origin.address in said
        assert "169.254." not in said
        assert "bmnb:" not in said, "the run's key is withdrawn"

    def assert_target_is_itself(self) -> None:
        said = self.lab.target.must(
            "cat /etc/bm/.installed; systemctl start postgresql; cd /; runuser -u postgres -- psql -XAtc "
            "'SELECT datname FROM pg_database ORDER BY 1'; bmctl status; ip -o -4 addr; ls /var/lib/bmnb/test"
        )
        assert said.startswith("target\nbj\nbj-data\npostgres\n")
        assert "bm-core.service is stopped" in said
        assert self.lab.origin.address not in said
        assert not {"key", "programs", "files", "databases"} & {*said.split()}
        assert self.lab.target.run("pgrep -x ssh").stdout == "", "nothing holds a connection to the origin"
        assert not [line for line in said.splitlines() if line.endswith(".sql")]

    def set_alive_interval(self, seconds: int, times: int = 8) -> None:
        """How often the target's ssh asks whether the origin is there, and after how many times it gives up."""
        self.lab.target.must(
            f"sed -i 's/ServerAliveInterval .*/ServerAliveInterval {seconds}/; "
            f"s/ServerAliveCountMax .*/ServerAliveCountMax {times}/' /var/lib/bmnb/test/ssh_config"
        )

    def restart_target(self) -> None:
        """What the operator does before the next attempt: the target serves its own data again."""
        self.lab.target.must(
            "bmctl start; systemctl start postfix; until curl -sf localhost:8090/api/system/installation/state; do sleep 0.2; done"
        )


def slow(server: Server, origin: Server) -> None:
    """4 Mbit/s from now on, and all connections are lost, three times."""
    line = ["root", "tbf", "rate", "4mbit", "burst", "64kb", "latency", "200ms"]
    subprocess.run(["tc", "qdisc", "add", "dev", f"vb-{server.machine}", *line], check=True)
    for other in (server, origin, server):
        time.sleep(2)
        other.run("pkill -f '^sshd: .*@notty'")


class Kept:
    """Both servers and the runs as they were, to begin from there again."""

    def __init__(self, story: Story, place: Path) -> None:
        self.story, self.runs = story, place / "runs"
        story.lab.save("kept")
        self._copy(story.runs, self.runs)

    def restore(self) -> None:
        self.story.lab.restore("kept")
        shutil.rmtree(self.story.runs)
        self._copy(self.runs, self.story.runs)

    def _copy(self, now: Path, to: Path) -> None:
        subprocess.run(["cp", "-a", now, to], check=True)


class Told:
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


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key that reads the dumps that are kept."""
    path = tmp_path_factory.mktemp("key") / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def account(lab: Lab) -> str:
    """One of the client's users."""
    return lab.origin.must("head -n 1 /etc/postfix/virtual_mailbox-flat").split()[0]


@pytest.fixture(scope="module")
def story(
    request: pytest.FixtureRequest,
    lab: Lab,
    tmp_path_factory: pytest.TempPathFactory,
    key: Path,
    account: str,
) -> Story:
    """At the origin nobody logs in as root, but as a user with sudo; what is on request is asked for."""
    lab.origin.must(
        "useradd -m -s /bin/bash consultant; mv /root/.ssh /home/consultant/; chown -R consultant: /home/consultant; "
        "echo 'consultant ALL = NOPASSWD: ALL' > /etc/sudoers.d/consultant"
    )
    lab.origin.must(request.module.AT_FIRST)
    folder = tmp_path_factory.mktemp("faults")
    config = folder / "ssh_config"
    config.write_text(lab.ssh_config.read_text().replace("User root", "User consultant", 1))
    asked = ["openssl", "rsa", "-in", str(key), "-pubout"]
    public = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    more = {"engine": request.module.ENGINE, "ssh_config": str(config), "test_account": account}
    if more["engine"] == "literal":
        more["keep_dumps"] = public
    return Story(lab, folder / "runs", more)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may be away, and a connection silent, for seconds only; what does not hold is looked at a few times."""
    until = observe.until
    monkeypatch.setattr(perform, "OUT_OF_REACH_SECONDS", 20.0)
    monkeypatch.setattr(remote, "DEAD_SECONDS", 6.0)
    monkeypatch.setattr(
        observe, "until", lambda look, patience, *more: until(look, min(patience, 6.0), *more)
    )


@pytest.fixture(scope="module")
def quiet_origin(request: pytest.FixtureRequest, lab: Lab) -> Told:
    """From here on nobody works on the origin, so that it must be the same after each way back.

    Its database has a password that can be searched for, and both servers keep all arguments.
    """
    lab.origin.must(
        "systemctl stop bmnb-writer; mv /etc/default/bmnb-writer /root/; "
        f"sed -i 's/^password = .*/password = {CANARY}/' /etc/bm/bm.ini; cd /; "
        # as input: the journal keeps the arguments of whatever writes to it, and runuser does
        f"runuser -u postgres -- psql -q <<< \"ALTER ROLE bj PASSWORD '{CANARY}'\"; bmctl stop; bmctl start; "
        # bmctl waits for neither the end nor the start of PostgreSQL
        "systemctl start postgresql"
    )
    lab.origin.must(request.module.MEANWHILE)
    for server in lab.servers:
        server.must(WATCH)
    return Told(lab.origin)


@pytest.fixture(scope="module")
def verified(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """The moment before the switch."""
    place = tmp_path_factory.mktemp("kept")
    yield Kept(story, place)
    shutil.rmtree(place)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each fault that strikes in this story is a test of its own."""
    if "fault" in metafunc.fixturenames:
        faults = of(metafunc.module.ENGINE, ONE_BY_ONE[metafunc.function.__name__])
        metafunc.parametrize("fault", faults, ids=[fault.name for fault in faults])


ONE_BY_ONE = {
    "test_prerequisites": FIRST,
    "test_a_guard_stops_a_pass_before_it_deletes_anything": GUARDS,
    "test_what_differs_is_found_and_stops_the_run": FOUND,
}


# the first run: prerequisites, and the way back from them


@pytest.mark.usefixtures("impatient")
def test_prerequisites(story: Story, fault: Fault):
    story.suffer(fault)


def test_another_run_at_the_same_servers_is_refused(story: Story, tmp_path: Path):
    assert story.go("key-authentication") == ""
    another = Story(story.lab, tmp_path / "runs", story.more)
    assert "is held by another run" in another.go("key-authentication")


def test_the_run_s_key_is_for_nothing_else(story: Story, tmp_path: Path):
    target = story.lab.target
    assert target.run(f"{SSH} root@origin '{LOGIN}' {NOTHING}").returncode == 0
    for line in ("id", "true; id", "rsync --server -logDtpr . /root/"):
        refused = target.run(f"{SSH} root@origin '{line}' {NOTHING}")
        assert (refused.returncode, refused.stdout) == (126, ""), line
    assert target.run(f"rsync -e '{SSH}' --remove-source-files root@origin:/etc/aliases /root/").returncode
    written = target.run(
        f"{SSH} root@origin 'rsync --server --sender -r . /etc/hostname;touch${{IFS}}/root/written' {NOTHING}"
    )
    assert written.returncode
    assert "written" not in story.lab.origin.must("ls /root")
    stolen = tmp_path / "key"
    stolen.write_text(target.must("cat /var/lib/bmnb/test/key"))
    stolen.chmod(0o600)
    options = ["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-i", str(stolen)]
    options += ["-F", str(story.lab.ssh_config), "-o", "User=root"]
    ran = subprocess.run(["ssh", *options, "origin", "true"], capture_output=True, text=True, check=False)
    assert "Permission denied" in ran.stderr, "it is the target's alone"


def test_the_way_back_from_the_prerequisites(story: Story):
    story.assert_rolled_back(story.roll_back())
    assert "bm-core.service is running" in story.lab.target.must("bmctl status")


# the second run: the hot synchronization, while users work


@pytest.mark.usefixtures("impatient")
def test_hot_synchronization(story: Story, monkeypatch: pytest.MonkeyPatch):
    assert story.go("stop-target") == ""
    for fault in of(story.engine, MIDDLE):
        # nobody waits for a line that is cut for good
        monkeypatch.setattr(perform, "OUT_OF_REACH_SECONDS", 3.0 if fault.breaks == "cable down" else 20.0)
        assert fault.says in story.suffer_while_copying(fault), fault.name
    assert story.go("hot-synchronization") == ""
    for fault in HOT:
        story.suffer(fault, again=True)
    assert story.go("hot-synchronization", again=True) == ""


@pytest.mark.usefixtures("impatient")
def test_hot_synchronization_goes_on_by_itself(story: Story):
    """A killed ssh, short cuts, a full /tmp: the pass is started again where it has to be, each time on record."""
    cut = next(fault for fault in ALONE if fault.breaks.startswith("cable"))
    at_once = [fault for fault in of(story.engine, ALONE) if fault is not cut]
    for fault in at_once:
        story.strike(fault)
    assert story.suffer_while_copying(cut, again=True) == ""
    for fault in at_once:
        story.mend(fault)
    lines = [line for line in journal(story.runs) if line.get("title") == story.trees]
    assert [line["event"] for line in lines[-4:]] == ["started", "failed", "started", "done"]


def test_hot_synchronization_on_a_bad_line(story: Story, monkeypatch: pytest.MonkeyPatch):
    """The line is cut for a minute, then for longer than either side keeps a silent connection, then it is slow.

    With the fast engine the cut of a minute, and all limits with it, last a tenth of their real length.
    """
    minute, *longer = LINE
    if story.engine == "fast":
        minute = replace(minute, breaks="cable down 6")
        monkeypatch.setattr(remote, "DEAD_SECONDS", remote.DEAD_SECONDS / 10)
        story.set_alive_interval(2)
    assert story.suffer_while_copying(minute, again=True) == ""
    assert [line["event"] for line in journal(story.runs) if line.get("title") == story.trees][-2:] == [
        "started",
        "done",
    ]
    monkeypatch.setattr(remote, "DEAD_SECONDS", 4.0)
    story.set_alive_interval(1, 3)
    for fault in longer:
        assert story.suffer_while_copying(fault, again=True) == "", fault.name


@pytest.mark.usefixtures("impatient")
def test_the_origin_restarts_during_the_hot_synchronization(story: Story):
    story.suffer_while_copying(RESTART, again=True)
    assert story.go("hot-synchronization") == ""
    assert "bm-core.service is running" in story.lab.origin.must("bmctl status")


def test_a_guard_stops_a_pass_before_it_deletes_anything(story: Story, fault: Fault):
    count = "find /var/spool/cyrus /var/spool/bm-docs | wc -l"
    before = story.lab.target.must(count)
    story.suffer(fault, again=True)
    assert story.lab.target.must(count) == before


def test_a_full_disk_of_the_controller_and_a_cut_journal(story: Story):
    folder = story.latest
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
        assert "nothing more is done" in story.go("hot-synchronization", again=True)
        assert (folder / "journal.jsonl").read_bytes()[: len(whole)] == whole
        (folder / "filler").unlink()
        with (folder / "journal.jsonl").open("ab") as torn:
            torn.write(b'{"number": 1000, "eve')
        assert story.go("hot-synchronization", again=True) == ""
        shutil.copytree(folder, kept, dirs_exist_ok=True)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()
    kept.rename(folder)


def test_the_way_back_from_the_hot_synchronization(story: Story):
    story.assert_rolled_back(story.roll_back())
    story.assert_target_is_itself()
    assert "rolled back already" in story.roll_back().stderr


# the third run: the cold synchronization


def test_hot_synchronization_once_more(story: Story):
    story.restart_target()
    assert story.go("hot-synchronization") == ""


def test_contents_are_compared_ahead(story: Story):
    def told(title: str) -> list[dict[str, Any]]:
        return [line for line in journal(story.runs) if line.get("title") == title]

    differs, killed = AHEAD
    story.suffer(differs)
    assert told("compare contents")[-1]["row"]["differences"] == 1
    assert told("compare contents again")[-1]["row"]["differences"] == 0
    story.suffer(killed, again=True)
    assert [line["event"] for line in told("compare contents")[-4:]] == [
        "started",
        "failed",
        "started",
        "done",
    ]


@pytest.mark.usefixtures("impatient")
def test_cold_synchronization(story: Story, quiet_origin: Told):
    *faults, restart_of_both = of(story.engine, COLD)
    for fault in faults:
        story.suffer(fault)
    story.unlock()
    killed = start(client_file(story.lab, story.runs, **story.more))
    wait_for(killed, story.runs, *story.copying)
    kill_all(killed)
    assert story.go(story.copying[1]) == "", "what ran on is taken up"
    story.suffer(restart_of_both)
    for server in story.lab.servers:
        assert "bm-core.service is stopped" in server.must("bmctl status")
    for fault in of(story.engine, IMPORT):
        story.suffer(fault)
    assert story.go("import-databases") == ""


def test_what_differs_is_found_and_stops_the_run(story: Story, fault: Fault):
    story.suffer(fault)


def test_then_nothing_differs(story: Story, quiet_origin: Told):
    assert story.go("verify-copy") == ""
    found = compare(story.lab.origin.must, story.lab.target.must)
    differs = [one for one in found if (one.kind, one.name) not in EXPECTED]
    assert [one for one in differs if STATE not in one.target] == []
    assert quiet_origin.changes() == []


# to its end, and back, which costs the mail that came meanwhile


def test_the_switch(story: Story, verified: Kept):
    """Both servers have restarted since, to be kept as they were."""
    assert story.go("stop-origin") == ""


def test_the_target_restarts_after_the_switch(story: Story):
    starts, later = AFTER
    said = story.suffer_in_the_middle(starts, "start BlueMind")
    assert not said or starts.says in said
    # what was under way may have ended with an error that is told first
    assert "" in (story.go(starts.step), story.go(starts.step))
    assert story.go("save-firewall") == ""
    story.strike(later)
    story.mend(later)


def test_to_the_end(story: Story):
    assert story.go("clean-up") == ""


def test_then_a_client_s_mail_comes_in_and_nothing_differs(story: Story, account: str):
    [tried] = [
        line for line in journal(story.runs) if line.get("title", "").startswith("mail to the test account")
    ][-1:]
    assert tried["event"] == "done"
    assert "INBOX" in {item["folder"] for item in tried["items"]}
    inbox = "/user/" + account.partition("@")[0].replace(".", "^")
    assert [one for one in unexpected(story.lab) if not one.name.endswith(inbox)] == []


def test_every_column_of_what_was_done_has_its_french_name(story: Story):
    """Also those that the programs on the servers name."""
    columns = {name for line in journal(story.runs) for name in line.get("row") or {}}
    assert columns - messages() == set()


def test_no_dump_is_left_but_for_who_has_the_key(story: Story, key: Path, tmp_path: Path):
    target = story.lab.target
    assert not {"db.sql", "bmnb-bj.dump"} & {
        *target.must("ls /var/lib/bmnb/test /var/lib/postgresql").split()
    }
    if story.engine == "fast":
        return
    for name in ("dumps.key.enc", "db.sql.enc"):
        (tmp_path / name).write_bytes(base64.b64decode(target.must(f"base64 /var/lib/bmnb/test/{name}")))
    padding = ["-pkeyopt", "rsa_padding_mode:oaep", "-in", "dumps.key.enc", "-out", "dumps.key"]
    subprocess.run(["openssl", "pkeyutl", "-decrypt", "-inkey", key, *padding], cwd=tmp_path, check=True)
    reading = [
        "openssl",
        "enc",
        "-d",
        "-aes-256-ctr",
        "-pbkdf2",
        "-pass",
        "file:dumps.key",
        "-in",
        "db.sql.enc",
    ]
    read = subprocess.run(reading, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert COMPLETE in read


def test_no_secret_appears_anywhere(story: Story, quiet_origin: Told):
    """On a server, in a list of arguments, in the run's record or in its report."""
    lab = story.lab
    token = lab.origin.must("cat /etc/bm/bm-core.tok").strip()
    assert report.write(story.latest).exists()
    for server in lab.servers:
        server.must("systemctl stop watch")
        arguments = server.must("cat /var/lib/arguments")
        assert "pg_dump" in arguments or "psql" in arguments, "the arguments of the run's programs were seen"
        for secret in (CANARY, token):
            assert secret not in arguments
            found = (
                f"grep -rlaFf - {LEFT} <<< '{secret}'; journalctl -ao export | grep -aFf <(echo '{secret}')"
            )
            assert server.run(found).stdout == ""
        assert "PRIVATE" not in server.must("cat /var/lib/bmnb/*/* 2> /dev/null; true")
        assert server.must("stat -c %a /var/lib/bmnb").strip() == "700"
    for path in story.runs.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path
            assert token.encode() not in path.read_bytes(), path


def test_the_way_back_from_the_end_says_its_price_first(story: Story, quiet_origin: Told):
    target = story.lab.target
    new = target.must(
        "d=$(find /var/spool/cyrus/data -type d -name Sent | sort | head -n 1); "
        "printf 'Subject: new\\r\\n\\r\\nnew\\r\\n' > $d/999999.; echo -n $d/999999."
    )
    shared = "/var/spool/cyrus/data/bm-master__example_org/domain/e/example.org/i/info/1."
    by_hash = f"/var/spool/cyrus/data/by_hash/a/b/ab{'0' * 38}.zst"
    for path in (shared, by_hash):
        target.must(f"mkdir -p $(dirname {path}); echo new > {path}")
    asked = story.roll_back()
    assert asked.returncode == 3
    for path in (new, shared, by_hash):
        assert path in asked.stdout
    assert "2 are not brought back" in asked.stdout
    assert "--confirm target" in asked.stderr
    assert "is running" in target.must("bmctl status"), "nothing is done before the price is accepted"
    back = story.roll_back("--confirm", "target")
    story.assert_rolled_back(back)
    assert story.lab.origin.address not in target.must("ip -o -4 addr")
    assert new in target.must("tar -tzPf /var/lib/bmnb/test/accepted-mail.tar.gz")
    [brought] = [line["row"] for line in journal(story.runs) if line.get("row", {}).get("brought back")]
    assert brought == {"brought back": 1, "there already": 0, "only kept": 2}
    [kept] = [line for line in journal(story.runs) if line.get("title") == "mail that is only kept"][-1:]
    assert {item["item"] for item in kept["items"]} == {shared, by_hash}
    changed = {one.name: one.origin for one in quiet_origin.changes()}
    folder = str(Path(new).parent)
    [message] = changed.keys() - {folder}
    assert (str(Path(message).parent), changed[message]) == (folder, "absent")


# the third run again, as it was before the switch


def test_the_way_back_from_the_cold_synchronization_killed_in_its_middle(
    story: Story, verified: Kept, quiet_origin: Told
):
    verified.restore()
    folder = story.latest
    killed = subprocess.Popen([*BMNB, "rollback", str(folder)], stdout=subprocess.DEVNULL)
    while '"step": "undo-stop-services"' not in (folder / "journal.jsonl").read_text():
        assert killed.poll() is None, "it came to an end before"
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    story.assert_rolled_back(story.roll_back())
    story.assert_target_is_itself()
    assert quiet_origin.changes() == []


def test_the_way_back_from_the_middle_of_the_switch(story: Story, verified: Kept, quiet_origin: Told):
    """The origin has restarted meanwhile, which no longer has an address then: its console gives it back."""
    verified.restore()
    story.go_back_and_on("stop-origin")
    origin = story.lab.origin
    assert origin.address not in origin.must("ip -o -4 addr")
    origin.restart(REBOOT)
    origin.wait()
    out_of_reach = story.roll_back()
    assert out_of_reach.returncode == 1
    assert "origin is reached through target" in out_of_reach.stderr
    origin.must("bash /var/lib/bmnb/test/give-back")
    story.assert_rolled_back(story.roll_back())
    story.assert_target_is_itself()
    assert quiet_origin.changes() == []
