"""PostgreSQL that answers and lets nobody in is not one that is down; and it is BlueMind's own that is asked."""

import pytest

from bmnb.steps import Result
from bmnb.transfer.surroundings import reaching


def told(text: str, exit: int = 0, error: str = "", host: str = "origin") -> Result:
    return Result(host, "", exit, text, error)


def test_a_password_that_is_wanted_is_said_as_that():
    refused = told(
        "/var/lib/pgsql/16/data/pg_hba.conf\n", 2, "psql: error: fe_sendauth: no password supplied\n"
    )
    verdict = reaching.let_in(refused)
    assert (verdict.holds, verdict.made) == (False, True)
    assert verdict.seen.startswith(
        "origin: /var/lib/pgsql/16/data/pg_hba.conf wants a password of the local socket"
    )
    assert reaching.let_in(told("/etc/postgresql/15/main/pg_hba.conf\n")).holds
    down = told("", 2, 'connection to server on socket "..." failed: Is the server running locally?')
    assert not reaching.let_in(down).made


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        ("5432\n71\n71\n", "at 5432"),
        ("5432\n71\n", "origin: at port 5432, as bj: no answer"),
        ("5433\n71\n72\n", "origin: bm.ini names port 5433, and another PostgreSQL is at 5432"),
        ("5433\n71\n71\n", "origin: bm.ini names port 5433"),
    ],
)
def test_it_is_bluemind_s_postgresql_that_is_asked(printed: str, seen: str):
    assert reaching.one_cluster(told(printed), told("5432\n9\n9\n")).seen == seen


def programs(server: int, version: str, *more: str) -> Result:
    names = ("psql", "pg_dump", "pg_restore", "createdb", "dropdb", "vacuumdb")
    return told("\n".join([f"server {server}", *(f"{name} {version}" for name in names), *more]))


@pytest.mark.parametrize(
    ("origin", "target", "literal", "seen"),
    [
        (programs(130018, "13.22"), programs(150010, "15.14"), True, "pg_dump 13, pg_restore 15"),
        (programs(160004, "13.22"), programs(160004, "16.4"), False, "pg_dump 13 of the origin is older"),
        (programs(130018, "17.2"), programs(150010, "15.14"), False, "pg_dump 17 of the origin is newer"),
        (
            programs(130018, "13.22", "writes restrict"),
            programs(150010, "15.10"),
            True,
            "pg_dump of the origin writes",
        ),
        (
            programs(130018, "13.22", "writes restrict"),
            programs(150010, "15.10"),
            False,
            "pg_dump 13, pg_restore 15",
        ),
        (programs(130018, "13.22"), programs(150010, ""), True, "origin: no psql"),
    ],
)
def test_programs_fit_the_servers(origin: Result, target: Result, literal: bool, seen: str):
    verdict = reaching.programs(literal, origin, target)
    assert verdict.seen.startswith(seen)
    assert verdict.holds is (seen == "pg_dump 13, pg_restore 15")


def test_databases_of_others_are_named_with_their_port():
    carried = ("bj", "bj-data", "keycloak")
    own = '5432 ["postgres", "bj", "bj-data", "keycloak"]\n'
    assert reaching.no_others(carried, told(own)).holds
    others = reaching.no_others(carried, told(own + '5433 ["postgres", "wi|ki\\n"]\n5434 \n'))
    assert others.seen == "wi|ki\n at port 5433, (it cannot be asked) at port 5434"
    assert not reaching.no_others(carried, told("")).made


def test_keycloaks_database_is_found_by_its_tables():
    assert reaching.keycloak_is("keycloak", told('"keycloak"\n'), told('"keycloak"\n')).holds
    assert reaching.keycloak_is("keycloak", told(""), told("")).seen == "none"
    other = reaching.keycloak_is("keycloak", told('"kc"\n'), told('"keycloak"\n'))
    assert (other.holds, other.seen) == (False, "the origin's is kc; keycloak_database says keycloak")
    assert not reaching.keycloak_is("keycloak", told('"keycloak"\n'), told("")).holds
