"""What a program's exit status tells of a pass: begin it again, mend something, or dump the database as a whole."""

import pytest

from bmnb.transfer.programs.carry_database import Pass
from bmnb.transfer.programs.postgres import Died, Failed, Lost, failed

REFUSED, SERVER_GONE, KILLED, CONNECTION_BROKE = 3, 2, 137, 255


@pytest.mark.parametrize(
    ("status", "kind"),
    [(REFUSED, Failed), (SERVER_GONE, Died), (KILLED, Died), (CONNECTION_BROKE, Lost), (-9, Lost)],
)
def test_what_a_program_ended_with_says_of_the_data(status: int, kind: type[Failed]):
    assert type(failed("psql", status)) is kind


class Played(Pass):
    """A pass whose look at the rows ends so."""

    def __init__(self, status: int) -> None:
        self.status, self.state, self.told, self.dumped = status, {"schema": "s"}, {}, False

    def begin(self, replicate, snapshot=""):
        return "s"

    def look(self):
        raise failed("psql", self.status)

    def fall_back(self, why):
        self.dumped = True

    @property
    def replication(self):
        return type("None", (), {"behind": 0})


def test_only_what_postgresql_refuses_is_dumped_as_a_whole():
    refused = Played(REFUSED)
    refused.run(replicate=False)
    assert refused.dumped


@pytest.mark.parametrize("status", [SERVER_GONE, KILLED, CONNECTION_BROKE])
def test_a_program_that_was_killed_costs_no_dump(status: int):
    died = Played(status)
    with pytest.raises(Failed, match=f"psql ended with {status}"):
        died.run(replicate=False)
    assert not died.dumped
