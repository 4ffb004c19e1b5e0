"""Dumping the origin's databases and importing them on the target.

Never a physical copy: another distribution's C library sorts text in another order, which breaks
every text index (wiki.postgresql.org/wiki/Locale_data_changes).
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from shlex import quote

from bmnb.bluemind.paths import ini
from bmnb.steps import Gauge, Result, Row, Verdict
from bmnb.transfer.access import ssh
from bmnb.transfer.programs import carry_database

COMPLETE = "-- PostgreSQL database dump complete"


def imported(database: str) -> str:
    """The database's name until its import is complete."""
    return f"{database}_bmnb_import"


def before(database: str) -> str:
    """The name under which the target's own database is kept until the end."""
    return f"{database}_before_bmnb"


def _as_postgres(line: str) -> str:
    return f"cd / && runuser -u postgres -- {line}"


def _psql(database: str = "postgres") -> str:
    return _as_postgres(f"psql -X -q -v ON_ERROR_STOP=1 -d {database}")


def dump(folder: str, origin: str, database: str, file: str) -> str:
    return f'umask 077; {ssh(folder)} root@{origin} "{_escaped(dump_there(database))}" > {folder}/{file}'


def _escaped(line: str) -> str:
    return line.replace("$", "\\$").replace('"', '\\"')


def table_under_way(database: str) -> str:
    """A line that prints which table of a database is being copied, or what is done to it.

    Rows are counted from PostgreSQL 14 on; all of a table are known where it has statistics.
    """
    word = """(?:[^". (]+|"(?:[^"]|"")*")"""
    counted, name = (
        "SELECT to_regclass('pg_stat_progress_copy') IS NOT NULL",
        f"substring(query FROM '^COPY ({word}(?:[.]{word})*)')",
    )
    every = (
        f"(SELECT nullif(greatest(reltuples::bigint, 0), 0) FROM pg_class WHERE oid = to_regclass({name}))"
    )

    def at(rows: str, source: str) -> str:
        number = f"nullif(concat_ws(' of ', {rows}, 'about ' || {every}), '') || ' rows'"
        return (
            f"SELECT string_agg(concat_ws(': ', translate(coalesce({name}, left(query, 80)), E'\\n\\r\\t', '   '), {number}), E'\\n') FROM {source} "
            f"WHERE datname = '{database}' AND application_name IN ('pg_dump', 'pg_restore', 'psql') "
            "AND state = 'active' AND query ~ '^(COPY|CREATE|ALTER) '"
        )

    return f"""{_psql(database)} -At <<'END'
{counted} AS counted \\gset
\\if :counted
{at("tuples_processed", "pg_stat_activity LEFT JOIN pg_stat_progress_copy USING (pid, datname)")};
\\else
{at("NULL", "pg_stat_activity")};
\\endif
END"""


def dump_there(database: str) -> str:
    """The line that the origin does for it."""
    return f"PGPASSWORD=$({ini('password')}) pg_dump -U bj -h localhost {database}"


def dumped(folder: str, origin: str, database: str, file: str) -> Gauge:
    """The dump's bytes by now; nobody knows the whole, since indexes and free space are not dumped."""
    there = f"{ssh(folder)} root@{origin} {quote(table_under_way(database))}"
    return Gauge(f"stat -c %s {folder}/{file}", at=there)


def import_read(folder: str, database: str, file: str) -> Gauge:
    """How much of the dump the import has read."""
    reader = f"find /proc/[0-9]*/fd -lname {folder}/{file} -printf '%h info/%f' 2> /dev/null"
    position = 'read -r folder name <<< "$found" && sed -n \'s/^pos:[ \t]*//p\' "$folder$name"'
    read = f"found=$({reader} -quit); {position}"
    return Gauge(read, f"stat -c %s {folder}/{file}", table_under_way(imported(database)))


def dump_end(folder: str, file: str) -> str:
    return f"tail -n 5 {folder}/{file}; stat -c 'bytes %s' {folder}/{file}"


def dump_complete(end: Result) -> Verdict:
    """A cut dump lacks pg_dump's last comment, and psql imports it without an error."""
    size = re.search(r"bytes (\d+)", end.stdout)
    complete = COMPLETE in end.stdout.splitlines()
    return Verdict(
        complete, f"{size[1] if size else 0} bytes" + ("" if complete else ", cut: no closing comment")
    )


def adopt_password() -> str:
    """Give the role bj the password of bm.ini, which by now is the origin's (from 5.2 on each has its own).

    PostgreSQL's log would hold the statement, and it, where it fails or where statements are logged.
    """
    return (
        f"password=$({ini('password')}); {_psql()} <<END\n"
        "SET log_statement = none; SET log_min_error_statement = panic; SET log_min_duration_statement = -1;\n"
        "ALTER ROLE bj PASSWORD '${password//\\'/\\'\\'}';\n"
        "END"
    )


