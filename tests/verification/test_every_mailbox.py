"""Every mailbox over IMAP: what Cyrus's own files say of it, and what is made of what was seen."""

import json
import struct
import subprocess
from pathlib import Path
from subprocess import run

import pytest

from bmnb.steps import Result, Verdict
from bmnb.verification import every_mailbox
from bmnb.verification.mailboxes import listed
from bmnb.verification.mailboxes.__main__ import known as of_record
from bmnb.verification.mailboxes.index import EXPUNGED, HEADER, RECORD, read_header, read_index
from bmnb.verification.mailboxes.listed import names, own_name
from bmnb.verification.mailboxes.protocol import fetched, spread
from bmnb.verification.mailboxes.record import internal, named, sample

MAGIC = b'\xa1\x02\x8b\x0dCyrus mailbox header\n"The best thing"\n\t--somebody\n'


def index(path: Path, *records: tuple[int, int, int, int], version: int = 16) -> Path:
    """Each record: UID, size, system flags, first user flags."""
    size = RECORD.size + 16
    body = b"".join(
        RECORD.pack(uid, length, flags, struct.pack(">4I", own, 0, 0, 0), bytes([uid]) * 20) + bytes(16)
        for uid, length, flags, own in records
    )
    head = HEADER.pack(version, 128, size, len(records), 77, 4711)
    path.write_bytes(head + bytes(128 - len(head)) + body)
    return path


def test_an_index_tells_the_messages_that_are_not_expunged_with_their_flags(tmp_path: Path):
    path = index(tmp_path / "cyrus.index", (1, 10, 16, 2), (2, 20, EXPUNGED, 0), (9, 30, 3, 0))
    told = read_index(str(path), ["$one", "$two"])
    assert (told.validity, told.modseq) == (77, 4711)
    assert told.messages == [
        (1, 10, ["\\Seen", "$two"], "01" * 20),
        (9, 30, ["\\Answered", "\\Flagged"], "09" * 20),
    ]


@pytest.mark.parametrize(
    ("version", "kept", "why"), [(16, -20, "is cut"), (16, 0, "is cut"), (99, None, "not known")]
)
def test_an_index_that_cannot_be_read_is_no_empty_folder(
    tmp_path: Path, version: int, kept: int | None, why: str
):
    path = index(tmp_path / "cyrus.index", (1, 10, 0, 0), version=version)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=why):
        read_index(str(path), [])


def test_a_header_of_either_form_tells_flags_and_rights(tmp_path: Path):
    path = tmp_path / "cyrus.header"
    path.write_bytes(MAGIC + b"root\tid\n$one two \nada@x\tlrs\tbob@x\tl\t\n")
    assert read_header(str(path))[1:] == (["$one", "two"], {"ada@x": "lrs", "bob@x": "l"})
    path.write_bytes(MAGIC + b'%(I abc N "x!user.ada.a (b)" T e A %(ada@x lrs bob@x l) U ($one two))\n')
    told = read_header(str(path))
    assert told == ("x!user.ada.a (b)", ["$one", "two"], {"ada@x": "lrs", "bob@x": "l"})
    path.write_bytes(b"\0" * 100)
    with pytest.raises(ValueError, match="form"):
        read_header(str(path))


@pytest.mark.parametrize(
    ("path", "mailbox", "folder"),
    [
        ("domain/e/example.org/a/user/ada^lace", "ada.lace@example.org", "INBOX"),
        ("domain/e/example.org/a/user/ada/Sent/a^b", "ada@example.org", "Sent/a.b"),
        ("domain/e/example.org/p/papers/below", "shared papers@example.org", "papers/below"),
        ("a/user/ada", "ada", "INBOX"),
        ("a/user/ada/a/b", "ada", "a/b"),
    ],
)
def test_a_path_below_a_partition_tells_mailbox_and_folder(path: str, mailbox: str, folder: str):
    assert named(path) == (mailbox, folder)


def test_cyruss_own_name_tells_the_same():
    assert internal("example.org!user.ada^lace.Sent.a^b") == ("ada.lace@example.org", "Sent/a.b")
    assert internal("user.ada") == ("ada", "INBOX")


@pytest.mark.parametrize(
    ("mailbox", "folder", "name"),
    [
        ("ada.lace@example.org", "INBOX", "example.org!user.ada^lace"),
        ("ada@example.org", "Sent/a.b", "example.org!user.ada.Sent.a^b"),
        ("shared papers@example.org", "papers/below", "example.org!papers.below"),
        ("ada", "INBOX", "user.ada"),
    ],
)
def test_a_recorded_folder_has_cyruss_own_name(mailbox: str, folder: str, name: str):
    assert own_name({"mailbox": mailbox, "folder": folder}) == name
    assert internal(name) == (mailbox, folder)


