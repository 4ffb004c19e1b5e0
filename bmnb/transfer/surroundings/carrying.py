"""Roles, and what a server knows of its databases, brought from the origin as statements that may be done again.

Passwords come as PostgreSQL keeps them, which is not what one logs in with; that of bj is bm.ini's.
"""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from bmnb.bluemind.paths import DATABASES
from bmnb.transfer.access import ssh
from bmnb.transfer.databases import imported
from bmnb.transfer.surroundings.asking import USERS

COMPLETE = "-- complete"

# The statements have passwords in them: neither PostgreSQL's log nor its statistics nor an error shows them.
QUIET = """SET log_statement = none; SET log_min_error_statement = panic; SET log_min_duration_statement = -1;
SET pg_stat_statements.track_utility = off; SET client_min_messages = error;"""

_PSQL = "cd / && runuser -u postgres -- psql -wXAtq -v ON_ERROR_STOP=1 -v VERBOSITY=terse -d postgres"

# A list stands there as it is written after TO; another value is one literal.
_LISTS = "('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries')"

# What one PostgreSQL does not take, the comparison names: it does not end the downtime's work.
_SETTINGS = f"""SELECT format('DO $bmnb$ BEGIN EXECUTE %L; EXCEPTION WHEN OTHERS THEN NULL; END $bmnb$;',
    format('ALTER %s SET %I TO %s', place, name, CASE WHEN lower(name) IN {_LISTS} AND value <> '' THEN value ELSE quote_literal(value) END))
  FROM (SELECT {{place}} AS place, split_part(one, '=', 1) AS name, substr(one, strpos(one, '=') + 1) AS value
    FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) one
    WHERE one NOT LIKE 'bmnb.%' AND {{where}}) given ORDER BY place, name;"""

_ROLES = f"""SELECT format('SELECT %L WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %L) \\gexec', format('CREATE ROLE %I', rolname), rolname)
  FROM pg_authid WHERE oid >= {USERS} ORDER BY oid;
SELECT format('ALTER ROLE %I %s CONNECTION LIMIT %s VALID UNTIL %L%s;', rolname, concat_ws(' ',
    CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END, CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
    CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
    CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
    CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END), rolconnlimit, coalesce(rolvaliduntil::text, 'infinity'),
    CASE WHEN rolname <> 'bj' THEN format(' PASSWORD %L', rolpassword) END)
  FROM pg_authid WHERE oid >= {USERS} ORDER BY oid;
SELECT 'ALTER ROLE ALL RESET ALL; ALTER ROLE postgres RESET ALL;';
SELECT format('COMMENT ON ROLE %I IS %L; ALTER ROLE %I RESET ALL;', rolname, shobj_description(oid, 'pg_authid'), rolname)
  FROM pg_authid WHERE oid >= {USERS} ORDER BY oid;
SELECT format('SELECT format(''REVOKE %%I FROM %%I'', pg_get_userbyid(roleid), pg_get_userbyid(member)) FROM pg_auth_members WHERE member = to_regrole(%L) \\gexec', quote_ident(rolname))
  FROM pg_authid WHERE oid >= {USERS} ORDER BY oid;
SELECT format('GRANT %I TO %I%s;', pg_get_userbyid(roleid), pg_get_userbyid(member), CASE WHEN to_jsonb(m) ? 'inherit_option'
    THEN format(' WITH ADMIN %s, INHERIT %s, SET %s', admin_option::text, to_jsonb(m) ->> 'inherit_option', to_jsonb(m) ->> 'set_option')
    WHEN admin_option THEN ' WITH ADMIN OPTION' END)
  FROM pg_auth_members m WHERE member >= {USERS} ORDER BY roleid, member;
{_SETTINGS.format(place="'ROLE ' || CASE setrole WHEN 0 THEN 'ALL' ELSE quote_ident(pg_get_userbyid(setrole)) END", where="setdatabase = 0")}"""

