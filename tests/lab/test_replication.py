"""The databases by logical replication: where it is allowed, killed in both phases, and nothing of it left."""

import subprocess
from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from bmnb.lab.server import Server
from tests.lab.migration import BMNB, client_file, done, finish, kill_all, start, wait_for
from tests.lab.odd_tables import AFTER, BEFORE, sql

pytestmark = pytest.mark.lab

SETTINGS = {"engine": "fast", "database_copy": "replication", "restart_target": "never"}
PROBE = "find out which parts it can do on these servers"
CHANGES = "changes of bj-data, by replication"

LEFT = """systemctl list-units --plain --no-legend 'bmnb-replication-*'; cd /
psql="runuser -u postgres -- psql -XAtq"
$psql -c "SELECT slot_name FROM pg_replication_slots" -c "SELECT subname FROM pg_subscription"
for database in $($psql -c "SELECT datname FROM pg_database WHERE datallowconn"); do
  $psql -d $database -c "SELECT pubname FROM pg_publication"
done
$psql -c "SELECT name FROM pg_settings WHERE name = 'wal_retrieve_retry_interval' AND setting <> reset_val"
grep wal_retrieve $($psql -c "SHOW data_directory")/postgresql.auto.conf; true"""


def left(server: Server) -> str:
    """What replication has left on a server: units, slots, subscriptions, publications, settings."""
    server.must("systemctl start postgresql")
    return server.must(LEFT)


def probed(runs: Path) -> str:
    return str(done(runs, PROBE, "hot-synchronization")[-1]["row"]["replication"])


def test_killed_in_both_phases_nothing_is_lost_and_nothing_left_behind(lab: Lab, tmp_path: Path):
    first, second = tmp_path / "first", tmp_path / "second"
    lab.origin.must("echo CHANGES_A_SECOND=30 > /etc/default/bmnb-writer; systemctl restart bmnb-writer")
    sql(lab, BEFORE)

    client = client_file(lab, first, **SETTINGS, through="hot-synchronization")
    code, said = finish(client)
    assert code == 0, said
    assert probed(first) == "no: wal_level of the origin is replica"

    sql(lab, "ALTER SYSTEM SET wal_level = logical")
    lab.origin.must("systemctl restart postgresql")
    client = client_file(lab, first, **SETTINGS, hot_passes=2, through="hot-synchronization")
    killed = start(client)
    wait_for(killed, first, CHANGES, "hot-synchronization.2")
    kill_all(killed)
    code, said = finish(client)
    assert code == 0, said
    assert probed(first) == "yes"
    assert "bmnb_bj_data" in left(lab.origin)

    [folder] = first.glob("*-test-changing-distributions")
    subprocess.run([*BMNB, "rollback", folder], check=True)
    assert (left(lab.origin), left(lab.target)) == ("", "")

    lab.target.must("systemctl enable --quiet bluemind.target; bmctl start")
    code, said = finish(client_file(lab, second, **SETTINGS, through="hot-synchronization"))
    assert code == 0, said
    sql(lab, AFTER)

    client = client_file(lab, second, **SETTINGS)
    killed = start(client)
    wait_for(killed, second, CHANGES, "cold-synchronization")
    kill_all(killed)
    code, said = finish(client)
    assert code == 0, said
    assert unexpected(lab) == []
    told = done(second, CHANGES, "cold-synchronization")[-1]["row"]
    assert told["restored"] == 0
    assert told["replicated"] > told["tables"]
    assert (left(lab.origin), left(lab.target)) == ("", "")
