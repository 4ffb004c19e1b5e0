"""Whether the servers allow logical replication as they are."""

from __future__ import annotations

from bmnb.transfer.programs.postgres import AS_POSTGRES

# an earlier pass's own do not count
ON_ORIGIN = r"""SELECT concat_ws(', ',
  CASE WHEN current_setting('server_version_num')::int < 110000 THEN 'PostgreSQL of the origin is older than 11' END,
  CASE current_setting('wal_level') WHEN 'logical' THEN NULL ELSE 'wal_level of the origin is ' || current_setting('wal_level') END,
  CASE WHEN current_setting('max_replication_slots')::int - (
    SELECT count(*) FROM pg_replication_slots WHERE slot_name !~ '^bmnb_') < 2 THEN 'the origin has no two replication slots free' END,
  CASE WHEN current_setting('max_wal_senders')::int - (
    SELECT count(*) FROM pg_stat_replication WHERE application_name !~ '^bmnb_') < 2 THEN 'the origin has no two WAL senders free' END)"""

ON_TARGET = r"""SELECT concat_ws(', ',
  CASE WHEN least(current_setting('max_logical_replication_workers')::int, current_setting('max_replication_slots')::int) - (
    SELECT count(*) FROM pg_subscription WHERE subname !~ '^bmnb_') < 2 THEN 'the target has no two replication workers free' END)"""


def against(query: str) -> str:
    """A line that prints what speaks against it on a server; nothing where nothing does."""
    return f'{AS_POSTGRES}psql -XAtq -v ON_ERROR_STOP=1 -c "{query}"'
