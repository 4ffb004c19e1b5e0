"""Synchronizing trees: what rsync tells, and what it must never follow."""

import pytest

from bmnb.steps import Result
from bmnb.transfer.files import read_stats, safe_to_follow

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
