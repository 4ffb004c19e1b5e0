"""A whole distribution change with the fast engine, killed and restarted on its way: nothing is lost."""

from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from tests.lab.faults import COLD, HOT, Fault
from tests.lab.migration import client_file, done, finish, kill_all, start, wait_for
from tests.lab.odd_tables import AFTER, BEFORE, sql

pytestmark = pytest.mark.lab

OVERLOOKED = "/var/spool/bm-docs/rewritten within the second"


def suffer(lab: Lab, client: Path, faults: tuple[Fault, ...], name: str) -> None:
    """A fault of the table stops this engine's run as the literal one's, with the same words."""
    fault = next(one for one in faults if one.name == name)
    server = lab.server(fault.server)
    server.must(fault.breaks)
    code, said = finish(client)
    server.must(fault.mends)
    assert code in (1, 3), said
    assert fault.says in said


def test_killed_and_restarted_in_every_pass_it_comes_to_the_same_end(lab: Lab, tmp_path: Path):
    runs = tmp_path / "runs"
    # a second hot pass, as a rehearsal of the cold one
    settings = {"engine": "fast", "hot_passes": 2, "restart_target": False}
    client = client_file(lab, runs, **settings)
    lab.origin.must(f"printf one > '{OVERLOOKED}'; touch -d '2026-03-01 10:00:00.1' '{OVERLOOKED}'")
    sql(lab, BEFORE)
    lab.target.must("printf stray > /var/spool/bm-docs/stray")

    killed = start(client)
    wait_for(killed, runs, "find out which parts it can do on these servers", "hot-synchronization.1")
    kill_all(killed)

    suffer(lab, client, HOT, "the target's disk is full")

    restarted = start(client)
    wait_for(restarted, runs, "all trees", "hot-synchronization.1")
    lab.target.run("systemctl reboot --force --force")
    said, _ = restarted.communicate(timeout=300)
    lab.target.wait()
    assert restarted.returncode == 1, said
    assert "the server restarted" in said

    code, said = finish(client_file(lab, runs, **settings, through="hot-synchronization"))
    assert code == 0, said
    rehearsed = done(runs, "rows of bj-data, proven equal", "hot-synchronization.2")[-1]["row"]
    assert rehearsed["restored"] == 0
    assert 0 < rehearsed["carried"] < rehearsed["rows"] / 10
    sql(lab, AFTER)
    lab.origin.must(f"printf two > '{OVERLOOKED}'; touch -d '2026-03-01 10:00:00.1' '{OVERLOOKED}'")

    client = client_file(lab, runs, **settings)
    suffer(lab, client, COLD, "a process keeps a file open")

    killed = start(client)
    wait_for(killed, runs, "rows of bj-data, proven equal", "cold-synchronization")
    kill_all(killed)

    code, said = finish(client)
    assert code == 0, said
    assert unexpected(lab) == []
    assert lab.target.must(f"cat '{OVERLOOKED}'") == "two"
    moved = done(runs, "what changed in the trees", "cold-synchronization")[-1]["row"]
    assert 0 < moved["transferred"] < moved["files"] / 10
