"""Dumps and imports: what counts as complete, and as equal."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bmnb.steps import Result
from bmnb.transfer.databases import dump_complete, import_read, not_older, same_rows, utf8_en_us


def told(text: str, exit: int = 0) -> Result:
    return Result("server", "", exit, text)


@pytest.mark.parametrize(
    ("end", "holds"),
    [
        ("--\n-- PostgreSQL database dump complete\n--\n\nbytes 100\n", True),
        ("-- PostgreSQL database dump complete\n--\n\\unrestrict abc\n\nbytes 100\n", True),
        ("COPY public.t_server (id) FROM stdin;\n1\nbytes 100\n", False),
        ("bytes 0\n", False),
    ],
)
def test_a_dump_counts_when_it_has_its_closing_comment(end: str, holds: bool):
    assert dump_complete(told(end)).holds is holds


def counted(exit: int = 0, **rows: int) -> Result:
    return told("".join(f"{json.dumps([name, number])}\n" for name, number in rows.items()), exit)


def test_rows_are_equal_table_by_table():
    names = ("bj public.t_server", 'bj public."Line\nItems"')
    origin, less = (counted(**dict(zip(names, rows, strict=True))) for rows in ((1, 3), (1, 2)))
    assert same_rows(origin, origin).holds
    different = same_rows(origin, less)
    assert (different.holds, different.seen) == (False, f"{names[1]}: 3 on the origin, 2 on the target")
    assert not same_rows(origin, counted(**{names[0]: 1})).holds
    assert [(one["table"], one["rows"], one["target rows"], one["same"]) for one in different.parts] == [
        ('public."Line\nItems"', 3, 2, False),
        ("public.t_server", 1, 1, True),
    ]
    assert not same_rows(told(""), told("")).holds, "nothing counted is not equal"
    assert not same_rows(origin, replace(origin, exit=1)).holds


def test_postgresql_may_become_newer_but_not_older():
    assert not_older(told("130018"), told("150010")).holds
    assert not_older(told("150010"), told("150002")).holds
    assert not not_older(told("150010"), told("130018")).holds


def test_both_databases_must_be_utf8_and_en_us():
    assert utf8_en_us(told('["bj", "UTF8", "en_US.utf8"]\n["bj-data", "UTF8", "en_US.UTF-8"]\n')).holds
    assert not utf8_en_us(told('["bj", "UTF8", "en_US.utf8"]\n["bj-data", "SQL_ASCII", ""]\n')).holds
    assert not utf8_en_us(told('["bj", "UTF8", "en_US.utf8"]\n')).holds


def test_the_gauge_of_an_import_tells_how_much_of_the_dump_was_read(tmp_path: Path):
    dump = tmp_path / "db.sql"
    dump.write_bytes(b"x" * 4_000_000)
    gauge = import_read(str(tmp_path), "bj", "db.sql")

    def measured(line: str) -> str:
        return subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, check=False
        ).stdout.strip()

    assert measured(gauge.total) == "4000000"
    assert measured(gauge.done) == ""
    with dump.open("rb", buffering=0) as reader:
        reader.read(1_000_000)
        assert measured(gauge.done) == "1000000"
