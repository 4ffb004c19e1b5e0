"""Synchronizing trees: what rsync tells, and what it must never follow."""

import subprocess
from pathlib import Path

import pytest

from bmnb.steps import Result
from bmnb.transfer.files import read_all, read_stats, read_trees, safe_to_follow, synchronize_all

STATS = """
Number of files: 31,249 (reg: 27,540, dir: 3,700, link: 9)
Number of created files: 31,238 (reg: 27,531, dir: 3,698, link: 9)
Number of deleted files: 12
Number of regular files transferred: 25,580
Total file size: 224,677,179 bytes
Total transferred file size: 218,156,667 bytes
Total bytes sent: 500
Total bytes received: 1,000
"""


def test_stats_are_read_as_numbers():
    assert read_stats(Result("target", "rsync", 0, STATS, seconds=2.0)) == {
        "files": 31249,
        "created": 31238,
        "deleted": 12,
        "transferred": 25580,
        "bytes": 224677179,
        "changed bytes": 218156667,
        "line bytes": 1500,
        "bytes/s": 750,
    }


RSYNC = r"""#!/bin/sh
for tree; do :; done
printf '\r%9d 100%% 1.2MB/s 0:00:01' $(seq 3000)
case $tree in
*queue*) files=1 size=10;; *sieve*) files=2 size=20;; *) files=3 size=30;;
esac
echo "
Number of files: $files (reg: 1)
Number of regular files transferred: 1
Total file size: $size bytes
Total transferred file size: 5 bytes
Total bytes sent: 4
Total bytes received: 6"
case $tree in *sieve*) exit 24;; esac
"""


def follow(folder: Path, *trees: str) -> Result:
    """What is kept of the output where rsync follows these trees, and there is nothing in `/absent` on the origin."""
    for name, text in (("rsync", RSYNC), ("ssh", "#!/bin/sh\ncase $2 in */absent*) exit 1;; esac\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    line = f"PATH={folder}:$PATH\n{synchronize_all('origin', trees, 'ssh')}"
    with (folder / "out").open("wb") as out:
        done = subprocess.run(["bash", "-c", line], stdout=out, check=False)
    return Result("target", line, done.returncode, (folder / "out").read_text()[-8000:], seconds=2.0)


def test_where_rsync_follows_all_trees_each_has_its_numbers_however_much_it_has_printed(tmp_path: Path):
    result = follow(tmp_path, "/queue", "/absent", "/sieve", "/in two words")
    told = read_trees(result)
    assert result.exit == 24
    assert [(one["tree"], one["files"], one["bytes"]) for one in told] == [
        ("/queue", 1, 10),
        ("/sieve", 2, 20),
        ("/in two words", 3, 30),
    ]
    assert all(0 < one["seconds"] < 60 for one in told)
    assert read_all(result) == {
        **{"files": 6, "created": 0, "deleted": 0, "transferred": 3, "bytes": 60},
        **{"changed bytes": 15, "line bytes": 30, "bytes/s": 15},
    }


def test_of_trees_of_which_nothing_was_told_nothing_is_known(tmp_path: Path):
    assert read_trees(follow(tmp_path, "/absent")) == []
    assert read_all(Result("target", "rsync", 0, "cut off")) == {}


@pytest.mark.parametrize(
    ("counted", "known_empty", "holds"),
    [
        ("/var/spool/cyrus present\n/var/spool/sieve absent\n", (), True),
        ("/var/spool/cyrus present\n/var/spool/bm-docs empty\n", (), False),
        ("/var/spool/cyrus present\n/var/spool/bm-docs empty\n", ("/var/spool/bm-docs",), True),
        ("/var/spool/cyrus present\n/var/spool/bm-mapi empty\n", (), True),
        ("/var/spool/cyrus unmounted\n/var/spool/sieve present\n", ("/var/spool/cyrus",), False),
        ("/var/spool/cyrus absent\n", (), False),
        ("", (), False),
    ],
)
def test_an_empty_or_unmounted_tree_is_not_followed(counted: str, known_empty: tuple[str, ...], holds: bool):
    assert safe_to_follow(known_empty, Result("origin", "", 0, counted)).holds is holds
