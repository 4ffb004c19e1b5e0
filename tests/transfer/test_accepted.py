"""What going back costs, and what of it comes back: by number and by name, and nothing in silence."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from bmnb.steps import Result
from bmnb.transfer import accepted, mailbox

DOMAIN = "/var/spool/cyrus/data/part/domain/e/example.org"
OWN = f"{DOMAIN}/a/user/anna^b/Sent/7."
FULL = f"{DOMAIN}/f/user/fred/3."
UNKNOWN = f"{DOMAIN}/g/user/gone/4."
SHARED = f"{DOMAIN}/i/info/Sent/12."
BY_HASH = f"/var/spool/cyrus/data/by_hash/a/b/ab{'0' * 38}.zst"


def told(lines: str) -> Result:
    return Result("target", "", 0, lines)


def test_the_price_names_what_will_not_be_brought_back():
    price = accepted.price("/work", told(f"since 100\nfile {OWN}\nfile {SHARED}\nfile {BY_HASH}\n"))
    assert price.holds
    assert "3 messages in mailboxes" in price.seen
    assert "2 are not brought back" in price.seen
    assert {item["item"]: item["what"] for item in price.items} == {
        SHARED: mailbox.NOBODY,
        BY_HASH: mailbox.NOBODY,
        OWN: "message",
    }


def test_nothing_is_said_of_them_where_there_are_none():
    price = accepted.price("/work", told(f"since 100\nfile {OWN}\n"))
    assert "not brought back" not in price.seen
    assert accepted.only_kept("/work", told("")).seen == "none"


class FakeImap:
    """A server on which one account is full and one is unknown."""

    appended: dict[str, bytes]

    def __init__(self, account: str) -> None:
        if account == "gone@example.org":
            raise LookupError(f"the core knows no user {account}")
        self.account = account

    def create(self, folder: str) -> None:
        pass

    def append(self, folder: str, flags: str, moment: str, content: bytes) -> tuple[str, list[bytes]]:
        if self.account == "fred@example.org":
            return "NO", [b"[OVERQUOTA] no room"]
        self.appended[f"{self.account} {folder}"] = content
        return "OK", [b""]

    def logout(self) -> None:
        pass


def test_each_message_is_brought_back_or_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path in (OWN, FULL, UNKNOWN, SHARED, BY_HASH):
            member = tarfile.TarInfo(path)
            member.size = 3
            archive.addfile(member, io.BytesIO(b"new"))
    packed.seek(0)
    monkeypatch.setattr(mailbox, "opened", FakeImap)
    monkeypatch.setattr(FakeImap, "appended", {}, raising=False)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(packed))
    mailbox.bring_back(str(tmp_path / "kept"))
    counted = json.loads(capsys.readouterr().out)
    assert counted == {"brought back": 1, "there already": 0, "only kept": 4}
    assert FakeImap.appended == {'anna.b@example.org "Sent"': b"new"}
    kept = accepted.only_kept("/work", told((tmp_path / "kept").read_text()))
    assert "4 messages are in /work/accepted-mail.tar.gz on the target alone" in kept.seen
    assert {item["item"]: item["why"] for item in kept.items} == {
        FULL: "refused: [OVERQUOTA] no room",
        UNKNOWN: "the core knows no user gone@example.org",
        SHARED: mailbox.NOBODY,
        BY_HASH: mailbox.NOBODY,
    }
