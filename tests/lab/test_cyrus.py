"""A real Cyrus: Debian's 3.2 moves to 3.6, filled and used by clients, compared by a client that nobody here wrote."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bmnb.lab import Lab, compare_mail
from bmnb.steps import Result, Verdict
from bmnb.verification import every_mailbox
from tests.lab.migration import ANSWERS, client_file, done, finish

pytestmark = [pytest.mark.lab, pytest.mark.soak]

OPTIONS = {"messages": 150, "rows": 8_000, "users": 10, "partitions": 10, "mail": "cyrus"}
FOLDER = "/var/lib/bmnb/test"
RECORD = f"{FOLDER}/mailboxes-at-the-stop"
LISTED = "Cyrus lists every folder of the original server"
LISTER = "/usr/lib/cyrus/bin/ctl_mboxlist"
PROVEN = "every mailbox is over IMAP as it was at the stop"
USERS = """psql -XAt -U bj -h localhost bj -c "SELECT m.name || '@' || c.domain_uid FROM t_mailbox m
JOIN t_container_item i ON i.id = m.item_id JOIN t_container c ON c.id = i.container_id WHERE m.kind = 'user' ORDER BY 1" """

AT_WORK = """
imap = cyrus.as_user("{user}")
imap.select("INBOX")
imap.store("1", "+FLAGS", "(\\\\Deleted)")
imap.expunge()
imap.store("1", "+FLAGS", "(\\\\Answered $later)")
imap.append("INBOX", "", "", b"Subject: since\\r\\n\\r\\nthen\\r\\n")
imap.select("Sent")
imap.delete("Junk")
imap.logout()
"""
DOCTORED = """import json
lines = [json.loads(line) for line in open("record")]
for one in lines:
    if one["mailbox"] == "{user}" and one["folder"] == "INBOX":
        one["messages"] += [[900, 5, []], [901, 5, []]]
        one["messages"][0][2].append("\\\\Draft")
lines.append({{**lines[0], "mailbox": "{user}", "folder": "Gone"}})
open("record", "w").write("".join(json.dumps(one) + "\\n" for one in lines))
"""


@pytest.fixture(scope="module")
def users(lab: Lab) -> list[str]:
    return lab.origin.must(f"PGPASSWORD=bj {USERS}").split()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def before(lab: Lab, users: list[str], runs: Path) -> dict[str, list[str]]:
    """What isync fetches from the origin, after a hot pass beside clients at work; the servers are switched then.

    Cyrus's list cannot be read at first, which is accepted.
    """
    status, said = finish(client_file(lab, runs, engine="fast", through="hot-synchronization"))
    assert status == 0, said
    lab.origin.must("systemctl disable --now bmnb-writer")
    fetched = compare_mail.fetched(lab.origin.must, users)
    lab.target.must(f"mv {LISTER} {LISTER}-away")
    status, said = finish(client_file(lab, runs, engine="fast", through="switching-servers"))
    asked = re.search(r"answer `accept-folders: (\w{8}) NAME, REASON`", said)
    assert asked, said
    assert "the list cannot be read: ctl_mboxlist is in none of" in said
    answers = {**ANSWERS, "accept-folders": f"{asked[1]} Anna, it is not packaged"}
    status, said = finish(client_file(lab, runs, engine="fast", through="switching-servers", answers=answers))
    assert status == 0, said
    lab.target.must(f"mv {LISTER}-away {LISTER}")
    return fetched


def looked(lab: Lab, lines: str = "") -> Verdict:
    """What comes of looking at the target by a copy of the record."""
    copied = f"rm -rf {RECORD}-2 && cp -rp {RECORD} {RECORD}-2 && cd {RECORD}-2 && rm -f looked"
    doctored = f"python3 <<'END'\n{lines}\nEND\n" if lines else ""
    asked = "\n".join(
        line.replace("mailboxes-at-the-stop", "mailboxes-at-the-stop-2")
        for line in (every_mailbox.look(FOLDER), every_mailbox.show(FOLDER))
    )
    told = lab.target.must(f"{copied}\n{doctored}{asked}")
    return every_mailbox.as_they_were(Result("", "", 0, told))


