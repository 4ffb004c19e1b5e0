"""Tables as a person sees them: few columns, badges, commands line by line; the data stay whole."""

import re

from bmnb.language import use
from bmnb.shown import MOST
from bmnb.tables import table

STEP = {
    "pass": 1,
    "server": "target",
    "action": "/var/spool/cyrus",
    "status": "done",
    "seconds": 2.5,
    "seen": "",
    "files": 12345,
    "transferred": 3,
    "bytes": 99,
}


def headings(html: str) -> list[str]:
    return re.findall(r"<th>([^<]*)</th>", html.split("<tbody>")[0])[1:]


def test_what_was_counted_stands_in_words_behind_what_was_seen():
    frame = table(
        [STEP, {**STEP, "action": "look", "seen": "all is well", "files": "", "transferred": "", "bytes": ""}]
    )
    html = frame._repr_html_()
    assert headings(html) == ["pass", "server", "action", "status", "seconds", "seen"]
    assert "files 12,345, transferred 3, bytes 99" in html
    assert "all is well</td>" in html
    assert list(frame.columns) == list(STEP), "the data have every column"
    assert frame["files"].iloc[0] == 12345


def test_no_table_has_more_columns_than_are_read_side_by_side():
    phases = dict.fromkeys(("phase", "began", "ended", "seconds", "at work", "waiting", "state"), 1)
    steps = dict.fromkeys(("phase", "step", "status", "passes", "who", "when", "seconds"), "x")
    for row in (phases, steps, STEP):
        assert len(headings(table([row])._repr_html_())) <= MOST


def test_a_status_has_a_sign_a_word_and_a_colour_in_either_language():
    assert re.search("background: #1b5e20[^>]*>✓ done<", table([STEP])._repr_html_())
    with use("fr"):
        assert re.search(
            "background: #b00020[^>]*>✗ échoué<", table([{**STEP, "status": "failed"}])._repr_html_()
        )


def test_a_command_has_its_line_breaks_and_is_no_markup():
    html = table([{"server": "a", "command": "if <x>; then\n  true\nfi"}])._repr_html_()
    assert "pre-wrap" in html
    assert "if &lt;x&gt;; then\n  true\nfi</pre>" in html


def test_a_plan_is_folded_by_step():
    rows = [
        {"phase": "Hot", "step": name, "server": server, "what": "stop", "downtime": downtime}
        for name, server, downtime in (
            ("One", "a", ""),
            ("One", "b, a at 192.0.2.1 through b", ""),
            ("Two", "a", "yes"),
        )
    ]
    html = table(rows, by="step")._repr_html_()
    assert re.findall("<summary>([^<]*)</summary>", html) == [
        "Hot · One · 2 actions · a, b",
        "Hot · Two · 1 action · a · users are cut off",
    ]
    assert headings(html) == ["server", "what"]


def test_of_a_table_without_end_the_beginning_is_shown():
    html = table([{"item": number} for number in range(700)])._repr_html_()
    assert html.count("<tr>") == 501
    assert "… and 200 more" in html
