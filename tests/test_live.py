"""A step under way as a person sees it, and as plain lines."""

from datetime import UTC, datetime
from pathlib import Path

from bmnb import live
from bmnb.language import use
from bmnb.progress import Job
from bmnb.steps import Check, Command, Result, Verdict


def holds(result: Result) -> Verdict:
    return Verdict(True, "")


COPY = Command("target", "rsync -a 'a & b' /a/\nsecond line", "copy <a>")
LOOK = Check(("origin", "target"), "date", holds, "clocks")


def under_way() -> Job:
    job = Job(COPY)
    job.start()
    job.hear("1 50% 1.00kB/s 0:00:01 (xfr#1, to-chk=50/100)\r", 2, 10)
    return job


def test_the_screen_has_the_whole_and_each_action_under_way():
    over = Job(LOOK)
    over.end("done")
    shown = live.screen("Synchronize", [over, under_way(), Job(LOOK)], 12)
    assert "1 of 3 actions, 0:12" in shown
    assert 'value="0.500" aria-label="Synchronize"' in shown
    assert "target: copy &lt;a&gt;" in shown
    assert "$ rsync -a &#x27;a &amp; b&#x27; /a/" in shown
    assert "second line" not in shown
    assert "last output 2 s ago" in shown


def test_each_tree_has_its_bar_and_its_words():
    job = Job(COPY)
    job.start()
    job.hear("\r/var/spool: 1200 of 4800 files\r100 of 400 bytes\r", 0, 10)
    shown = live.screen("Synchronize", [job], 12)
    assert '<progress max="1" value="0.250" aria-label="/var/spool">' in shown
    assert "<span>1,200 of 4,800 files</span>" in shown
    assert "/var/spool 1,200 of 4,800 files" in live.line(job)


def test_a_bar_of_unknown_length_has_no_value():
    assert live.bar(None, "x") == '<progress max="1" aria-label="x"></progress>'


def test_plain_lines_tell_the_same(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(live, "LINE_SECONDS", 0.0)
    shown = live.Live("Synchronize", {"a/1": COPY, "a/2": LOOK}, tmp_path)
    shown.jobs["a/1"].start()
    shown.draw()
    told = (tmp_path / live.FILE).read_text()
    assert told.count("\n") == 1
    assert "started copy <a> (target) since 0:00, last output 0 s ago" in told


def test_french_users_read_french():
    with use("fr"):
        assert "dernière sortie il y a 2 s" in live.line(under_way())


def test_a_screen_names_the_command_that_follows_this_run():
    shown = live.as_of(datetime(2026, 12, 5, 22, 0, 1, tzinfo=UTC), Path("/runs/2026-12-05-a b"))
    assert "22:00:01 UTC" in shown
    assert "bmnb status &#x27;/runs/2026-12-05-a b&#x27; --watch" in shown
