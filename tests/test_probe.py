"""What the probes saw, as stretches; nothing is said of the time in which nobody looked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bmnb.probe import outages, read, spells

BEGAN = datetime(2026, 1, 31, 20, tzinfo=UTC)


def seen(*answers: tuple[int, bool]) -> list[tuple[datetime, bool]]:
    return [(BEGAN + timedelta(seconds=second), answer) for second, answer in answers]


def test_stretches_of_the_same_answer_end_where_the_next_begins():
    found = spells(seen((0, True), (1, True), (2, False), (3, False), (4, True)))
    assert [(one.begin.second, one.end.second, one.answers) for one in found] == [
        (0, 2, True),
        (2, 4, False),
        (4, 4, True),
    ]


def test_where_nobody_looked_there_is_no_stretch():
    found = spells(seen((0, False), (1, False), (50, False), (51, False)))
    assert [(one.begin.second, one.end.second) for one in found] == [(0, 1), (50, 51)]


def test_a_line_that_a_crash_cut_is_left_out(tmp_path: Path):
    path = tmp_path / "probe.csv"
    path.write_text(f"{BEGAN.isoformat()},SMTP 25,0\n{BEGAN.isoformat()},SMT")
    assert [len(samples) for samples in read(path).values()] == [1]
    assert outages(path)[0].misses == 1


def test_an_outage_lasts_until_the_port_answers_again(tmp_path: Path):
    path = tmp_path / "probe.csv"
    path.write_text(
        "".join(
            f"{moment.isoformat()},SMTP 25,{answers:d}\n"
            for moment, answers in seen((0, True), (1, False), (3, True))
        )
    )
    [outage] = outages(path)
    assert (outage.probes, outage.misses, outage.seconds) == (3, 1, 2.0)
    assert (outage.first, outage.back) == (BEGAN + timedelta(seconds=1), BEGAN + timedelta(seconds=3))
