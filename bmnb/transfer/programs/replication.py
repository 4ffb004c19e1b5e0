"""Logical replication of a database: changes come over by themselves, from a slot on the origin.

The copy is restored from the snapshot with which the slot begins, so that no change is missed and none comes
twice. Only tables with a primary key or another replica identity are published: PostgreSQL would refuse
UPDATE and DELETE on others. Sequences, large objects and definitions are not replicated
(postgresql.org/docs/current/logical-replication-restrictions.html); both PostgreSQL from 11 on, since 10
does not tell of TRUNCATE.

A slot holds back the origin's log of changes. A guard there drops it once that is more than what is free.
"""

import os
import subprocess
import time
from typing import Sequence, Set

from .postgres import AS_POSTGRES, LOCAL, RUN_UNIT, START_UNIT, Failed, Session, literal, say

STALLED_SECONDS = 30.0
"""So long nothing may come over while the process that brings it dies or is absent."""
WAY_SECONDS = 15.0
PROGRAMS = os.path.dirname(os.path.abspath(__file__))
"""The same on both servers."""

PUBLISHED = """SELECT 'CREATE PUBLICATION {} ' || coalesce('FOR TABLE ' || string_agg('ONLY ' || c.oid::regclass, ', '), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  AND EXISTS (
    SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
      AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END)"""

NOT_REPLICATED = """SELECT c.oid::regclass FROM pg_class c WHERE c.relkind = 'r' AND NOT EXISTS (
  SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
  WHERE r.prrelid = c.oid AND p.pubname = {})"""


def name_of(database: str) -> str:
    """The name of publication, slot and subscription; a slot's may have letters, digits and _ only."""
    return "bmnb_" + "".join(one if one.isalnum() else "_" for one in database.lower())


def unit_of(database: str) -> str:
    return f"bmnb-replication-{database}.service"


def end_on_origin(database: str) -> str:
    """A line that drops guard, slot and publication, whatever of them is there."""
    return f"systemctl stop {unit_of(database)} 2> /dev/null\n{_drop(database)}"


def _drop(database: str) -> str:
    """A slot in use is taken from who has it; that one tries again soon."""
    slot = f"FROM pg_replication_slots WHERE slot_name = '{name_of(database)}'"
    return f"""{START_UNIT} && {_psql(database)} <<'END'
SET client_min_messages = warning;
DO $$ BEGIN
  FOR attempt IN 1..600 LOOP
    PERFORM pg_terminate_backend(active_pid) {slot};
    BEGIN
      PERFORM pg_drop_replication_slot(slot_name) {slot};
      EXIT;
    EXCEPTION WHEN object_in_use THEN
      PERFORM pg_sleep(0.05);
    END;
  END LOOP;
  PERFORM pg_drop_replication_slot(slot_name) {slot};
END $$;
DROP PUBLICATION IF EXISTS {name_of(database)};
END"""


def end_on_target(database: str) -> str:
    """A line that drops the subscription, wherever it is, without asking the origin, and the way to it."""
    name = name_of(database)
    where = f"SELECT datname FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid WHERE subname = '{name}'"
    return f"""systemctl stop {unit_of(database)} 2> /dev/null
{START_UNIT} && found=$({_psql("postgres")} -c "{where}") || exit
[ -z "$found" ] || ( {_psql('"$found"')} <<'END'
ALTER SUBSCRIPTION {name} DISABLE;
ALTER SUBSCRIPTION {name} SET (slot_name = NONE);
DROP SUBSCRIPTION {name};
ALTER SYSTEM RESET wal_retrieve_retry_interval;
SELECT pg_reload_conf() \\g /dev/null
END
)"""


def _psql(database: str) -> str:
    return f"{AS_POSTGRES}psql -XAtq -v ON_ERROR_STOP=1 -d {database}"


def guard(database: str, programs: str) -> str:
    """A line for the origin: look every minute whether the slot holds more than what is free."""
    name, unit = name_of(database), unit_of(database)
    slot = f"FROM pg_replication_slots WHERE slot_name = '{name}'"
    held = f"SELECT (pg_current_wal_lsn() - restart_lsn)::bigint {slot} AND restart_lsn IS NOT NULL"
    script = f"""while sleep 60; do
held=$({_psql("postgres")} -c "{held}")
free=$(df --output=avail --block-size=1 "$({_psql("postgres")} -c 'SHOW data_directory')/pg_wal" | tail -n 1)
[ "${{held:-0}}" -gt "$free" ] || continue
echo "{name} holds $held bytes, and $free are free: it is dropped"
{_drop(database)}
exit
done"""
    file = f"{programs}/guard-{database}"
    run = f"{RUN_UNIT} --unit={unit} -p Restart=on-failure bash {file}"
    return f"cat > {file} <<'BMNB-GUARD'\n{script}\nBMNB-GUARD\n{run}"


def walsender(database: str) -> str:
    """What psql connects to for the commands of replication."""
    return f"dbname='{database}' replication=database"


def join(programs: str) -> str:
    """The origin's end of the way, but for the socket there."""
    return f"python3 {programs}/way.py join"


