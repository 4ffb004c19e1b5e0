"""Lines are added to somebody's file and taken away again: what was there before is there, to the byte."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bmnb.edits import REPLACE, add, rewrite, take_away

OURS = 'from="192.0.2.2",command="bash /w/gate" ssh-ed25519 AAAA ours:1'
PATTERN = "^from=.* ours:1$"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "keys"


def bash(line: str, given: str = "") -> subprocess.CompletedProcess[str]:
    command = ["bash", "-o", "pipefail", "-c", f"(\n{line}\n)"]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


def added(file: Path) -> subprocess.CompletedProcess[str]:
    return bash(add(f"echo {file}", f"{file.parent.parent}/state/keys"), f"{OURS}\n")


def taken(file: Path) -> subprocess.CompletedProcess[str]:
    return bash(take_away(f"echo {file}", f"{file.parent.parent}/state/keys", PATTERN))


@given(st.binary(max_size=60), st.booleans())
@example(b"", False)
@example(b"ssh-rsa AAAA admin", True)
@example(b"ssh-rsa AAAA admin\n\n", True)
@example(b"\r\n\0\xff", False)
def test_a_file_is_to_the_byte_what_it_was(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, twice: bool
):
    file = tmp_path_factory.mktemp("a") / "etc" / "keys"
    file.parent.mkdir()
    file.write_bytes(content)
    for _ in range(1 + twice):
        assert added(file).returncode == 0
        assert OURS.encode() in file.read_bytes().split(b"\n")
        assert file.read_bytes().count(OURS.encode()) == 1
    for _ in range(1 + twice):
        assert taken(file).returncode == 0
        assert file.read_bytes() == content


@pytest.mark.parametrize("end", ["", "\n"])
def test_what_others_have_added_meanwhile_stays(file: Path, end: str):
    file.parent.mkdir()
    file.write_text("ssh-rsa AAAA admin")
    added(file)
    with file.open("a") as open_file:
        open_file.write(f"ssh-rsa BBBB colleague{end}")
    assert taken(file).returncode == 0
    assert file.read_text() == f"ssh-rsa AAAA admin\nssh-rsa BBBB colleague{end}"


def test_a_line_that_an_earlier_fault_has_glued_to_another_s_is_not_taken_away(file: Path):
    file.parent.mkdir()
    file.write_text(f"ssh-rsa AAAA admin{OURS}\n")
    assert taken(file).returncode == 0
    assert file.read_text() == f"ssh-rsa AAAA admin{OURS}\n"


def test_a_file_that_was_not_there_is_gone_again_and_its_folder_with_it(file: Path):
    added(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    taken(file)
    assert not file.parent.exists()


def test_a_file_that_others_have_begun_meanwhile_stays(file: Path):
    added(file)
    file.write_text(f"{OURS}\nssh-rsa BBBB colleague\n")
    taken(file)
    assert file.read_text() == "ssh-rsa BBBB colleague\n"


def test_a_link_is_written_through_and_stays(file: Path):
    file.parent.mkdir()
    (file.parent / "real").write_text("ssh-rsa AAAA admin\n")
    file.symlink_to("real")
    added(file)
    assert OURS in (file.parent / "real").read_text()
    (file.parent / "real").write_text((file.parent / "real").read_text() + "another\n")
    taken(file)
    assert file.is_symlink()
    assert (file.parent / "real").read_text() == "ssh-rsa AAAA admin\nanother\n"


def test_owner_mode_and_attributes_stay(file: Path):
    file.parent.mkdir()
    file.write_text("one\n")
    os.chown(file, 12345, 12346)
    file.chmod(0o640)
    os.setxattr(file, "user.of-the-administrator", b"1")
    added(file)
    with file.open("a") as open_file:
        open_file.write("another\n")
    taken(file)
    assert file.read_text() == "one\nanother\n"
    now = file.stat()
    assert (now.st_uid, now.st_gid, now.st_mode & 0o777) == (12345, 12346, 0o640)
    assert os.getxattr(file, "user.of-the-administrator") == b"1"


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path):
    place = tmp_path / "etc"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "small", place], check=True)
    try:
        file = place / "keys"
        file.write_bytes(b"k" * 4090 + b"\n")
        (place / "full").write_bytes(b"f" * 4096)
        failed = added(file)
        assert failed.returncode != 0
        assert "No space left" in failed.stderr
        assert file.read_bytes() == b"k" * 4090 + b"\n"
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_file_is_rewritten_only_where_that_changes_it(file: Path):
    file.parent.mkdir()
    file.write_text("a\n")
    before = file.stat().st_ino
    assert bash(rewrite(str(file), "sed s/b/c/")).returncode == 0
    assert file.stat().st_ino == before
    assert bash(rewrite(str(file), "grep b")).returncode == 1
    assert file.read_text() == "a\n"
    assert bash(rewrite(str(file), "sed s/a/c/")).returncode == 0
    assert file.read_text() == "c\n"
    assert list(file.parent.iterdir()) == [file]


def test_a_content_that_cannot_be_written_leaves_the_old_one(file: Path):
    file.parent.mkdir()
    file.write_text("a\n")
    failed = bash(f"{REPLACE}\ncat() {{ return 1; }}\nreplace {file}", "b\n")
    assert failed.returncode == 1
    assert file.read_text() == "a\n"
    assert list(file.parent.iterdir()) == [file]
