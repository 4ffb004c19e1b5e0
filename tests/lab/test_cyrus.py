"""A real Cyrus: Debian's 3.2 moves to 3.6, filled and used by clients, compared by a client that nobody here wrote."""

from typing import Any

import pytest

from bmnb.lab import Lab, compare_mail
from tests.lab.migration import client_file, done, finish

pytestmark = pytest.mark.lab

OPTIONS = {"messages": 150, "rows": 8_000, "users": 10, "partitions": 10, "mail": "cyrus"}
FOLDER = "/var/lib/bmnb/test"
TITLE = "every mailbox is over IMAP as it was at the stop"
USERS = "psql -XAt -U bj -h localhost bj -c \"SELECT m.name || '@' || c.domain_uid FROM t_mailbox m JOIN t_container_item i ON i.id = m.item_id JOIN t_container c ON c.id = i.container_id WHERE m.kind = 'user' ORDER BY 1\""
LOST = """import sys
from standin import cyrus
imap = cyrus.as_user(sys.argv[1])
imap.select("INBOX")
imap.store("1", "+FLAGS", "(\\\\Deleted)")
imap.expunge()
"""


@pytest.fixture(scope="module")
def users(lab: Lab) -> list[str]:
    return lab.origin.must(f"PGPASSWORD=bj {USERS}").split()


@pytest.fixture(scope="module")
def moved(lab: Lab, users: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A whole migration; what isync has fetched from the origin before the stop, when nobody wrote any more."""
    runs = tmp_path_factory.mktemp("runs")
    hot = client_file(lab, runs, engine="fast", through="hot-synchronization")
    status, said = finish(hot)
    assert status == 0, said
    lab.origin.must("systemctl disable --now bmnb-writer")
    before = compare_mail.fetched(lab.origin.must, users)
    status, said = finish(client_file(lab, runs, engine="fast"))
    return {"runs": runs, "before": before, "status": status, "said": said}


def test_the_origins_mail_is_what_clients_made(lab: Lab):
    lab.origin.must("systemctl is-active bm-cyrus-imapd && test -S /run/saslauthd/mux")
    folders = lab.origin.must("find /var/spool/cyrus/meta -name cyrus.index | wc -l")
    assert int(folders) > 60
    assert "level 12" in lab.origin.must("find /var/spool/cyrus/data -name 'level 12'")


def test_the_whole_migration_brings_every_mailbox(moved: dict[str, Any]):
    assert moved["status"] == 0, moved["said"]
    (told,) = done(moved["runs"], TITLE, "verify-service")
    assert told["seen"].endswith("; 0 with differences"), told["seen"]


def test_a_client_of_others_fetches_the_same_from_the_target(
    lab: Lab, users: list[str], moved: dict[str, Any]
):
    after = compare_mail.fetched(lab.target.must, users)
    assert compare_mail.differing(moved["before"], after) == []
    assert sum(map(len, after.values())) > 100
