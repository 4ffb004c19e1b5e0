"""PostgreSQL of a server by psql: sessions that are kept open, single lines, and where they stop."""

import os
import re
import subprocess
import sys
from contextlib import suppress
from shlex import quote
from typing import Any, Iterable, Iterator, List, Sequence, Type

UNBOUND = "statement_timeout=0 lock_timeout=0 idle_in_transaction_session_timeout=0"
AS_USUAL = "standard_conforming_strings=on array_nulls=on default_transaction_read_only=off"
OPTIONS = " ".join(f"-c {one}" for one in f"{UNBOUND} {AS_USUAL}".split())
"""Above what is set for a role or a database."""

AS_POSTGRES = f"cd / && PGOPTIONS={quote(OPTIONS)} runuser -u postgres -- "

# Debian's psql is a script in Perl that looks for the cluster first, which takes five times as long as psql
FIND_PSQL = (
    "set -- psql /usr/lib/postgresql/*/bin/psql; psql=${@: -1}; "
    "[ -x $psql ] && [ -S /var/run/postgresql/.s.PGSQL.5432 ] || psql=psql; "
)
"""Set $psql for a line: what connects to the usual port, where that is in use."""

PLAIN_TEXT = (
    "SET timezone = 'GMT'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex'; "
    "SET client_encoding = 'UTF8'; SET search_path = pg_catalog; SET lc_monetary = 'C'; SET xmloption = 'content'"
)
"""Have the same value be the same text on both servers, but for the digits of floats."""

