"""What going back costs, and what of it comes back: by number and by name, and nothing in silence."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.steps import Result, singles
from bmnb.transfer import accepted, mailbox

DOMAIN = "/var/spool/cyrus/data/part/domain/e/example.org"
OWN = f"{DOMAIN}/a/user/anna^b/Sent/7."
FULL = f"{DOMAIN}/f/user/fred/3."
UNKNOWN = f"{DOMAIN}/g/user/gone/4."
SHARED = f"{DOMAIN}/i/info/Sent/12."
BY_HASH = f"/var/spool/cyrus/data/by_hash/a/b/ab{'0' * 38}.zst"


def told(text: str) -> Result:
    return Result("target", "", 0, text)


def served(folder: Path, *files: str) -> tuple[str, list[str]]:
    """A target's folder of the run and its tree, with these files since it began to serve."""
    work, tree = folder / "work", folder / "a spool"
    for name in ("old/domain/e/example.org/a/user/anna/1.", *files):
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("message")
        if name.startswith("old"):
            subprocess.run(["bash", "-c", accepted.mark(str(work))], check=True)
    return str(work), [str(tree), str(folder / "not there")]


def line(text: str) -> Result:
    """A line as it is run on a server, which here has no Postfix."""
    no_postfix = "systemctl() { false; }\n"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", no_postfix + text], capture_output=True, text=True)
    return Result("target", text, done.returncode, done.stdout, done.stderr)


ODD = "domain/e/example.org/a/user/anna/two\nlines/12."
MAIL = (ODD, "domain/e/example.org/a/user/anna/3.", f"by_hash/a/b/ab{'0' * 38}.zst", "cyrus/s/shared/12.")
NO_MAIL = (
    "domain/e/example.org/a/user/anna/cyrus.index",
    "archives/backup.zst",
    "docs/12.",
    "by_hash/a/b/x.zst",
)


def test_only_messages_that_came_since_count_whatever_their_names(tmp_path: Path):
    folder, trees = served(tmp_path, *MAIL, *NO_MAIL)
    price = accepted.price(folder, line(accepted.show(folder, trees)))
    assert "4 messages in mailboxes" in price.seen
    assert {item["item"] for item in price.items} == {f"{trees[0]}/{name}" for name in MAIL}


def test_all_of_them_are_kept_whatever_their_names(tmp_path: Path):
    folder, trees = served(tmp_path, *MAIL, *NO_MAIL)
    assert line(accepted.keep(folder, trees)).ok
    with tarfile.open(accepted.archive(folder)) as archive:
        assert {f"/{name.lstrip('/')}" for name in archive.getnames()} == {
            f"{trees[0]}/{name}" for name in MAIL
        }


def test_on_the_way_back_the_origin_serves_before_mail_is_counted_and_kept():
    settings = Settings(origin="origin", target="target", address="198.18.7.10")
    titles = [
        action.title
        for one in reversed(PROCEDURE.steps)
        if one.undo
        for action in singles(one.undo(settings))
    ]
    serves = max(place for place, title in enumerate(titles) if title == "services of origin are running")
    assert serves < titles.index("keep the mail that the target has accepted")


def test_the_price_names_what_will_not_be_brought_back():
    price = accepted.price("/work", told(f"since 100\0file {OWN}\0file {SHARED}\0file {BY_HASH}\0"))
    assert price.holds
    assert "3 messages in mailboxes" in price.seen
    assert "2 are not brought back" in price.seen
    assert {item["item"]: item["what"] for item in price.items} == {
        SHARED: mailbox.NOBODY,
        BY_HASH: mailbox.NOBODY,
        OWN: "message",
    }


def test_nothing_is_said_of_them_where_there_are_none():
    price = accepted.price("/work", told(f"since 100\0file {OWN}\0"))
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
