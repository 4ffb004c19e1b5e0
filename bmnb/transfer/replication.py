"""Whether the servers allow logical replication as they are."""

from __future__ import annotations

from collections.abc import Sequence

from bmnb.transfer.databases import listed
from bmnb.transfer.programs.postgres import AS_POSTGRES

# an earlier pass's own do not count
_ON_ORIGIN = r"""SELECT concat_ws(', ',
  CASE WHEN current_setting('server_version_num')::int < 110000 THEN 'PostgreSQL of the origin is older than 11' END,
  CASE current_setting('wal_level') WHEN 'logical' THEN NULL ELSE 'wal_level of the origin is ' || current_setting('wal_level') END,
  CASE WHEN current_setting('max_replication_slots')::int - (
    SELECT count(*) FROM pg_replication_slots WHERE slot_name !~ '^bmnb_') < number
    THEN 'the origin has not a replication slot free for each database' END,
  CASE WHEN current_setting('max_wal_senders')::int - (
    SELECT count(*) FROM pg_stat_replication WHERE application_name !~ '^bmnb_') < number
    THEN 'the origin has not a WAL sender free for each database' END) FROM"""

_ON_TARGET = r"""SELECT concat_ws(', ',
  CASE WHEN least(current_setting('max_logical_replication_workers')::int, current_setting('max_replication_slots')::int) - (
    SELECT count(*) FROM pg_subscription WHERE subname !~ '^bmnb_') < number
    THEN 'the target has not a replication worker free for each database' END) FROM"""


def on_origin(databases: Sequence[str]) -> str:
    return _against(_ON_ORIGIN, databases)


def on_target(databases: Sequence[str]) -> str:
    return _against(_ON_TARGET, databases)


def _against(query: str, databases: Sequence[str]) -> str:
    """A line that prints what speaks against it on a server, for those of the databases that are there."""
    number = f"(SELECT count(*) AS number FROM pg_database WHERE datname IN ({listed(databases)})) there"
    return f'{AS_POSTGRES}psql -XAtq -v ON_ERROR_STOP=1 -c "{query} {number}"'
