"""Secrets are masked by type, by name and by their looks; what only refers to one stays readable."""

import json

import pytest

from bmnb import redact
from bmnb.journal import Journal
from bmnb.redact import MASK, Secret

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (f"cat key\n{KEY}\nexit 0", f"cat key\n{MASK}\nexit 0"),
        (KEY[:60], MASK),
        ("PGPASSWORD=s3cr3t psql", f"PGPASSWORD={MASK} psql"),
        ("password: s3cr3t, next", f"password: {MASK}, next"),
        ('{"token": "b1946ac9"}', f'{{"token": "{MASK}"}}'),
        ("curl https://me:s3cr3t@example.org/", f"curl https://me:{MASK}@example.org/"),
        ("X-BM-ApiKey: 5c0f7f2e-aa", f"X-BM-ApiKey: {MASK}"),
        ("admin:$apr1$x1y2z3$abcdefghijklmnop", f"admin:{MASK}"),
        ("Authorization: Bearer abc.def", f"Authorization: {MASK}"),
    ],
)
def test_a_secret_is_masked(said: str, written: str):
    assert redact.text(said) == written
    assert redact.text(written) == written


@pytest.mark.parametrize(
    "said",
    [
        "PGPASSWORD=$(sed -n 's/^ *password *= *//p' /etc/bm/bm.ini) psql -U bj",
        "PGPASSWORD=\\$(sed -n 's/^ *password *= *//p' /etc/bm/bm.ini)",
        "password of the role bj, from bm.ini",
        "/etc/postfix/relay_passwd",
        "cat /etc/bm/bm-core.tok",
    ],
)
def test_what_is_no_secret_stays(said: str):
    assert redact.text(said) == said


def test_a_secret_by_its_type_or_its_name_is_masked_wherever_it_stands():
    told = {"row": [{"seen": Secret("plain")}], "admin_password": "plain", "hosts": ["a"], "files": 3}
    assert redact.facts(told) == {
        "row": [{"seen": MASK}],
        "admin_password": MASK,
        "hosts": ["a"],
        "files": 3,
    }
    assert "plain" not in f"{Secret('plain')!r}"


def test_no_secret_gets_into_the_journal(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    line = journal.write("failed", seen=f"psql: PGPASSWORD=s3cr3t\n{KEY}")
    assert "s3cr3t" not in json.dumps(line)
    assert "s3cr3t" not in journal.path.read_text()
    assert "b3BlbnNz" not in journal.path.read_text()
