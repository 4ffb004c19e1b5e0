"""Secrets are masked by type, by name and by their looks; what only refers to one stays readable."""

import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmnb import redact
from bmnb.errors import ActionFailed, InputError
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
        ("password: correct horse", f"password: {MASK}"),
        ("Password: correct horse, battery", f"Password: {MASK}, battery"),
        ("<td>password: correct horse</td>", f"<td>password: {MASK}</td>"),
        ("mot de passe : correct horse", f"mot de passe : {MASK}"),
        ("Mot de passe\u00a0: x", f"Mot de passe\u00a0: {MASK}"),
        ("Passwort: x", f"Passwort: {MASK}"),
        ("Kennwort = x", f"Kennwort = {MASK}"),
        ("ALTER ROLE bj PASSWORD 'x'", f"ALTER ROLE bj PASSWORD '{MASK}'"),
        ('password "correct horse"', f'password "{MASK}"'),
        ("PGPASSWORD='correct horse' psql", f"PGPASSWORD='{MASK}' psql"),
        ('{"password": "correct horse", "n": 1}', f'{{"password": "{MASK}", "n": 1}}'),
        ("https://KEY@pkg.example.org/deb", f"https://{MASK}@pkg.example.org/deb"),
        ("curl -u u:p https://example.org/", f"curl -u u:{MASK} https://example.org/"),
        ("curl -sk --user 'u:p w' x", f"curl -sk --user 'u:{MASK}' x"),
        ("sshpass -p x ssh origin", f"sshpass -p {MASK} ssh origin"),
        ("sshpass -e -p 'x y' ssh origin", f"sshpass -e -p '{MASK}' ssh origin"),
        ("tool --password x --verbose", f"tool --password {MASK} --verbose"),
    ],
)
def test_a_secret_is_masked(said: str, written: str):
    assert redact.text(said) == written
    assert redact.text(written) == written


PIECES = [
    "password",
    "PASSWORD",
    "paſſwd",
    "passphrase",
    "Kennwort",
    "mot de passe",
    "pwd",
    "Secret",
    "TOKEN",
    "toKen",
    "api-key",
    "API_KEY",
    "private_key",
    "credentials",
    "Authorization",
    "x-bm-apikey",
    "Cookie",
    "curl",
    "sshpass",
    "https://",
    "HTTPS://",
    "me",
    "@",
    ":",
    "=",
    "'",
    '"',
    "-p",
    "-u",
    "--",
    "$1$abcdefghij",
    "{SSHA}abcdefghijklmnop",
    "eyJabcdefgh.abc.def",
    "-----BEGIN PRIVATE KEY-----",
]


@given(st.lists(st.sampled_from([*PIECES, " ", "\n", "s3cr3t"]), max_size=8).map("".join))
@settings(max_examples=300)
def test_no_secret_is_overlooked_since_its_text_was_not_looked_at(said: str):
    looked_at = said
    for _, pattern in redact.PATTERNS:
        looked_at = pattern.sub(lambda found: (found[1] if found.re.groups else "") + MASK, looked_at)
    assert redact.text(said) == looked_at


@pytest.mark.parametrize(
    "said",
    [
        "PGPASSWORD=$(sed -n 's/^ *password *= *//p' /etc/bm/bm.ini) psql -U bj",
        "PGPASSWORD=\\$(sed -n 's/^ *password *= *//p' /etc/bm/bm.ini)",
        "password of the role bj, from bm.ini",
        "/etc/postfix/relay_passwd",
        "cat /etc/bm/bm-core.tok",
        "unknown parameter 'hot_pass': did you mean 'hot_passes'?",
        "ALTER ROLE bj PASSWORD '${password//x/y}'",
        "curl -u $user:$password https://example.org/",
        "runuser -u postgres -- psql -d postgresql://bj@localhost/bj",
        "ssh://root@example.org",
        "tool --password --verbose",
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


def test_a_secret_is_in_no_text_but_where_it_is_revealed():
    secret = Secret("plain")
    told = [
        str(secret),
        repr(secret),
        f"{secret} {secret!r} {secret:>20}",
        repr({"a": secret}),
    ]
    told += [
        str(ValueError("bad", secret)),
        repr(vars(type(secret))),
        str(InputError(f"{secret}")),
        "".join(map(str, [secret])),
    ]
    assert "plain" not in "".join(told)
    assert secret.reveal() == "plain"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)


def test_a_message_of_ours_shows_no_secret_that_a_server_has_printed():
    assert "s3cr3t" not in str(ActionFailed("exit status 1 on origin\n  | PGPASSWORD=s3cr3t"))


def test_no_secret_gets_into_the_journal(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    line = journal.write("failed", seen=f"psql: PGPASSWORD=s3cr3t\n{KEY}")
    assert "s3cr3t" not in json.dumps(line)
    assert "s3cr3t" not in journal.path.read_text()
    assert "b3BlbnNz" not in journal.path.read_text()