def test_both_forms_of_cyruss_list_are_read():
    assert names("x!user.ada.a b\t0 part\n") == {"x!user.ada.a b"}
    assert names('{\n"x!user.ada.\\"a": {"name": "x"},\n}') >= {'x!user.ada."a'}


def test_the_sample_is_the_first_the_last_and_one_between():
    assert [sample(list(range(1, number + 1))) for number in (0, 1, 2, 9)] == [[], [1], [1, 2], [1, 5, 9]]


def test_what_the_server_says_is_read():
    assert fetched(b"1 (UID 7 FLAGS (\\Seen $x) RFC822.SIZE 12 MODSEQ (5))") == (7, (12, ["\\Seen", "$x"]))
    assert spread("(EARLIER) 3:5,9") == {3, 4, 5, 9}
    with pytest.raises(ValueError, match="FETCH"):
        fetched(b"1 (FLAGS ())")


def told(stdout: str, exit: int = 0) -> Result:
    return Result("", "", exit, stdout, "it broke" if exit else "")


@pytest.mark.parametrize(
    ("origin", "target", "holds"),
    [
        ("3.2.6-Debian", "3.6.1-Debian", True),
        ("3.2.6", "3.2.11", True),
        ("", "", True),
        ("3.6.1", "3.2.6", False),
        ("3.10.1", "3.6.1", False),
        ("3.2.6", "", False),
        ("", "3.2.6", False),
    ],
)
def test_the_targets_cyrus_is_not_the_older_one(origin: str, target: str, holds: bool):
    assert every_mailbox.can_read(told(origin), told(target)).holds == holds


SEEN = {"mailbox": "ada@x", "folders": 2, "messages": 3, "read": 2, "since": 1, "differences": []}


def test_every_mailbox_was_as_it_was():
    verdict = every_mailbox.as_they_were(told(json.dumps({"mailboxes": [SEEN], "left": []})))
    assert verdict.holds
    assert verdict.seen == (
        "1 of 1 mailboxes looked at over IMAP: 2 folders, 3 messages, 2 read whole, 1 changed by users since; "
        "0 with differences"
    )


def test_what_is_missing_and_who_was_not_looked_at_is_named():
    row = {"folder": "Sent", "what": "missing", "messages": 1, "uids": "4"}
    verdict = every_mailbox.as_they_were(
        told(json.dumps({"mailboxes": [{**SEEN, "differences": [row]}], "left": ["bob@x"]}))
    )
    assert not verdict.holds
    assert verdict.items == ({"item": "ada@x", **row}, {"item": "bob@x", "what": "not looked at yet"})


def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verdict:
    monkeypatch.setattr(listed, "PLACES", (str(tmp_path),))
    of_record([[{"mailbox": "ada@x", "folder": "INBOX"}, {"mailbox": "ada@x", "folder": "Sent"}]])
    return every_mailbox.all_known(told(capsys.readouterr().out))


def test_a_list_that_cannot_be_read_is_named_and_can_be_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    absent = known(tmp_path, monkeypatch, capsys)
    assert f"ctl_mboxlist is in none of {tmp_path}" in absent.seen
    (tmp_path / "ctl_mboxlist").touch()
    monkeypatch.setattr(subprocess, "run", lambda command, **_: run(["false"], check=True))
    broken = known(tmp_path, monkeypatch, capsys)
    assert "exit status 1" in broken.seen
    for verdict in (absent, broken):
        assert (verdict.holds, verdict.made) == (False, True)
        assert [one["item"] for one in verdict.items] == ["Cyrus's list of mailboxes"]
    # whoever accepts that the program is absent accepts no damage
    assert absent.items != broken.items
    assert (absent.final, broken.final) == (True, False)


def test_a_folder_that_is_not_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(listed, "dumped", lambda: "x!user.ada\t0 default\n")
    verdict = known(tmp_path, monkeypatch, capsys)
    assert (verdict.holds, verdict.seen) == (False, "1 of 2 folders are listed")
    assert verdict.items == ({"item": "x!user.ada.Sent", "what": "not listed by Cyrus"},)


@pytest.mark.parametrize("judge", [every_mailbox.as_they_were, every_mailbox.all_known])
def test_a_look_that_could_not_be_made_does_not_hold(judge):
    verdict = judge(told("", 1))
    assert (verdict.holds, verdict.made) == (False, False)


def test_a_record_without_mailboxes_proves_nothing():
    assert not every_mailbox.as_they_were(told('{"mailboxes": [], "left": []}')).made
