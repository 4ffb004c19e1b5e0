"""What the target lacks is named before anything is stopped; what was carried is compared, by meaning."""

from typing import Any

import pytest

from bmnb.steps import Result
from bmnb.transfer.surroundings import needs
from tests.transfer.surroundings.told import SERVER, told, with_database


def test_an_extension_is_wanted_in_the_origins_version_or_a_newer_one():
    older = {"hstore": "1.7"}
    assert needs.extensions(told(bj={"extensions": older}), told()).seen == "hstore 1.7 to 1.8"
    verdict = needs.extensions(told(bj={"extensions": {"hstore": "1.10"}}), told())
    assert (verdict.holds, verdict.seen) == (False, "hstore: 1.10 on the origin, 1.8 on the target")
    verdict = needs.extensions(told(bj={"extensions": {"postgis": "3.1"}}), told())
    assert verdict.seen == "postgis: no postgis.control on the target; the origin has 3.1"


def test_a_tablespace_that_holds_a_table_is_wanted_with_the_line_that_makes_it():
    there = told(bj={"tablespaces": ["Fast disk"]}, tablespaces=[["Fast disk", "/srv/fast disk"]])
    verdict = needs.tablespaces(there, told())
    assert not verdict.holds
    assert verdict.items[0]["line"] == (
        "install -d -o postgres -m 700 '/srv/fast disk'; runuser -u postgres -- psql -c "
        "'CREATE TABLESPACE \"Fast disk\" LOCATION '\"'\"'/srv/fast disk'\"'\"''"
    )
    assert needs.tablespaces(there, told(tablespaces=[["Fast disk", "/elsewhere"]])).holds


def installed(*names: str) -> Result:
    return Result("target", "locale -a", 0, "\n".join(names))


def test_locales_and_collations_are_wanted_on_the_targets_system():
    both = told(), told()
    assert needs.locales(*both, installed("C", "en_US.utf8")).holds
    assert "locale of bj" in needs.locales(*both, installed("C", "fr_FR.utf8")).seen
    french = [{"name": "fr_FR.utf8", "provider": "c", "locale": "fr_FR.utf8", "own": False}]
    wanted = told(bj={"collations": french})
    assert "fr_FR.utf8: collation in bj" in needs.locales(wanted, told(), installed("en_US.utf8")).seen
    assert needs.locales(wanted, told(), installed("en_US.utf8", "fr_FR.utf8")).holds, (
        "it is taken from the system"
    )
    icu = [{"name": "de-x-icu", "provider": "i", "locale": "de", "own": False}]
    assert needs.locales(told(bj={"collations": icu}), told(), installed("en_US.utf8")).holds


def test_indexes_of_the_origin_are_wanted_as_its_library_sorts_now():
    libraries = [Result(name, "", 0, version) for name, version in (("o", "glibc 2.31"), ("t", "glibc 2.36"))]
    as_ever, outgrown = (told(bj={"outgrown": changed}) for changed in ([], [["fr_FR.utf8", "2.28", "2.31"]]))
    verdict = needs.collation_versions(as_ever, told(), *libraries)
    assert verdict.holds
    assert verdict.seen == "glibc 2.31; glibc 2.36 on the target, by which they are made anew"
    verdict = needs.collation_versions(outgrown, told(), *libraries)
    assert not verdict.holds
    assert verdict.seen == "bj: fr_FR.utf8 sorted by version 2.28 when its indexes were made, by 2.31 now"


def test_roles_that_come_are_told():
    roles = [*SERVER["roles"], {"name": "report", "superuser": False, "password": None, "comment": None}]
    assert needs.roles(told(roles=roles), told()).seen == "report: comes"
    assert needs.roles(told(), told()).seen == "the same on both"


@pytest.mark.parametrize(
    ("origin", "seen"),
    [
        (
            {"settings": [["bj", None, "operator_precedence_warning=on"]]},
            "operator_precedence_warning=on: setting of bj that PostgreSQL of the target does not know",
        ),
        ({"settings": [["wiki", None, "gone=on"]]}, "none"),
        ({"settings": [["bj", None, "my.own=on"]]}, "none"),
        ({"bj": {"subscriptions": ["feed"]}}, "feed: subscription in bj"),
        (with_database(tablespace="quick"), "bj: it lies in quick, on the target in pg_default"),
        (
            {"configured": {"shared_preload_libraries": "pg_cron, a"}},
            "a: loaded with PostgreSQL on the origin only; pg_cron: loaded",
        ),
        ({"configured": {"max_connections": "300"}}, "max_connections: 300 on the origin, 100 on the target"),
        (with_database(ctype="C"), "bj: sorts by en_US.UTF-8, and has the letters of C"),
    ],
)
def test_what_is_not_carried_is_named(origin: dict[str, Any], seen: str):
    verdict = needs.not_carried(told(**origin), told())
    assert verdict.seen.startswith(seen)
    assert verdict.holds is (seen == "none")


def test_what_was_carried_is_the_same():
    assert needs.same(told(), told("target")).seen == "1 roles, 2 databases"


@pytest.mark.parametrize(
    ("target", "what"),
    [
        ({"roles": []}, "superuser"),
        ({"settings": []}, "TimeZone"),
        ({"members": [{"role": "a", "member": "bj", "admin": False, "inherit": True}]}, "member of a: admin"),
        ({"settings": [["bj", None, "TimeZone=GMT"], ["bj", "bj", "work_mem=4MB"]]}, "work_mem"),
        (with_database(owner="postgres"), "owner"),
        (with_database(rights=[["bj", "CONNECT", False]]), "rights"),
        (with_database(comment="another"), "comment"),
        ({"bj": {"publications": [{"pubname": "more"}]}}, "publications"),
    ],
)
def test_what_differs_is_named(target: dict[str, Any], what: str):
    members = [{"role": "a", "member": "bj", "admin": True, "inherit": None}]
    there = told(members=members) if "members" in target else told()
    verdict = needs.same(there, told("target", **target))
    assert not verdict.holds
    assert what in [one["what"] for one in verdict.items]


@pytest.mark.parametrize(
    "target",
    [
        {"roles": [{**SERVER["roles"][0], "password": "scram"}, {"name": "own"}]},
        {
            "settings": [
                ["bj", None, "TimeZone=GMT"],
                ["bj-data", None, "timezone=GMT"],
                [None, "own", "work_mem=4MB"],
            ]
        },
        with_database(rights=[["PUBLIC", "CONNECT", False], ["bj", "CONNECT", False]]),
        with_database(collate="en_US.utf8", ctype="en_US.utf8"),
    ],
)
def test_what_only_is_written_otherwise_is_no_difference(target: dict[str, Any]):
    assert needs.same(told(), told("target", **target)).holds


def test_what_only_a_newer_postgresql_tells_is_no_difference():
    there = [{"pubname": "p", "tables": [{"schemaname": "public", "tablename": "t"}]}]
    here = [{"pubname": "p", "tables": [{"schemaname": "public", "tablename": "t", "rowfilter": None}]}]
    assert needs.same(told(bj={"publications": there}), told("target", bj={"publications": here})).holds


def test_a_setting_that_the_target_does_not_know_was_named_before():
    assert needs.same(
        told(settings=[["bj", None, "gone=on"], ["bj", None, "TimeZone=GMT"]]), told("target")
    ).holds


def test_a_server_that_cannot_be_asked_says_nothing():
    silent = Result("target", "", 2, "", "no password supplied")
    for judge in (needs.extensions, needs.tablespaces, needs.roles, needs.not_carried, needs.same):
        assert not judge(told(), silent).made
