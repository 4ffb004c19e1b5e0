"""What PostgreSQL tells of a server and of the databases there, as JSON: one object a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bmnb.steps import Result, Verdict

USERS = 16384
"""The first oid that is not the system's own."""

_PSQL = "runuser -u postgres -- psql -wXAtq -v ON_ERROR_STOP=1"

# Columns that only newer releases have are taken out of the whole row.
_SERVER = f"""SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'roles', (SELECT json_agg(json_build_object('name', rolname, 'superuser', rolsuper, 'inherit', rolinherit,
      'createrole', rolcreaterole, 'createdb', rolcreatedb, 'login', rolcanlogin, 'replication', rolreplication,
      'bypassrls', rolbypassrls, 'connection limit', rolconnlimit, 'valid until', nullif(rolvaliduntil, 'infinity'),
      'password', CASE WHEN rolpassword LIKE 'SCRAM%' THEN 'scram' WHEN rolpassword IS NOT NULL THEN 'md5' END,
      'comment', shobj_description(oid, 'pg_authid'))) FROM pg_authid WHERE oid >= {USERS}),
  'members', (SELECT json_agg(json_build_object('role', pg_get_userbyid(roleid), 'member', pg_get_userbyid(member),
      'admin', admin_option, 'inherit', to_jsonb(m) -> 'inherit_option', 'set', to_jsonb(m) -> 'set_option'))
    FROM pg_auth_members m WHERE member >= {USERS}),
  'settings', (SELECT json_agg(json_build_array(datname, CASE WHEN setrole > 0 THEN pg_get_userbyid(setrole) END, one))
    FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) one
    WHERE one NOT LIKE 'bmnb.%'),
  'tablespaces', (SELECT json_agg(json_build_array(spcname, pg_tablespace_location(oid))) FROM pg_tablespace),
  'available', (SELECT json_object_agg(name, default_version) FROM pg_available_extensions),
  'collations', (SELECT json_agg(DISTINCT collname) FROM pg_collation),
  'configured', (SELECT json_object_agg(name, setting) FROM pg_settings WHERE name IN
    ('shared_preload_libraries', 'max_connections', 'max_locks_per_transaction', 'max_prepared_transactions')),
  'known', (SELECT json_agg(name) FROM pg_settings),
  'databases', (SELECT json_object_agg(datname, json_build_object('owner', pg_get_userbyid(datdba),
      'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'ctype', datctype,
      'provider', coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'), 'connection limit', datconnlimit,
      'tablespace', spcname, 'comment', shobj_description(d.oid, 'pg_database'),
      'rights', (SELECT json_agg(json_build_array(CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END,
          privilege_type, is_grantable) ORDER BY grantee = 0, pg_get_userbyid(grantee), privilege_type)
        FROM aclexplode(coalesce(datacl, acldefault('d', datdba))))))
    FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE NOT datistemplate))"""

_COLLATIONS = """SELECT attcollation FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE c.oid >= 16384
  UNION SELECT unnest(indcollation::oid[]) FROM pg_index WHERE indexrelid >= 16384
  UNION SELECT typcollation FROM pg_type WHERE oid >= 16384
  UNION SELECT rngcollation FROM pg_range WHERE rngtypid >= 16384
  UNION SELECT refobjid FROM pg_depend WHERE refclassid = 'pg_collation'::regclass
  UNION SELECT oid FROM pg_collation WHERE oid >= 16384"""

_DATABASE = f"""SELECT current_setting('server_version_num')::int >= 100000 AS publishes \\gset
SELECT '[]' AS publications, '[]' AS subscriptions, '[]' AS outgrown \\gset
SELECT current_setting('server_version_num')::int >= 150000 AS has_version \\gset
\\if :has_version
SELECT coalesce(json_agg(json_build_array(datname, datcollversion, pg_database_collation_actual_version(oid))), '[]') AS outgrown
  FROM pg_database WHERE datname = current_database() AND datcollversion <> pg_database_collation_actual_version(oid) \\gset
\\endif
\\if :publishes
SELECT (:'outgrown'::jsonb || coalesce(jsonb_agg(jsonb_build_array(collname, collversion, pg_collation_actual_version(k.oid))), '[]')) AS outgrown
  FROM pg_collation k WHERE collversion <> pg_collation_actual_version(k.oid) AND k.oid IN ({_COLLATIONS}) \\gset
SELECT coalesce(json_agg(to_jsonb(p) - 'oid' - 'pubowner' || jsonb_build_object('owner', pg_get_userbyid(pubowner),
    'tables', (SELECT json_agg(to_jsonb(t) - 'pubname' ORDER BY schemaname, tablename)
      FROM pg_publication_tables t WHERE t.pubname = p.pubname)) ORDER BY pubname), '[]') AS publications
  FROM pg_publication p WHERE pubname !~ '^bmnb_' \\gset
SELECT coalesce(json_agg(subname ORDER BY subname), '[]') AS subscriptions FROM pg_subscription s
  JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database() AND subname !~ '^bmnb_' \\gset
\\endif
SELECT json_build_object('database', current_database(),
  'outgrown', :'outgrown'::json, 'publications', :'publications'::json, 'subscriptions', :'subscriptions'::json,
  'extensions', (SELECT json_object_agg(extname, extversion) FROM pg_extension),
  'collations', (SELECT json_agg(json_build_object('name', collname, 'provider', coalesce(to_jsonb(k) ->> 'collprovider', 'c'),
      'locale', collcollate, 'own', k.oid >= {USERS}))
    FROM pg_collation k WHERE k.oid IN ({_COLLATIONS}) AND collname NOT IN ('default', 'C', 'POSIX')),
  'tablespaces', (SELECT json_agg(DISTINCT spcname) FROM pg_class c JOIN pg_tablespace t ON t.oid = reltablespace
    WHERE spcname <> 'pg_global'));"""


def ask(databases: Sequence[str]) -> str:
    """A line that prints an object on the server, then one on each of these databases that are there."""
    return f"""cd / && {_PSQL} -d postgres <<'END'
{_SERVER};
{"".join(map(_of, databases))}END"""


def _of(database: str) -> str:
    return f"""SELECT count(*) > 0 AS is_there FROM pg_database WHERE datname = '{database}' \\gset
\\if :is_there
\\connect "{database}"
{_DATABASE}
\\endif
"""


@dataclass(frozen=True)
class Told:
    """What one server told; `databases` are those that are carried and there, by name."""

    host: str
    server: dict[str, Any]
    databases: dict[str, dict[str, Any]]

    def list(self, key: str) -> list[Any]:
        return self.server[key] or []

    def all_of(self, database: str) -> dict[str, Any]:
        """What the server tells of a database, and what the database tells itself."""
        return {**self.server["databases"][database], **self.databases[database]}


def read(told: Result) -> Told:
    """Raise ValueError or KeyError where it is not what `ask` prints."""
    server, *databases = [json.loads(line) for line in told.stdout.split("\n") if line]
    return Told(told.host, server, {one["database"]: one for one in databases})


def unasked(*servers: Result) -> Verdict | None:
    """None where all could be asked."""
    silent = [
        f"{one.host}: {one.stderr.strip() or 'no answer'}"
        for one in servers
        if not (one.ok and one.stdout.strip())
    ]
    return Verdict.unmade("; ".join(silent)) if silent else None
