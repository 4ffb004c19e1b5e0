"""The late proof: the target is in use, so that only what rests there since its start is brought."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from bmnb.steps import Result
from bmnb.verification.files import PROGRAMS, bring_late, pack_late, proven_whole
from tests.verification.sides import Sides, program


class Late(Sides):
    """Both sides the same, then what differs before the start, the start, and what users do since."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for name in ("inbox/1.", "inbox/2.", "sent/1."):
            path = self.tree("origin") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        shutil.copytree(self.tree("origin"), self.tree("target"))
        for folder_, _, names in os.walk(self.tree("origin"), topdown=False):
            for one in (*names, "."):
                path = Path(folder_, one)
                there = self.tree("target") / path.relative_to(self.tree("origin"))
                shutil.copystat(path, there)

    def start(self) -> None:
        # the clock by which files get their times ticks slowly
        time.sleep(0.05)
        (line,) = [one for one in Path("/proc/stat").read_text().splitlines() if one.startswith("btime ")]
        (self.folder / "served").write_text(line)
        time.sleep(0.05)

    def look(self) -> dict[str, int]:
        told = self.told("list")
        self.program("target", "compare", "list", str(self.out), told=told)
        self.program("target", "late", str(self.out), str(self.folder / "served"))
        found: dict[str, int] = json.loads(self.found[0])
        return {word: number for word, number in found.items() if number}

    @property
    def found(self) -> list[str]:
        return (self.out / "found").read_text().splitlines()

    def bring(self) -> None:
        staging, others = self.folder / "staging", dict[int, Path]()
        paths = [Path(os.fsdecode(name)) for name in (self.out / "bring").read_bytes().split(b"\0")[:-1]]
        # folders last, as tar has it, since what comes into them changes their times
        for path in sorted(paths, reverse=True):
            came, source = Path(f"{staging}{path}"), self.tree("origin") / path.relative_to(self.place)
            came.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                came.mkdir(exist_ok=True)
                shutil.copystat(source, came)
            elif others.get(source.stat().st_ino):
                os.link(others[source.stat().st_ino], came)
            else:
                others[source.stat().st_ino] = shutil.copy2(source, came, follow_symlinks=False)
        self.program("target", "place", str(self.out), str(self.folder / "served"), str(staging))


@pytest.fixture
def late(tmp_path: Path) -> Late:
    return Late(tmp_path)


def test_what_is_the_same_is_found_to_be(late: Late):
    late.start()
    assert late.look() == {}


def test_what_was_missing_at_the_start_is_brought_as_it_is(late: Late):
    (late.tree("target") / "inbox/1.").unlink()
    shutil.rmtree(late.tree("target") / "sent")
    late.start()
    assert late.look() == {"brought from the origin": 5}, "with the folders whose time it changed"
    late.bring()
    assert late.look() == {}
    assert (late.tree("target") / "sent/1.").read_text() == "sent/1."


def test_what_differed_at_the_start_is_brought(late: Late):
    path = late.tree("target") / "inbox/2."
    kept = path.stat()
    path.write_text("INBOX/2.")
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    late.start()
    assert late.look() == {"brought from the origin": 1}
    late.bring()
    assert late.look() == {}
    assert path.read_text() == "inbox/2."


def test_what_users_have_changed_since_is_neither_overwritten_nor_told_to_be_the_same(late: Late):
    late.start()
    path = late.tree("target") / "inbox/2."
    path.write_text("changed by a user")
    assert late.look() == {"changed on the target since its start": 1}
    late.bring()
    assert path.read_text() == "changed by a user"


def test_what_users_change_between_the_look_and_the_bringing_stays_theirs(late: Late):
    path = late.tree("target") / "inbox/2."
    path.write_text("wrong from the start")
    late.start()
    assert late.look() == {"brought from the origin": 1}
    path.write_text("changed by a user")
    late.bring()
    assert path.read_text() == "changed by a user"


def test_a_message_that_a_user_has_deleted_does_not_come_back(late: Late):
    late.start()
    (late.tree("target") / "inbox/2.").unlink()
    found = late.look()
    assert found.pop("gone from a folder that has changed since the start, or never there") == 1
    late.bring()
    assert not (late.tree("target") / "inbox/2.").exists()


def test_what_is_brought_into_a_folder_of_users_brings_nothing_back_that_they_have_deleted(late: Late):
    (late.tree("target") / "inbox/1.").write_text("wrong from the start")
    late.start()
    (late.tree("target") / "inbox/2.").unlink()
    assert late.look()["brought from the origin"] == 1
    late.bring()
    assert (late.tree("target") / "inbox/1.").read_text() == "inbox/1."
    assert "brought from the origin" not in late.look()
    late.bring()
    assert not (late.tree("target") / "inbox/2.").exists()


