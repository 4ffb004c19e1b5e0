"""The same story with the fast engine, which also gets odd tables, and a file that no time gives away.

What has nothing to do with the engine is told in the other story alone.
"""

from itertools import takewhile

from tests.lab import odd_tables
from tests.lab.test_faults import *  # noqa: F403
from tests.lab.test_faults import Story, journal

del (
    test_prerequisites,  # noqa: F821
    test_a_full_disk_of_the_controller_and_a_cut_journal,  # noqa: F821
    test_the_target_restarts_after_the_switch,  # noqa: F821
    test_the_way_back_from_the_middle_of_the_switch,  # noqa: F821
)

OVERLOOKED = "/var/spool/bm-docs/rewritten within the second"


def done(sql: str, content: str) -> str:
    """A script that changes the database, and writes the file without its time telling."""
    psql = "cd /; runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 -o /dev/null bj-data"
    write = f"printf {content} > '{OVERLOOKED}'; touch -d '2026-03-01 10:00:00.1' '{OVERLOOKED}'"
    return f"{write}\n{psql} <<'END'\n{sql}\nEND"


ENGINE = "fast"
AT_FIRST, MEANWHILE = done(odd_tables.BEFORE, "one"), done(odd_tables.AFTER, "two")


def test_the_cold_passes_moved_what_had_changed(story: Story):
    """Rows that one of them has brought are there for the next; trees are brought again until one comes to its end.

    That is so until the servers' disks were put back, after which every file has another ctime.
    """
    passes = takewhile(lambda line: line["event"] != "reopened", journal(story.runs))
    done = [line for line in passes if line["event"] == "done" and "cold" in line.get("action", "")]
    rows, trees = (
        [line["row"] for line in done if line["title"] == title]
        for title in ("rows of bj-data, proven equal", "what changed in the trees")
    )
    assert {one["restored"] for one in rows} == {0}
    assert 0 < sum(one["carried"] for one in rows) < rows[-1]["rows"] / 5, (
        "the table of equal rows comes whole"
    )
    # the users work on between the passes, for longer on a slow machine
    assert 0 < trees[-1]["transferred"] < trees[-1]["files"] / 2
