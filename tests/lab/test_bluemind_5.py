"""BlueMind 5 has no Cyrus, no sieve and no HPS: what it does not have is absent, not an error. It has Keycloak.

Keycloak, its tables and the login are played by the lab's stand-in: seen on no real server.
"""

from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from bmnb.procedures import changing_distributions as procedure
from tests.lab.migration import client_file, finish, journal, opened

pytestmark = pytest.mark.lab
OPTIONS = {"bluemind": "5.7"}
REALM = "http://127.0.0.1:8099/realms/f8de2c4a.internal/protocol/openid-connect/token"


def test_bluemind_5_migrates_without_what_it_no_longer_has(lab: Lab, tmp_path: Path):
    secret = sql(
        lab, "bj", "SELECT properties -> 'OPENID_CLIENT_SECRET' FROM t_domain WHERE name LIKE 'f8de%'"
    )
    password = lab.origin.must("grep ^password /etc/bm/bm.ini")
    assert "access_token" not in login(lab, secret), "the target has secrets of its own"
    code, said = finish(client_file(lab, tmp_path))
    assert code == 0, said
    assert unexpected(lab) == []
    run = opened(lab, tmp_path)
    copied = run.table(procedure.cold_synchronization).set_index("action")
    assert copied.loc["/var/spool/sieve", "status"] == "skipped"
    assert copied.loc["/var/spool/sieve", "seen"] == "absent or empty on the origin"
    assert copied.loc["/var/spool/bm-docs", "files"] > 0
    told = {line["title"]: line["seen"] for line in journal(tmp_path) if line["event"] == "done"}
    assert told["version of software and database"] == "software 5.7.3268, database 5.7.3268"
    assert told["keycloak is the same"].startswith("6 tables")
    assert told["Keycloak takes the secret of each domain, as at a login by OpenID"]
    assert "access_token" in login(lab, secret), "the realm asks the core with the token that came too"
    assert lab.target.must("grep ^password /etc/bm/bm.ini") == password


def sql(lab: Lab, database: str, query: str) -> str:
    line = f'cd / && runuser -u postgres -- psql -XAtc "{query}" {database}'
    return lab.origin.must(line).strip()


def login(lab: Lab, secret: str) -> str:
    """What the target's Keycloak answers a user of the client's, with the secret of BlueMind's own client."""
    form = f"-d grant_type=password -d username=jurgen.user1 -d client_id=f8de2c4a.internal-cli -d client_secret={secret}"
    return lab.target.must(f"curl -s {form} {REALM}")