PLAIN_SESSION = "SET max_parallel_workers_per_gather = 0; SET jit = off"
"""For short statements, of which many are made."""

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Open one snapshot for all that is read."""

LOCAL = ("bash", "--norc", "-c")

# that of PGDG's packages, which RedHat's family has, bears the version
_UNIT = (
    "unit=postgresql; systemctl cat $unit > /dev/null 2>&1 || "
    "unit=$(systemctl list-unit-files --no-legend 'postgresql-[0-9]*' | awk '$2 == \"enabled\" {print $1}')"
)
START_UNIT = f"( {_UNIT}; systemctl start $unit )"
"""Start PostgreSQL, however its unit is called."""
START_SOON = START_UNIT.replace("start $unit", "start --no-block $unit")

# bmctl stop takes PostgreSQL down on releases driven by systemd; Debian's unit is started 1 to 2 s after
# PostgreSQL answers
ANSWERS = f"( {AS_POSTGRES}psql -XAtqc 'SELECT' 2> /dev/null )"
START = f"{START_SOON}; for look in $(seq 300); do {ANSWERS} && exit; sleep 0.05; done; {START_UNIT}"

# systemd forgets a unit that has failed from 236 on only where it is told to, before never
RUN_UNIT = "systemd-run --quiet $(systemd-run --help | grep -o -e --collect)"
"""Run a program in a unit of which nothing stays once it has ended."""

LOST = 255
"""ssh's exit status where its connection breaks, and a program's where it may just be started again."""


class Failed(Exception):
    """What stands in the way, for a person to read."""


class Lost(Failed):
    """The connection to the origin broke, so that the same pass may just be started again."""


class Died(Failed):
    """A program was killed, or its server went away: nothing was found out about the data."""


CONNECTION_BROKE, KILLED = 2, 128
"""psql's exit status where the server goes away (postgresql.org/docs/current/app-psql.html), and bash's above
which a signal ended a program."""


def failed(what: str, status: int) -> Failed:
    """What to raise where a program has ended so."""
    if status == LOST or status < 0:
        kind: Type[Failed] = Lost
    else:
        kind = Died if status == CONNECTION_BROKE or status > KILLED else Failed
    return kind(f"{what} ended with {status}")


def say(text: str) -> None:
    """A line for who watches."""
    print(text, file=sys.stderr, flush=True)


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def by_name(oid: str) -> str:
    """A query for a row of bmnb_row's columns in the order of their names; `oid` is an expression for its table.

    The order of columns is not the same on both servers: a dump puts inherited ones first.
    """
    columns = "string_agg('bmnb_row.' || quote_ident(attname), ', ' ORDER BY attname COLLATE \"C\")"
    there = f"attrelid = {oid} AND attnum > 0 AND NOT attisdropped"
    return f"(SELECT format('ROW(%s)', {columns}) FROM pg_attribute WHERE {there})"


def digits(oldest: int) -> int:
    """The extra_float_digits with which floats are compared: before 12 the shortest text was another one."""
    return 1 if oldest >= 120000 else 0


def hash_of_row(oldest: int, row: str) -> str:
    """The hash of the text of a row, the same on both servers; `oldest` is the number of the older PostgreSQL."""
    if oldest < 110000:
        return f"('x' || substr(md5(({row})::text), 1, 16))::bit(64)::bigint"
    return f'hashtextextended(({row})::text COLLATE "C", 0)'


def postgres(line: str, **streams: Any) -> None:
    subprocess.run([*LOCAL, AS_POSTGRES + line], check=True, **streams)


def start_postgresql(shell: Sequence[str]) -> None:
    started = subprocess.run([*shell, START], check=False)
    if started.returncode != 0:
        raise failed("the start of PostgreSQL", started.returncode)


def psql(database: str) -> str:
    """The line of a session on a database."""
    session = f"env PGAPPNAME=bmnb_session $psql -XAtq -F '\t' -v ON_ERROR_STOP=1 -d {quote(database)}"
    return f"{FIND_PSQL}{AS_POSTGRES}{session}"


ESCAPED = re.compile(r"\\(.)")
MEANT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "N": ""}


def fields(line: bytes) -> List[str]:
    """The fields of a line of COPY (postgresql.org/docs/current/sql-copy.html, text format)."""
    told = line.decode(errors="surrogateescape").rstrip("\n").split("\t")
    return [ESCAPED.sub(lambda found: MEANT.get(found[1], found[1]), one) for one in told]


class Session:
    """A psql that is kept open; it ends at the first error, which it has told by then."""

    def __init__(self, shell: Sequence[str], database: str) -> None:
        self.process = subprocess.Popen(
            [*shell, psql(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.mark = f"end-of-answer-{os.urandom(8).hex()}\n".encode()

    def ask(self, sql: str) -> None:
        """Send a query; several may wait for their answers, which come in the same order."""
        self.send([f"{sql};\n\\echo {self.mark.decode()}".encode(errors="surrogateescape")])

    def send(self, blocks: Iterable[bytes]) -> None:
        assert self.process.stdin
        try:
            for block in blocks:
                self.process.stdin.write(block)
            self.process.stdin.flush()
        except BrokenPipeError:
            return  # psql has ended: its answer tells

    def answer(self) -> Iterator[bytes]:
        """The lines of the next answer as they come, each with its end."""
        assert self.process.stdout
        for line in self.process.stdout:
            if line == self.mark:
                return
            yield line
        raise failed("psql", self.process.wait())

    def lines(self, sql: str) -> Iterator[bytes]:
        self.ask(sql)
        return self.answer()

    def rows(self, sql: str) -> List[List[str]]:
        """What a query tells: any text may be in a field, since COPY tells it; it is empty for NULL."""
        return [fields(line) for line in self.lines(f"COPY ({sql}) TO STDOUT")]

    def tell(self, sql: str) -> None:
        for line in self.lines(sql):
            raise Failed(f"unexpected answer {line!r} to {sql[:200]}")

    def value(self, sql: str) -> str:
        return self.rows(sql)[0][0]

    def abandon(self) -> None:
        """End it, and the transaction that it is in, whatever is left of an answer."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(BrokenPipeError):
                pipe and pipe.close()
        self.process.wait()

    def close(self) -> None:
        self.process.communicate()