def keep_encrypted(folder: str, files: list[str]) -> str:
    """Encrypt the dumps with a key of their own, and that one with the public key that comes in as input."""
    return f"""set -eu; umask 077; cd {folder}; cat > dumps.pem
openssl rand -hex 32 > dumps.key
openssl pkeyutl -encrypt -pubin -inkey dumps.pem -pkeyopt rsa_padding_mode:oaep -in dumps.key -out dumps.key.enc
for file in {" ".join(files)}; do
  [ ! -f "$file" ] || openssl enc -aes-256-ctr -pbkdf2 -pass file:dumps.key -in "$file" -out "$file.enc"
done
rm dumps.key"""


def drop_unfinished(database: str) -> str:
    return _as_postgres(f"dropdb --if-exists {imported(database)}")


def create(database: str, locale: str = "en_US.UTF-8") -> str:
    """`locale` is a word of the shell."""
    return _as_postgres(f"createdb -O bj -E UTF8 -l {locale} -T template0 {imported(database)}")


def create_alike(folder: str, origin: str, database: str) -> str:
    """The same for one that BlueMind's wizard does not make, in the origin's locale."""
    asked = f"locale=$({ssh(folder)} root@{origin} {quote(locale_there(database))}) || exit"
    return "\n".join((asked, create(database, '"$locale"')))


def locale_there(database: str) -> str:
    """The line that the origin does for it."""
    return _as_postgres(f"psql -XAtc \"SELECT datcollate FROM pg_database WHERE datname = '{database}'\"")


def import_dump(folder: str, database: str, file: str) -> str:
    """Import in one transaction, so that a broken import leaves an empty database."""
    return (
        f"cat {folder}/{file} | PGPASSWORD=$({ini('password')}) psql -X -q -v ON_ERROR_STOP=1 "
        f"--single-transaction -o /dev/null -U bj -h localhost {imported(database)}"
    )


def set_time_zone(database: str) -> str:
    """BlueMind's databases run on GMT; a dump of one database does not carry its settings.

    PostgreSQL has the collations of the locales that were there when it was installed; others may have come since.
    """
    gmt = f'{_psql()} -c "ALTER DATABASE \\"{imported(database)}\\" SET timezone TO \'GMT\'"'
    return f"{gmt} && {_psql(imported(database))} -o /dev/null -c {quote(carry_database.COLLATIONS)}"


def analyze(database: str) -> str:
    return _as_postgres(f"vacuumdb -q --analyze-only -d {imported(database)}")


def put_in_place(databases: Sequence[str]) -> str:
    """Rename all databases in one transaction; repeated after it was done, it changes nothing."""
    return _swap(databases, imported, before)


def take_back(databases: Sequence[str]) -> str:
    """Undo `put_in_place` for another pass, in one transaction: what was imported gets its name of before."""
    return _swap(databases, before, imported)


def _swap(databases: Sequence[str], comes: Callable[[str], str], goes: Callable[[str], str]) -> str:
    """A line by which those that have the name `comes` get their database's own, whose holder is called `goes` then."""
    renames = "\n".join(
        f"""  IF EXISTS (SELECT FROM pg_database WHERE datname = '{comes(name)}') THEN
    ALTER DATABASE "{name}" RENAME TO "{goes(name)}";
    ALTER DATABASE "{comes(name)}" RENAME TO "{name}";
  END IF;"""
        for name in databases
    )
    return _alone([one for name in databases for one in (name, comes(name))], renames)


def _alone(databases: Sequence[str], statements: str) -> str:
    """A line that ends the sessions on these databases and does the statements in one transaction."""
    return f"""{_psql()} <<'END'
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ({listed(databases)}) \\g /dev/null
DO $$ BEGIN
{statements}
END $$;
END"""


def unmark(databases: Sequence[str]) -> str:
    """A line that takes away what the fast engine marks its copies with."""
    return f"""{_psql()} -At <<'END'
SELECT format('ALTER DATABASE %I RESET bmnb.state', datname) FROM pg_database WHERE datname IN ({listed(databases)}) \\gexec
END"""


def given_up(database: str) -> str:
    """The name of an imported database on the way back."""
    return f"{database}_given_up_bmnb"


def put_back(databases: Sequence[str]) -> str:
    """Undo `put_in_place`, in one transaction; where it was not done, this changes nothing."""
    renames = "\n".join(
        f"""  IF EXISTS (SELECT FROM pg_database WHERE datname = '{before(name)}') THEN
    ALTER DATABASE "{name}" RENAME TO "{given_up(name)}";
    ALTER DATABASE "{before(name)}" RENAME TO "{name}";
  END IF;"""
        for name in databases
    )
    return _alone([one for name in databases for one in (name, before(name))], renames)