def test_the_origins_mail_is_what_clients_made(lab: Lab):
    lab.origin.must("systemctl is-active bm-cyrus-imapd && test -S /run/saslauthd/mux")
    assert int(lab.origin.must("find /var/spool/cyrus/meta -name cyrus.index | wc -l")) > 60
    assert "level 12" in lab.origin.must("find /var/spool/cyrus/data -name 'level 12'")
    lab.origin.must("ls /var/spool/sieve/domain/*/*/*/*/own*.bc /var/lib/cyrus/mailboxes.db")


def test_the_databases_are_upgraded_and_every_folder_is_listed(lab: Lab, before: dict[str, Any]):
    verdict = every_mailbox.all_known(Result("", "", 0, lab.target.must(every_mailbox.unknown(FOLDER))))
    listed, _, number = verdict.seen.partition(" of ")
    assert verdict.holds, verdict
    assert listed == number.split()[0] != "0"


def test_a_list_that_cannot_be_read_is_accepted_by_name(before: dict[str, Any], runs: Path):
    (accepted,) = done(runs, LISTED, "restart-target")
    assert accepted["seen"].startswith("accepted by accept-folders: ")
    assert "Anna, it is not packaged; " in accepted["seen"]


def test_a_client_of_others_fetches_the_same_from_the_target(
    lab: Lab, users: list[str], before: dict[str, list[str]]
):
    after = compare_mail.fetched(lab.target.must, users)
    assert compare_mail.differing(before, after) == []
    assert sum(map(len, after.values())) > 100


def test_what_is_missing_is_named_mailbox_by_mailbox_and_folder_by_folder(
    lab: Lab, users: list[str], before: dict[str, Any]
):
    verdict = looked(lab, DOCTORED.format(user=users[1]))
    assert [(one["item"], one["folder"], one["what"], one.get("uids")) for one in verdict.items] == [
        (users[1], "Gone", "it cannot be opened: Mailbox does not exist", None),
        (users[1], "INBOX", "missing", "900 901"),
        (users[1], "INBOX", "other flags", "1"),
    ]


def test_a_message_whose_file_is_gone_is_named(lab: Lab, before: dict[str, Any]):
    path = lab.target.must("find /var/spool/cyrus/data -path '*/user/*/Sent/1.' | sort | head -n 1").strip()
    lab.target.must(f"mv '{path}' /root/taken")
    try:
        verdict = looked(lab)
        assert [(one["folder"], one["what"], one["uids"]) for one in verdict.items] == [
            ("Sent", "another content", "1")
        ]
    finally:
        lab.target.must(f"mv /root/taken '{path}'")


def test_a_look_goes_on_where_it_ended(lab: Lab, before: dict[str, Any]):
    place = f"{RECORD}-3"
    lab.target.must(f"cp -rp {RECORD} {place}; cd {FOLDER} && python3 -B -m mailboxes look {place} 0")
    show = f"cd {FOLDER} && python3 -B -m mailboxes show {place}"
    told = json.loads(lab.target.must(show))
    assert (told["mailboxes"], len(told["left"])) == ([], 11)
    assert not every_mailbox.as_they_were(Result("", "", 0, json.dumps(told))).holds
    lab.target.must(f"cd {FOLDER} && python3 -B -m mailboxes look {place} 600")
    assert json.loads(lab.target.must(show))["left"] == []


def test_users_who_work_meanwhile_make_no_difference_and_the_run_ends(
    lab: Lab, users: list[str], runs: Path, before: dict[str, Any]
):
    work = AT_WORK.format(user=users[2])
    lab.target.must(
        f"cd /usr/lib/bmnb-standin && python3 -B - <<'END'\nfrom standin import cyrus\n{work}\nEND"
    )
    status, said = finish(client_file(lab, runs, engine="fast"))
    assert status == 0, said
    (told,) = done(runs, PROVEN, "verify-service")
    assert told["seen"].startswith("11 of 11 mailboxes"), told["seen"]
    assert told["seen"].endswith("; 0 with differences"), told["seen"]
    assert told["row"]["since"] > 1
