"""BlueMind's databases under another address, in a real PostgreSQL."""

import json
from collections.abc import Iterator

import pytest

from bmnb.bluemind import own_address as own
from bmnb.steps import Result, Verdict
from tests.lab.clusters import Side, clusters

pytestmark = pytest.mark.lab

OLD, NEW = "192.0.2.1", "203.0.113.7"
REALM = "http://{at}:8099/realms/a"
BJ = f"""CREATE EXTENSION hstore;
CREATE TABLE t_server (ip text);
CREATE TABLE t_systemconf (configuration hstore);
CREATE TABLE t_domain (name text, properties hstore NOT NULL DEFAULT '');
INSERT INTO t_server VALUES ('{OLD}');
INSERT INTO t_systemconf VALUES (hstore('host', '{OLD}'));
INSERT INTO t_domain VALUES ('global.virt', ''), ('b.example', hstore('OPENID_HOST', 'https://id.example'));
INSERT INTO t_domain VALUES ('a.example', hstore(ARRAY['OPENID_HOST', '{REALM.format(at=OLD)}', 'OPENID_CLIENT_SECRET', 's',
  'OPENID_LIST', '{OLD} {OLD},{OLD}0 1{OLD}', 'OPENIDX', '{OLD}', 'NOTE', 'asks {OLD}']));
"""
KEYCLOAK = f"""CREATE TABLE redirect_uris (client_id varchar(36), value varchar(255));
CREATE TABLE event_entity (ip_address varchar(255));
CREATE TABLE "Odd %s 'table'" ("a b" text);
INSERT INTO redirect_uris VALUES ('1', 'https://{OLD}/auth'), ('2', 'https://{OLD}0/auth');
INSERT INTO event_entity VALUES ('{OLD}');
"""


@pytest.fixture(scope="module")
def sides() -> Iterator[Side]:
    with clusters("bullseye", "bookworm") as (_, target):
        yield target


@pytest.fixture
def target(sides: Side) -> Side:
    for name in ("bj", "keycloak"):
        sides.sql(f"DROP DATABASE IF EXISTS {name}", "postgres")
    sides.sql("CREATE DATABASE bj", "postgres")
    sides.sql(BJ, "bj")
    sides.must(f"mkdir -p /etc/bm; printf 'host={NEW}\\nhz-member-address={NEW}\\n' > {own.BM_INI}")
    return sides


def shown(target: Side) -> Verdict:
    return own.stands_everywhere(Result("target", "", 0, target.must(own.show(OLD, NEW))))


def named(target: Side) -> list[str]:
    told = target.must(own.what_names(OLD, "keycloak"))
    assert len(json.loads(told)) == 2
    return [str(one["item"]) for one in own.names_nowhere(Result("target", "", 0, told)).items]


def properties(target: Side) -> dict[str, str]:
    told = target.sql("SELECT properties::json FROM t_domain WHERE name = 'a.example'", "bj")
    return dict(json.loads(told))


def test_where_a_domain_finds_keycloak_is_changed_and_nothing_else(target: Side):
    before = shown(target)
    assert not before.holds
    assert "the old one: domain a.example: OPENID_HOST" in before.seen
    for _ in range(2):
        target.must(own.in_database(OLD, NEW))
    assert properties(target) == {
        "OPENID_HOST": REALM.format(at=NEW),
        "OPENID_CLIENT_SECRET": "s",
        "OPENID_LIST": f"{NEW} {NEW},{OLD}0 1{OLD}",
        "OPENIDX": OLD,
        "NOTE": f"asks {OLD}",
    }
    assert shown(target).holds
    others = target.sql(
        "SELECT count(*) FROM t_domain WHERE properties IN ('', 'OPENID_HOST=>\"https://id.example\"')", "bj"
    )
    assert others == "2\n"


def test_what_still_names_it_is_told_without_any_value(target: Side):
    target.must(own.in_database(OLD, NEW))
    assert named(target) == ["domain a.example: NOTE", "domain a.example: OPENIDX"]
    target.sql("CREATE DATABASE keycloak", "postgres")
    target.sql(KEYCLOAK, "keycloak")
    assert named(target)[2:] == ["keycloak: redirect_uris.value"]
    target.sql(f"INSERT INTO \"Odd %s 'table'\" VALUES ('{OLD}')", "keycloak")
    assert "keycloak: Odd %s 'table'.a b" in named(target)


def test_a_bluemind_whose_domains_have_no_properties_is_changed_too(target: Side):
    target.sql("ALTER TABLE t_domain DROP properties", "bj")
    target.must(own.in_database(OLD, NEW))
    assert shown(target).holds
    assert named(target) == []