class Replication:
    """Replication of one database to its copy; `shell` is the command that runs a line on the origin."""

    def __init__(self, shell: Sequence[str], database: str, copy: str) -> None:
        self.shell, self.database, self.copy = shell, database, copy
        self.name, self.unit = name_of(database), unit_of(database)
        self.way = f"/run/bmnb-replication-{database}"
        self.behind = 0

    def end(self) -> None:
        for shell, line in ((self.shell, end_on_origin), (LOCAL, end_on_target)):
            subprocess.run([*shell, line(self.database)], check=True)

    def begin(self) -> Session:
        """Publish, and make the slot; while the session is open, its snapshot is that of the slot."""
        subprocess.run([*self.shell, guard(self.database, PROGRAMS)], check=True)
        origin = Session(self.shell, self.database)
        origin.tell(origin.value(PUBLISHED.format(self.name)))
        origin.close()
        say(f"{self.database}: the slot waits for the end of the transactions that are under way")
        session = Session(self.shell, walsender(self.database))
        told = list(session.lines(f"CREATE_REPLICATION_SLOT {self.name} LOGICAL pgoutput"))
        self.snapshot = told[0].decode().split("\t")[2]
        return session

    @property
    def not_replicated(self) -> str:
        """A query for the tables whose rows do not come by themselves."""
        return NOT_REPLICATED.format(literal(self.name))

    def subscribe(self) -> None:
        self.open_way()
        where = f"host={self.way} port=5432 dbname={self.database} user=postgres application_name={self.name}"
        target = Session(LOCAL, self.copy)
        target.tell(
            f"CREATE SUBSCRIPTION {self.name} CONNECTION {literal(where)} PUBLICATION {self.name} "
            f"WITH (create_slot = false, slot_name = {self.name}, copy_data = false)"
        )
        # it tries to reach a server that was stopped once in 5 s, which is long in a downtime
        target.tell("ALTER SYSTEM SET wal_retrieve_retry_interval = '500ms'")
        target.value("SELECT pg_reload_conf()")
        target.close()

    def open_way(self) -> None:
        """Have a unit listen where PostgreSQL here looks for the origin's; it needs no password there."""
        if subprocess.run(["systemctl", "is-active", "--quiet", self.unit], check=False).returncode == 0:
            return
        origin = Session(self.shell, self.database)
        folder, port = origin.rows(
            "SELECT current_setting('unix_socket_directories'), current_setting('port')"
        )[0]
        origin.close()
        theirs = f"{folder.split(',')[0].strip()}/.s.PGSQL.{port}"
        subprocess.run(["install", "-d", "-o", "postgres", "-m", "700", self.way], check=True)
        socket = f"{self.way}/.s.PGSQL.5432"
        if os.path.exists(socket):
            os.unlink(socket)
        run = f"{RUN_UNIT} --unit={self.unit} -p Restart=always"
        # a hot pass's limit is none of the changes', for which the downtime waits
        ssh = self.shell[self.shell.index("ssh") :]
        listen = ["python3", f"{PROGRAMS}/way.py", "listen", socket, *ssh, f"{join(PROGRAMS)} {theirs}"]
        subprocess.run([*LOCAL, f'{run} "$@"', "bash", *listen], check=True)
        until = time.monotonic() + WAY_SECONDS
        while not os.path.exists(socket):
            if time.monotonic() > until:
                raise Failed(f"{self.unit} does not listen: see journalctl -u {self.unit}")
            time.sleep(0.05)

    def caught_up(self, origin: Session) -> bool:
        """Wait until all that the origin holds now is on the target; False where that cannot come."""
        target = Session(LOCAL, self.copy)
        try:
            return self.waited(origin, target)
        finally:
            target.close()

    def written(self) -> str:
        """A place in the origin's log behind all that it holds, and written to its disk with all before.

        The log's own end may lie within a record whose rest PostgreSQL writes when it must: after up to 15 s.
        """
        origin = Session(self.shell, self.database)
        place = origin.value(f"SELECT pg_logical_emit_message(true, {literal(self.name)}, '')")
        origin.close()
        return place

    def waited(self, origin: Session, target: Session) -> bool:
        wanted = self.written()
        slot = f"FROM pg_replication_slots WHERE slot_name = '{self.name}' AND restart_lsn IS NOT NULL"
        missing = f"SELECT ('{wanted}'::pg_lsn - confirmed_flush_lsn)::bigint {slot}"
        ours = f"SELECT coalesce(pid, 0) FROM pg_stat_subscription WHERE subname = '{self.name}' AND relid IS NULL"
        left = [int(row[0]) for row in origin.rows(missing)]
        if not left or not target.rows(ours):
            say(f"{self.database}: there is no replication to go on with")
            return False
        self.behind = max(0, left[0])
        self.open_way()
        moved = time.monotonic()
        workers: Set[str] = set()
        while left[0] > 0:
            workers.add(target.value(ours))
            time.sleep(0.05)
            before, left = left, [int(row[0]) for row in origin.rows(missing)]
            if not left:
                say(f"{self.database}: the slot was dropped meanwhile")
                return False
            if before != left:
                say(f"{self.database}: {max(0, left[0])} bytes of the origin's log to come")
                moved, workers = time.monotonic(), set()
            elif time.monotonic() - moved > STALLED_SECONDS and (len(workers) > 1 or "0" in workers):
                say(f"{self.database}: replication does not go on; PostgreSQL's log on the target says why")
                return False
        return True
