"""What databases need of their server: refused where the target lacks it, before anything is stopped; else carried."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bmnb.lab import Lab
from bmnb.lab.server import Server
from tests.lab.migration import client_file, start, unlisted

pytestmark = pytest.mark.lab
OPTIONS = {"bluemind": "5.7"}
WORDS = ("leave-databases", "accept-not-carried")
SECRETS = ("se:cret", "SCRAM-SHA-256$")


def sql(server: Server, script: str) -> str:
    psql = "runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d postgres"
    return server.must(f"cd / && {psql} <<'END'\n{script}\nEND")


def run(lab: Lab, runs: Path, *options: str, **more: Any) -> tuple[int, str]:
    process = start(client_file(lab, runs, engine="fast", **more), *options)
    said, _ = process.communicate(timeout=600)
    return process.returncode, said


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


CARRIED = r"""
CREATE ROLE "Report 'er" LOGIN PASSWORD 'se:cret' CONNECTION LIMIT 3; CREATE ROLE watchers;
GRANT watchers TO "Report 'er" WITH ADMIN OPTION; GRANT pg_monitor TO watchers; COMMENT ON ROLE watchers IS 'it''s';
ALTER ROLE watchers SET work_mem = '7MB'; ALTER ROLE watchers IN DATABASE bj SET search_path = "My S", public;
ALTER DATABASE bj CONNECTION LIMIT 77; COMMENT ON DATABASE bj IS 'the client''s \ own';
ALTER DATABASE "bj-data" SET my.thing TO 'a=b; c'; ALTER DATABASE keycloak OWNER TO watchers;
REVOKE ALL ON DATABASE bj FROM PUBLIC; GRANT CONNECT ON DATABASE bj TO "Report 'er";
SET client_min_messages = error;
\connect bj
GRANT SELECT ON t_server TO watchers; CREATE PUBLICATION theirs FOR TABLE t_server;
"""

LACKING = """
CREATE DATABASE wiki; CREATE EXTENSION citext;
ALTER DATABASE bj SET operator_precedence_warning = on;
\\! install -d -m 700 /var/lib/postgresql/quick
CREATE TABLESPACE quick LOCATION '/var/lib/postgresql/quick';
\\connect bj-data
CREATE EXTENSION citext; CREATE TABLE of_theirs (name text COLLATE "fr_FR.utf8") TABLESPACE quick;
INSERT INTO of_theirs VALUES ('été'), ('ete'), ('zoé');
CREATE UNIQUE INDEX ON of_theirs (name);
UPDATE pg_collation SET collversion = '2.28' WHERE collname = 'fr_FR.utf8';
"""

# a PostgreSQL that runs knows the locales of its start
FRENCH = "localedef -i fr_FR -f UTF-8 fr_FR.UTF-8 && systemctl restart postgresql"
CITEXT = "/usr/share/postgresql/15/extension/citext.control"
PLUGIN = """mkdir -p /tmp/plugin/DEBIAN && cd /tmp && printf 'Package: bm-plugin-core-ldap-import\\nVersion: 5.7.3268\\n\
Architecture: all\\nMaintainer: x <x@example.org>\\nDescription: x\\n' > plugin/DEBIAN/control
dpkg-deb -b plugin plugin.deb > /dev/null && dpkg -i plugin.deb"""


@pytest.fixture(scope="module", autouse=True)
def odd(lab: Lab) -> None:
    lab.origin.must(FRENCH)
    for database in ("postgres", '"bj-data"'):
        sql(lab.origin, f"\\connect {database}\nSELECT pg_import_system_collations('pg_catalog');")
    sql(lab.origin, CARRIED + "\\connect postgres\n" + LACKING)
    lab.origin.must(PLUGIN)
    lab.origin.must(
        "pg_createcluster 13 shop --port 5433 --start > /dev/null; cd / && runuser -u postgres -- createdb -p 5433 shop"
    )
    lab.target.must(f"mv {CITEXT} /root/")


@pytest.mark.parametrize("line", ["local all all md5", "local all all reject"])
def test_who_is_not_let_in_is_told_so_and_not_to_start_postgresql(lab: Lab, runs: Path, line: str):
    rules = lab.target.must("cd / && runuser -u postgres -- psql -XAtc 'SHOW hba_file'").strip()
    lab.target.must(f"cp -a {rules} /root/; sed -i '1i {line}' {rules}; systemctl reload postgresql")
    code, said = run(lab, runs, "--through", "prerequisites")
    lab.target.must(f"cp -a /root/pg_hba.conf {rules}; systemctl reload postgresql")
    assert code == 3
    assert f"target: {rules} wants a password of the local socket" in said
    assert "local all postgres peer" in said
    assert "systemctl start postgresql" not in said


def test_what_the_target_lacks_is_refused_before_anything_is_stopped(lab: Lab, runs: Path):
    code, said = run(lab, runs, "--through", "prerequisites")
    assert code == 3
    for seen in (
        "citext: no citext.control on the target; the origin has 1.6",
        "quick: absent on the target; it lies in /var/lib/postgresql/quick on the origin",
        "fr_FR.utf8: collation in bj-data, whose locale is absent on the target",
        "apt install bm-plugin-core-ldap-import=5.7.3268",
        "operator_precedence_warning=on: setting of bj that PostgreSQL of the target does not know",
        "wiki, shop at port 5433",
        "bj-data: fr_FR.utf8 sorted by version 2.28 when its indexes were made, by 2.31 now",
    ):
        assert seen in said
    assert not re.search(r"→.*\b(drop|rename)\b", said, re.IGNORECASE)
    lab.origin.must("systemctl is-active bm-core")


def test_what_the_target_has_then_comes_with_roles_rights_and_settings(lab: Lab, runs: Path):
    sql(
        lab.origin,
        '\\connect "bj-data"\nREINDEX TABLE of_theirs; ALTER COLLATION "fr_FR.utf8" REFRESH VERSION;',
    )
    lab.target.must(f"mv /root/citext.control {CITEXT}; {FRENCH}; {PLUGIN}")
    lab.target.must("install -d -o postgres -m 700 /var/lib/postgresql/quick")
    sql(lab.target, "CREATE TABLESPACE quick LOCATION '/var/lib/postgresql/quick'")
    _, said = run(lab, runs, "--through", "prerequisites")
    sums = {word: re.search(f"{word}: ([0-9a-f]{{8}})", said)[1] for word in WORDS}
    answers = {word: f"{number} the client, it is not BlueMind's" for word, number in sums.items()}
    given = {"erase-target": "target", "stop-service": "origin", "switch-servers": "origin"}
    code, said = run(lab, runs, answers={**given, **answers})
    assert code == 0, said
    assert (unlisted(lab.target, False), unlisted(lab.origin, True)) == ([], []), "see docs/safety.md"
    lab.origin.must("systemctl start postgresql")
    origin, target = (
        [json.loads(line) for line in sql(one, FACTS).splitlines()] for one in (lab.origin, lab.target)
    )
    assert target == origin
    sorted_there = sql(lab.target, "\\connect bj-data\nSELECT name FROM of_theirs ORDER BY name;")
    assert sorted_there == "ete\nété\nzoé\n"


# A client's password is proven by what PostgreSQL keeps of it.
FACTS = """
SELECT json_build_array(rolname, rolcanlogin, rolconnlimit, shobj_description(oid, 'pg_authid'),
  CASE WHEN rolname <> 'bj' THEN rolpassword END) FROM pg_authid WHERE oid >= 16384 ORDER BY rolname COLLATE "C";
