"""Files that the configuration names arrive, or are told before the downtime."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bmnb.steps import Result
from bmnb.transfer import naming
from bmnb.transfer.asking import named


def said(**facts: Any) -> Result:
    return Result("server", "", 0, json.dumps(facts))


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server's Postfix, whose main.cf says what is in the file `says`; none of its files is a package's."""
    (tmp_path / "postfix").mkdir()

    def ask(*command: str) -> str:
        return (tmp_path / "says").read_text() if command[-1] == "-nx" else "hash regexp pcre"

    monkeypatch.setattr(named, "POSTFIX", str(tmp_path / "postfix"))
    monkeypatch.setattr(named, "ELSEWHERE", named.re.compile("/run/"))
    monkeypatch.setattr(named, "ask", ask)
    monkeypatch.setattr(named, "of_packages", lambda paths: {})
    return tmp_path


def found(etc: Path, line: str, *trees: Path) -> list[tuple[str, str]]:
    """What is found of a line of main.cf."""
    (etc / "says").write_text(line)
    globs = [f"{etc}/postfix/made-flat", f"{etc}/aliases", f"{etc}/*.conf", f"{etc}/bm/*"]
    rows = named.named([str(tree) for tree in trees], globs)
    return [(str(Path(row["item"]).relative_to(etc)), row["what"]) for row in rows]


def test_where_a_distributions_postfix_has_its_programs_is_not_carried(etc: Path):
    folder = etc / "libexec"
    folder.mkdir()
    (folder / "smtpd").touch()
    assert found(etc, f"daemon_directory = {folder}\n") == []
    assert found(etc, f"maps_directory = {folder}\n") == [("libexec", named.FOLDER)]


@pytest.mark.parametrize(
    ("file", "line", "kind"),
    [
        ("postfix/checks", "header_checks = regexp:{}", named.CARRIED),
        ("postfix/passwd", "maps = proxy:hash:{}, hash:/nowhere", named.CARRIED),
        ("filter.py", "argv={} ${{sender}}", named.FILE),
        ("mail.pem", "smtpd_tls_cert_file = {}", named.FILE),
        ("data/mailbox", "partition: {}/..", ""),
        ("aliases", "alias_maps = hash:{}", ""),
        ("run/socket", "milters = unix:{}", ""),
    ],
)
def test_what_is_named_and_not_copied_is_found(etc: Path, file: str, line: str, kind: str):
    path = etc / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("content")
    assert [what for item, what in found(etc, line.format(path)) if item == file] == ([kind] if kind else [])


def test_a_map_without_its_text_is_found_but_for_those_that_have_another(etc: Path):
    for name in ("own.db", "made.db", "made-flat"):
        (etc / "postfix" / name).write_text("")
    line = f"maps = hash:{etc}/postfix/own, hash:{etc}/postfix/made"
    assert found(etc, line) == [("postfix/own", named.INDEX)]


def test_a_folder_with_data_is_found_outside_of_the_trees(etc: Path):
    (etc / "mail/one").mkdir(parents=True)
    line = f"partition: {etc}/mail"
    assert found(etc, line) == [("mail", named.FOLDER)]
    assert found(etc, line, etc / "mail") == []


def test_other_files_of_the_configuration_name_some_too_but_not_in_comments(etc: Path):
    (etc / "here.pem").write_text("")
    (etc / "not.pem").write_text("")
    (etc / "own.conf").write_text(f"# ssl {etc}/not.pem\nssl_certificate {etc}/here.pem;\n")
    assert found(etc, "") == [("here.pem", named.FILE)]


NAMED = [
    {"item": "/etc/postfix/checks", "named in": "main.cf", "what": named.CARRIED},
    {"item": "/etc/mail.pem", "named in": "main.cf", "what": named.FILE},
]
SUMS = {"/etc/postfix/checks": "1", "/etc/mail.pem": "2"}


@pytest.mark.parametrize(
    ("added", "here", "types", "wrong"),
    [
        (True, {"/etc/mail.pem": "2"}, ["hash"], {}),
        (False, {"/etc/mail.pem": "2"}, ["hash"], {"/etc/postfix/checks": "missing on the target"}),
        (True, {"/etc/mail.pem": "3"}, ["hash"], {"/etc/mail.pem": "other content on the target"}),
        (True, {}, ["hash"], {"/etc/mail.pem": "missing on the target"}),
        (True, SUMS, ["lmdb"], {"hash": "a type of map that the target's Postfix lacks"}),
    ],
)
def test_what_is_not_carried_must_be_the_same_there(
    added: bool, here: dict[str, str], types: list[str], wrong: dict[str, str]
):
    origin = said(named=NAMED, sums=SUMS, types=["hash"])
    verdict = naming.all_come(added, origin, said(sums=here, types=types))
    assert verdict.holds is (not wrong)
    if wrong:
        assert {item["item"]: item["what"] for item in verdict.items} == wrong


def test_without_an_answer_it_does_not_hold():
    assert not naming.all_come(
        True, said(named=[], sums={}, types=[]), Result("target", "", 1, "", "no")
    ).holds


def test_the_programs_run_as_they_are_sent(tmp_path: Path):
    for line in (naming.there(["/var/spool/cyrus"], added=True), naming.here()):
        done = subprocess.run(["bash", "-c", f"(\n{line}\n)"], capture_output=True, text=True, check=True)
        assert "types" in json.loads(done.stdout)


@pytest.mark.parametrize(
    ("theirs", "ours", "wrong"),
    [
        ("", "", []),
        ("", "regexp:/etc/postfix/checks postmap: open: No such file\n", ["regexp:/etc/postfix/checks"]),
        ("ldap:/a postmap: no answer\n", "ldap:/a postmap: timeout\n", []),
    ],
)
def test_a_map_that_only_the_target_cannot_read_is_told(theirs: str, ours: str, wrong: list[str]):
    verdict = naming.can_be_read(Result("origin", "", 0, theirs), Result("target", "", 0, ours))
    assert (verdict.holds, [item["item"] for item in verdict.items]) == (not wrong, wrong)


def test_own_sites_and_drop_ins_stand_beside_what_is_carried(etc: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("sites/own", "sites/bm-webmail", "sites/default", "own.crt"):
        (etc / name).parent.mkdir(exist_ok=True)
        (etc / name).write_text(f"ssl_certificate {etc}/own.crt;")
    monkeypatch.setattr(named, "BESIDE", {"nginx": (f"{etc}/sites/*",)})
    assert found(etc, "") == [("own.crt", named.FILE), ("sites/own", named.FILE)]