def drop_given_up(database: str) -> str:
    return f"{drop_unfinished(database)} && {_as_postgres(f'dropdb --if-exists {given_up(database)}')}"


def drop_before(database: str) -> str:
    return _as_postgres(f"dropdb --if-exists {before(database)}")


SERVER_VERSION = _as_postgres("psql -XAtc 'SHOW server_version_num'")


def not_older(origin: Result, target: Result) -> Verdict:
    """A dump can be imported by the same or a newer major version of PostgreSQL only."""
    ours, theirs = int(target.stdout) // 10000, int(origin.stdout) // 10000
    return Verdict(ours >= theirs, f"PostgreSQL {theirs} to {ours}")


ABSENT = "the original server has no such database"


def named(databases: Sequence[str]) -> str:
    """A line that prints which of them a server has."""
    query = f"SELECT datname FROM pg_database WHERE datname IN ({listed(databases)}) ORDER BY 1"
    return _as_postgres(f'psql -XAtc "{query}"')


def remember(folder: str) -> str:
    """A line that keeps for the target which databases the origin has; their names come in as input."""
    return f"""umask 077; mkdir -p {folder} && rm -f {folder}/with-*
while read -r name; do touch "{folder}/with-$name" || exit; done"""


def is_there(folder: str, database: str) -> str:
    return f"test -e {folder}/with-{database}"


def listed(databases: Sequence[str]) -> str:
    """Their names as SQL's IN takes them."""
    return ", ".join(f"'{name}'" for name in databases)


def sessions(databases: Sequence[str]) -> str:
    """A line that prints the sessions on them, but for our own; PostgreSQL's own workers change no data."""
    return _as_postgres(
        'psql -XAtF " " -c "SELECT datname, usename, application_name, client_addr FROM pg_stat_activity'
        f" WHERE datname IN ({listed(databases)}) AND pid <> pg_backend_pid()"
        " AND application_name !~ '^bmnb_' AND usename IS NOT NULL AND query !~ '^autovacuum: '\""
    )


ENCODINGS = _as_postgres(
    'psql -XAtc "SELECT json_build_array(datname, pg_encoding_to_char(encoding), datcollate)'
    " FROM pg_database WHERE datname IN ('bj', 'bj-data') ORDER BY datname\""
)


def utf8_en_us(found: Result) -> Verdict:
    rows = [json.loads(line) for line in found.stdout.split("\n") if line]
    good = [row for row in rows if row[1] == "UTF8" and str(row[2]).lower().replace("-", "") == "en_us.utf8"]
    return Verdict(len(good) == 2, "; ".join(" ".join(map(str, row)) for row in rows) or found.stderr.strip())


def count_rows(database: str) -> str:
    """A line that prints each table of a database with its number of rows, counted, as JSON.

    Without parallel workers, each of which locks all partitions of a table and their indexes once more: both
    databases at once could have more than max_locks_per_transaction allows for.
    """
    return f"""{_psql(database)} -At <<'END'
SET max_parallel_workers_per_gather = 0; SET statement_timeout = 0;
SELECT json_build_array('{database} ' || format('%I.%I', n.nspname, c.relname),
  (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I.%I', n.nspname, c.relname),
                                       false, true, '')))[1]::text::bigint)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'
ORDER BY n.nspname, c.relname;
END"""


def same_rows(origin: Result, target: Result) -> Verdict:
    theirs, ours = _rows(origin), _rows(target)
    if not theirs or not (origin.ok and target.ok):
        return Verdict(False, (origin.stderr + target.stderr).strip() or "no table was counted on the origin")
    wrong = sorted(
        f"{table}: {theirs.get(table)} on the origin, {ours.get(table)} on the target"
        for table in theirs.keys() | ours.keys()
        if theirs.get(table) != ours.get(table)
    )
    seen = "; ".join(wrong) or f"{len(ours)} tables, {sum(ours.values()):,} rows, equal"
    return Verdict(not wrong, seen, parts=tuple(_parts(theirs, ours)))


def _parts(theirs: dict[str, int], ours: dict[str, int]) -> Iterator[Row]:
    for name in sorted(theirs.keys() | ours.keys()):
        database, _, table = name.partition(" ")
        there, here = theirs.get(name), ours.get(name)
        counted = {"rows": there, "target rows": here, "same": there == here}
        yield {"database": database, "table": table, "how": "counted", **counted}


def _rows(counted: Result) -> dict[str, int]:
    return dict(json.loads(line) for line in counted.stdout.split("\n") if line)