SELECT json_build_array(roleid::regrole, member::regrole, admin_option) FROM pg_auth_members
  WHERE member >= 16384 ORDER BY roleid::regrole::text COLLATE "C";
SELECT json_build_array(datname, setrole::regrole, one) FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase,
  unnest(setconfig) one WHERE one !~ '^operator_prec' ORDER BY datname, setrole::regrole::text, one COLLATE "C";
SELECT json_build_array(datname, pg_get_userbyid(datdba), datconnlimit, shobj_description(oid, 'pg_database'),
  has_database_privilege('Report ''er', datname, 'CONNECT'), has_database_privilege('watchers', datname, 'CREATE'))
  FROM pg_database WHERE datname IN ('bj', 'bj-data', 'keycloak') ORDER BY datname;
\\connect bj
SELECT json_build_array(pubname, tablename) FROM pg_publication_tables;
SELECT json_build_array(relname, relacl::text) FROM pg_class WHERE relname = 't_server';
"""


def test_no_secret_of_a_role_is_in_the_runs_folder_or_in_a_log(lab: Lab, runs: Path):
    written = [path.read_text(errors="replace") for path in runs.rglob("*") if path.is_file()]
    logs = lab.target.must("cat /var/log/postgresql/*.log; ls /var/lib/bmnb/*")
    assert "roles-before" not in logs
    assert [one for one in SECRETS for text in (*written, logs) if one in text] == []


def test_indexes_of_the_copy_are_made_as_the_target_sorts(lab: Lab):
    """Bullseye's library is 2.31, bookworm's 2.36: each index is in the order of the latter, and is known as such."""
    for database in ("bj", '"bj-data"'):
        assert sql(lab.target, f"\\connect {database}\nCREATE EXTENSION amcheck;\n{IN_ORDER}").split() == [
            "t",
            "t",
        ]


IN_ORDER = """
SELECT count(bt_index_check(i.indexrelid, true)) > 0 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_am a ON a.oid = c.relam WHERE amname = 'btree' AND relkind = 'i' AND relpersistence = 'p' AND indisvalid AND indisready;
SELECT datcollversion = pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = current_database();
"""
