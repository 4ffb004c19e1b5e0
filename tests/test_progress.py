"""How far a command has come, from what it prints: true to rsync's words, never backwards."""

from hypothesis import given
from hypothesis import strategies as st

from bmnb.language import use
from bmnb.progress import Job, clock, rsync, share, size, words
from bmnb.steps import Command

# as rsync 3.2.3 and 3.2.7 print it
FULL = "         32,768   0%    0.00kB/s    0:00:00  \r     16,133,156   6%    2.98MB/s    0:00:05 (xfr#1681, to-chk=37756/39834)\r"
EQUAL = "              0   0%    0.00kB/s    0:00:00 (xfr#0, to-chk=0/301)\n"


def job() -> Job:
    made = Job(Command("target", "rsync -a origin:/a/ /a/", "/a"))
    made.start()
    return made


def test_rsync_tells_bytes_rate_and_files():
    told = rsync(FULL)
    assert (told.bytes, told.files, round(told.share, 3)) == (16133156, 2078, 0.052)
    assert round(told.rate) == round(2.98 * 1024**2)


def test_files_that_are_equal_count_though_no_byte_was_sent():
    assert rsync(EQUAL).share == 1.0


def test_other_output_tells_nothing():
    assert rsync("receiving file list ... done\nNumber of files: 301\n") is None


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_a_bar_never_goes_backwards(positions: list[int]):
    under_way, seen = job(), [0.0]
    for place in positions:
        under_way.hear(f" {place} 1% 1.00kB/s 0:00:01 (xfr#1, to-chk={1000 - place}/1000)\r", 0, 1)
        seen.append(under_way.reading.share)
    assert seen == sorted(seen)


def test_the_last_output_and_its_age_are_shown():
    under_way = job()
    under_way.hear("one\ntwo\n\nthree\nfour\n", silent=4, elapsed=65)
    assert under_way.lines == ["two", "three", "four"]
    assert words(under_way) == "since 1:05, last output 4 s ago"


def test_a_secret_in_the_output_is_masked():
    under_way = job()
    under_way.hear("password=hunter2\n", silent=0, elapsed=1)
    assert under_way.lines == ["password=[redacted]"]


def test_the_time_left_follows_from_the_share_that_is_done():
    under_way = job()
    under_way.hear("1 25% 1.00kB/s 0:00:01 (xfr#1, to-chk=75/100)\r", silent=0, elapsed=60)
    assert "25%" in words(under_way)
    assert "3:00 left" in words(under_way)


def test_a_gauge_counts_where_a_command_is_silent():
    under_way = job()
    under_way.gauge(50, 200)
    assert under_way.reading.share == 0.25
    under_way.gauge(60, 0)
    assert (under_way.reading.share, under_way.reading.bytes) == (0.25, 60)
    under_way.gauge(10, 0)
    assert under_way.reading.bytes == 60


def test_what_a_command_is_at_is_said_in_the_language_in_use():
    under_way = job()
    under_way.is_at("public.t_x: 3 of about 12 rows\npublic.t_y: about 4 rows")
    assert words(under_way).startswith("public.t_y: about 4 rows, since")
    [table] = under_way.parts.values()
    assert (table.name, table.share, table.counted) == ("public.t_x", 0.25, "3 of about 12 rows")
    with use("fr"):
        assert words(under_way).startswith("public.t_y : environ 4 lignes, ")
        assert table.counted == "3 lignes sur environ 12"


def test_the_fast_engine_tells_each_tree_and_the_whole():
    under_way = job()
    cut = "pool/x: 9 of 9 files"
    under_way.hear(f"{cut}\r/spool: 1 of 4 files\r/var: 4 of 4 files\r100 of 400 bytes\rwhy\r", 0, 10)
    assert [(one.name, one.counted) for one in under_way.parts.values()] == [
        ("/spool", "1 of 4 files"),
        ("/var", "4 of 4 files"),
    ]
    assert under_way.lines == ["why"], "what is shown as bars is not shown again"
    told = under_way.reading
    assert (told.files, told.bytes, round(told.rate or 0)) == (5, 100, 10)
    assert told.share == (5 / 8 + 100 / 400) / 2


def test_a_step_counts_actions_that_are_over_and_the_share_of_the_others():
    done, half, waiting = job(), job(), Job(Command("target", "true"))
    done.end("done")
    half.gauge(1, 2)
    assert share([done, half, waiting]) == 0.5


def test_sizes_and_times_read_well():
    assert [size(number) for number in (0, 999, 1000, 2_500_000, 3_210_000_000)] == [
        *("0 B", "999 B", "1 kB", "2 MB", "3.2 GB")
    ]
    assert [clock(seconds) for seconds in (0, 59.6, 3599, 3661)] == ["0:00", "1:00", "59:59", "1:01:01"]