# The copy's own rights and settings go first; that the time zone of BlueMind's own is GMT stays, and so does the fast engine's mark.
_TAKE_AWAY = """SELECT format('REVOKE ALL ON DATABASE %I FROM %s', datname, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
  FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE datname = %L \\gexec
SELECT format('ALTER %s RESET %I', concat_ws(' IN ', CASE WHEN setrole > 0 THEN format('ROLE %I', pg_get_userbyid(setrole)) END, format('DATABASE %I', datname)), split_part(one, '=', 1))
  FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) one
  WHERE datname = %L AND one NOT LIKE 'bmnb.%%' AND NOT (%K AND setrole = 0 AND lower(split_part(one, '=', 1)) = 'timezone') \\gexec"""


def _of_database(name: str) -> str:
    """Statements that print those for a database's copy; none where it is not there."""
    copy, there = imported(name), f"datname = '{name}'"
    take_away = _TAKE_AWAY.replace("%L", f"'{copy}'").replace("%K", str(name in DATABASES)).replace("%%", "%")
    of_role = "CASE WHEN setrole > 0 THEN format('ROLE %I IN ', pg_get_userbyid(setrole)) ELSE '' END"
    place = f"{of_role} || 'DATABASE \"{copy}\"'"
    return f"""SELECT $take$ALTER DATABASE "{copy}" OWNER TO $take$ || quote_ident(pg_get_userbyid(datdba)) || ';' FROM pg_database WHERE {there};
SELECT $take${take_away}$take$ FROM pg_database WHERE {there};
SELECT format('GRANT %s ON DATABASE "{copy}" TO %s%s;', privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
  FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE {there};
SELECT format('ALTER DATABASE "{copy}" CONNECTION LIMIT %s; COMMENT ON DATABASE "{copy}" IS %L;', datconnlimit, shobj_description(oid, 'pg_database'))
  FROM pg_database WHERE {there};
{_SETTINGS.format(place=place, where=there)}"""


def roles_there() -> str:
    """A line that prints the statements which make a server's roles."""
    return _print(_ROLES)


def databases_there(databases: Sequence[str]) -> str:
    """A line that prints those for the copies of the databases that a server has."""
    return _print("\n".join(map(_of_database, databases)))


def _print(statements: str) -> str:
    return f"{_PSQL} <<'END'\nBEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n{statements}\nSELECT '{COMPLETE}';\nEND"


def carry(folder: str, origin: str, there: str) -> str:
    """A line for the target that has the origin print statements, and does them all or none."""
    return f"""umask 077; {ssh(folder)} root@{origin} {quote(there)} > {folder}/statements || exit
{_do(f"{folder}/statements")} && rm {folder}/statements"""


def _do(file: str) -> str:
    return f"""[ "$(tail -n 1 {file})" = '{COMPLETE}' ] || {{ echo 'the statements were cut' >&2; exit 1; }}
( {_PSQL} -1 -o /dev/null < <(echo {quote(QUIET)}; cat {file}) )"""


def keep_roles(folder: str) -> str:
    """A line that keeps, once, how the target's own roles were."""
    names = f"SELECT string_agg(quote_literal(rolname), ', ') FROM pg_roles WHERE oid >= {USERS}"
    return f"""umask 077; mkdir -p {folder}; [ ! -e {folder}/roles-before ] || exit 0
( {_PSQL} -c {quote(names)} ) > {folder}/roles-named && ( {roles_there()}
) > {folder}/roles-before.new && mv {folder}/roles-before.new {folder}/roles-before"""


def put_roles_back(folder: str) -> str:
    """A line that makes the target's roles as they were; one that came and owns something by now stays."""
    return f"""[ -e {folder}/roles-before ] || exit 0
{_do(f"{folder}/roles-before")} || exit
names=$(cat {folder}/roles-named) && {_PSQL} <<END
SELECT format('DO \\$\\$ BEGIN DROP ROLE %I; EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END \\$\\$', rolname)
  FROM pg_roles WHERE oid >= {USERS} AND rolname NOT IN (${{names:-''}}) \\\\gexec
END
rm {folder}/roles-before {folder}/roles-named"""
