"""Whatever is changed after the origin told of it must be found on the target."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.verification.sides import box, compared, rewrite_keeping_the_time, told

CHANGES: list[tuple[str, str, Callable[[Path], object]]] = [
    (
        "a byte, at the same size and time",
        "content",
        lambda t: rewrite_keeping_the_time(box(t) / "Sent" / "2.", b"twO"),
    ),
    ("a time, by a nanosecond", "modified", lambda t: os.utime(box(t) / "1.", ns=(1, 10**18 + 1))),
    ("a mode", "mode", lambda t: (box(t) / "1.").chmod(0o604)),
    ("an owner", "owner", lambda t: os.chown(t / "empty", 12345, -1)),
    ("a link's aim", "leads to", lambda t: ((t / "link").unlink(), (t / "link").symlink_to("elsewhere"))),
    ("a missing message", "existence", lambda t: (box(t) / "Sent" / "2.").unlink()),
    ("a file of the target alone", "existence", lambda t: (t / "empty" / "more").touch()),
    ("an attribute", "attributes", lambda t: os.setxattr(t / "empty", "user.x", b"1")),
    (
        "a hard link that became a copy",
        "hard link",
        lambda t: ((box(t) / "3.").unlink(), (box(t) / "3.").write_bytes(b"one")),
    ),
    ("an odd name", "existence", lambda t: next(t.glob("odd*")).unlink()),
]


@pytest.mark.parametrize(("what", "change"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_what_differs_is_found_by_name(
    tree: Path, tmp_path: Path, what: str, change: Callable[[Path], object]
):
    lines = told(str(tree))
    assert compared(lines, tmp_path)[0] == []
    change(tree)
    found, sums = compared(lines, tmp_path)
    assert what in {one["what"] for one in found}
    assert sums["differences"] == len(found)


def test_mail_is_counted_by_mailbox(tree: Path, tmp_path: Path):
    lines = told(str(tree))
    (box(tree) / "Sent" / "2.").unlink()
    compared(lines, tmp_path)
    assert json.loads((tmp_path / "mailboxes").read_text()) == ["anna.b@example.org", 2, 3, 9, 2, 6]


MAILBOXES = {
    "cyrus/data/part/domain/e/example.org/a/user/anna/Sent": "anna@example.org",
    "cyrus/data/second/domain/e/example.org/a/user/anna": "anna@example.org",
    "cyrus/data/part/domain/e/example.org/s/shared": "shared@example.org",
    "cyrus/mail/a/user/anna^b/Sent": "anna.b",
    "cyrus/mail/user/bert/deep/user/x": "bert",
    "cyrus/mail/uuid/8/f/8f1b2c": "all, by id",
    "cyrus/mail/s/shared": "all, elsewhere in {}",
    "bm-hsm/cyrus-archives/x": "all, elsewhere in {}",
    "data/by_hash/a/b": "all, by hash",
}


def test_every_message_is_counted_whatever_the_layout_of_the_spool(tmp_path: Path):
    tree = tmp_path / "tree"
    for folder in (*MAILBOXES, "docs"):
        (tree / folder).mkdir(parents=True)
        (tree / folder / ("a" * 40 + ".zst" if "by_hash" in folder else "7.")).write_text("message")
    compared(told(str(tree)), tmp_path)
    rows = map(json.loads, (tmp_path / "mailboxes").read_text().splitlines())
    counted = Counter({name: messages for name, _, messages, *_ in rows})
    assert counted == Counter(name.format(tree) for name in MAILBOXES.values())


def test_content_is_compared_of_what_changed_and_of_a_sample(tree: Path, tmp_path: Path):
    later = (box(tree) / "1.").stat().st_ctime + 10
    assert compared(told(str(tree), since=later, percent=0), tmp_path)[1]["by content"] == 0
    assert compared(told(str(tree), since=0, percent=0), tmp_path)[1]["by content"] == 4


def test_what_the_target_has_more_counts_only_where_it_may_not(tree: Path, tmp_path: Path):
    place = str(tree / "*")
    lines, kept = told(place), told(f"+{place}")
    (tree / "more").touch()
    assert {one["item"] for one in compared(lines, tmp_path)[0]} >= {str(tree / "more")}
    assert compared(kept, tmp_path)[0] == []


def test_a_list_that_was_cut_is_no_comparison(tree: Path, tmp_path: Path):
    cut = b"\n".join(told(str(tree)).splitlines()[:-2]) + b"\n"
    with pytest.raises(subprocess.CalledProcessError) as failed:
        compared(cut, tmp_path)
    assert b"is cut" in failed.value.stderr


def test_a_place_that_the_target_lacks_is_absent_there(tree: Path, tmp_path: Path):
    """Whatever else lies beside it has nothing to do with it."""
    lines = told(str(tree / "lin*"))
    (tree / "link").unlink()
    found, _ = compared(lines, tmp_path)
    assert [(one["item"], one["what"], one["target"]) for one in found] == [
        (str(tree / "link"), "existence", "absent")
    ]
