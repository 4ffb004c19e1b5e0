"""What version 5 asks of a platform of version 4."""

import subprocess
from pathlib import Path

import pytest

from bmnb.bluemind import next_major
from bmnb.steps import Result


def told(text: str, host: str = "core") -> Result:
    return Result(host, "", 0, text)


@pytest.mark.parametrize(("used", "holds"), [(49, True), (50, False), (80, False)])
def test_less_than_half_is_less_than_half(used: int, holds: bool):
    seen = next_major.less_than_half(told(f"100 {used}\n"), told("", "edge"))
    assert seen.holds is holds
    assert seen.seen == f"{used} % on core"


def test_that_no_server_has_postgresql_is_not_enough():
    assert not next_major.less_than_half(told("")).holds


@pytest.mark.parametrize(("free", "holds"), [(50, True), (49, False)])
def test_an_archive_needs_half_of_the_spool_free(free: int, holds: bool):
    assert next_major.room_for_archive(told(f"{free} 100\n")).holds is holds


def test_less_memory_than_the_minimum_can_be_accepted():
    assert next_major.large_enough(told(f"8\n{24 << 20}\n")).holds
    small = next_major.large_enough(told(f"8\n{16 << 20}\n"))
    assert small.items == ({"item": "memory", "what": "16 GiB of 24"},)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "MEM=2028\nDMEM=128\n"),
        ("MEM=512\nOTHER=1\n", "OTHER=1\nMEM=2028\nDMEM=128\n"),
        ("MEM=4096\nDMEM=256\n", "MEM=4096\nDMEM=256\n"),
    ],
    ids=["none", "smaller", "larger"],
)
def test_tika_gets_its_memory_and_keeps_what_is_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
):
    ini, folder = tmp_path / "local" / "bm-tika.ini", tmp_path / "work"
    monkeypatch.setattr(next_major, "TIKA", str(ini))
    if before is not None:
        ini.parent.mkdir()
        ini.write_text(before)
    for _ in range(2):
        subprocess.run(["bash", "-c", next_major.give_tika_memory(str(folder))], check=True)
        assert ini.read_text() == after
    subprocess.run(["bash", "-c", next_major.take_tika_memory_back(str(folder))], check=True)
    assert (ini.read_text() if ini.exists() else None) == before
