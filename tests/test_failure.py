"""What failed is told with what a person can use: the server, how it ended, what it said."""

from bmnb.failure import failure
from bmnb.steps import Result


def test_a_line_that_one_can_type_is_told():
    assert failure(Result("old", "bmctl stop", 1, "", "no such unit\n")) == (
        "exit status 1 on old\n  | no such unit\n  $ bmctl stop"
    )


def test_a_program_is_not():
    program = "for tree in /a /b; do\n  rm -rf $tree\ndone"
    assert failure(Result("old", program, 2)) == "exit status 2 on old"
    assert failure(Result("old", "x" * 101, None)) == "it did not end: killed, or the server restarted on old"