@pytest.mark.parametrize("booted", ["btime 9999999999", ""], ids=["set back", "not told"])
def test_where_the_clock_was_set_back_since_the_start_nothing_is_brought(late: Late, booted: str):
    """What users have changed since may look older than the start."""
    (late.tree("target") / "inbox/1.").write_text("by a user, maybe")
    late.start()
    served = late.folder / "served"
    kept = served.stat()
    served.write_text(booted)
    os.utime(served, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    found = late.look()
    assert list(found) == ["nobody knows since when, as the target's clock was set back after the start"]
    late.bring()
    assert (late.tree("target") / "inbox/1.").read_text() == "by a user, maybe"
    assert not judged(late).holds


def test_what_a_killed_proof_has_left_beside_goes(late: Late):
    (late.tree("target") / "inbox/1.").unlink()
    late.start()
    left = late.tree("target") / "inbox/.bmnb-late"
    late.look()
    left.write_text("half")
    os.utime(left.parent)
    (late.out / "ours").write_text(json.dumps([f"{late.place}/inbox", left.parent.stat().st_ctime_ns]) + "\n")
    late.bring()
    assert not left.exists()
    assert (late.tree("target") / "inbox/1.").read_text() == "inbox/1."


def test_all_names_of_a_file_that_is_brought_are_one_file(late: Late):
    for side in ("origin", "target"):
        tree = late.tree(side)
        kept = (tree / "sent").stat()
        os.link(tree / "inbox/1.", tree / "sent/2.")
        os.utime(tree / "sent", ns=(kept.st_atime_ns, kept.st_mtime_ns))
    for name in ("inbox/1.", "sent/2."):
        (late.tree("target") / name).unlink()
    late.start()
    late.look()
    late.bring()
    assert late.look() == {}


def test_new_mail_is_no_difference_and_what_was_left_over_is_named(late: Late):
    (late.tree("target") / "sent/9.").write_text("deleted on the origin")
    late.start()
    (late.tree("target") / "inbox/3.").write_text("new")
    found = late.look()
    assert found["came since the start"] == 1
    assert found["on the target alone since before its start"] == 1
    assert json.loads(late.found[1])["item"].endswith("sent/9.")


def test_a_proof_that_was_killed_while_it_brought_goes_on(late: Late):
    """What it has changed itself does not count as touched."""
    for name in ("1.", "2."):
        (late.tree("target") / "inbox" / name).unlink()
    late.start()
    assert late.look()["brought from the origin"] == 3
    both = (late.out / "bring").read_bytes()
    (late.out / "bring").write_bytes(b"\0".join(both.split(b"\0")[:2]) + b"\0")
    late.bring()
    assert late.look() == {"brought from the origin": 1}
    late.bring()
    assert late.look() == {}


def told(late: Late) -> Result:
    text = [(late.out / name).read_text() for name in ("sums", "found")]
    brought = late.out / "brought"
    return Result("target", "", 0, "\n".join(text) + (brought.read_text() if brought.exists() else ""))


def judged(late: Late):
    return proven_whole(100, told(late), Result("origin", "", 0, ""))


def test_the_verdict_counts_what_was_brought_and_what_nobody_can_compare_any_more(late: Late):
    (late.tree("target") / "sent/1.").unlink()
    late.start()
    (late.tree("target") / "inbox/1.").write_text("by a user")
    late.look()
    assert not judged(late).holds
    late.bring()
    late.look()
    verdict = judged(late)
    assert verdict.holds
    assert "1 cannot be compared, since they were changed on the target since its start" in verdict.seen
    assert "were brought" in verdict.seen


def test_a_comparison_that_told_nothing_is_no_proof(late: Late):
    assert not proven_whole(100, Result("target", "", 0, ""), Result("origin", "", 0, "")).made
    assert not proven_whole(100, Result("target", "", 1, "x"), Result("origin", "", 0, "")).made


def test_the_program_is_known(tmp_path: Path):
    assert program("unchanged", str(tmp_path)) == b""


def test_the_lines_that_bring_keep_owner_mode_times_attributes_and_any_name(late: Late):
    """As the servers do them: packed on the origin, sent through the controller, placed on the target."""
    odd = late.tree("origin") / "inbox" / "-odd\nname *"
    odd.write_text("odd")
    (late.tree("origin") / "inbox/link").symlink_to("nowhere")
    with (late.tree("origin") / "inbox/holes").open("wb") as holes:
        holes.seek(8 << 20)
        holes.write(b"data")
        holes.truncate(16 << 20)
    os.setxattr(odd, "user.kept", b"attribute")
    odd.chmod(0o4750)
    os.utime(odd, ns=(1, 1_234_567_891_234_567_891))
    shutil.rmtree(late.tree("target") / "inbox")
    late.start()
    folder = str(late.folder)
    (late.folder / "comparing").symlink_to(PROGRAMS)
    late.out.rename(late.folder / "late")
    late.out = late.folder / "late"
    assert late.look()["brought from the origin"] == 7
    shutil.copy(late.out / "bring", late.folder / "late-bring")

    def done_on(side: str, line: str, given: bytes = b"") -> bytes:
        late.link.unlink()
        late.link.symlink_to(side)
        return subprocess.run(["bash", "-c", line], input=given, check=True, capture_output=True).stdout

    packed = done_on("origin", pack_late(folder))
    done_on("target", bring_late(folder, f"{folder}/served"), packed)
    assert late.look() == {}, "the comparison knows owner, mode, times and attributes"
    assert os.getxattr(late.tree("target") / "inbox" / odd.name, "user.kept") == b"attribute"
    assert (late.tree("target") / "inbox/holes").stat().st_blocks * 512 < 1 << 20, "holes stay holes"
    assert not (late.out / "staging").exists()
