"""A chart has a bar for each thing, at its time, and every name as text."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta, timezone

from bmnb.probe import Spell
from bmnb.report import charts
from bmnb.report.charts import AWAY, BLUE, GREY, UP, Lane

PARIS = timezone(timedelta(hours=1))
MIDNIGHT = datetime(2026, 2, 1, tzinfo=PARIS)


def at(seconds: float) -> datetime:
    return MIDNIGHT + timedelta(seconds=seconds)


def texts(picture: str) -> list[str]:
    return [str(one.text) for one in ET.fromstring(picture) if one.tag.endswith("text")]


def bars(picture: str, *colors: str) -> list[tuple[str, float, float]]:
    """Colour, begin and end of the bars, without those of the legend; in the picture's unit."""
    found = [one.attrib for one in ET.fromstring(picture) if one.tag.endswith("rect")]
    drawn = [one for one in found if one["fill"] in colors and float(one["y"]) >= 30]
    return [(one["fill"], float(one["x"]), float(one["x"]) + float(one["width"])) for one in drawn]


def test_a_bar_begins_where_the_one_before_it_ends():
    picture = charts.timeline([("hot", at(-60), at(0), False), ("cold", at(0), at(30), True)])
    (first, begin, middle), (second, begin_2, end) = bars(picture, BLUE, AWAY)
    assert (first, second) == (BLUE, AWAY)
    assert middle == begin_2
    assert round((middle - begin) / (end - begin_2), 2) == 2
    assert {"hot", "cold", "service up", "users cut off"} <= set(texts(picture))


def test_the_date_stands_where_it_changes():
    told = texts(charts.timeline([("hot", at(-60), at(60), False)]))
    assert told[told.index("23:59:00") + 1] == "2026-01-31"
    assert told[told.index("00:00:00") + 1] == "2026-02-01"
    assert told.count("2026-02-01") == 1


def test_the_times_are_those_of_the_servers_zone():
    spells = {"port 25": [Spell(at(0).astimezone(UTC), at(7200), True)]}
    assert "01:00" in texts(charts.outages(spells, None, PARIS))


def test_the_downtime_by_the_journal_stands_below_what_the_probes_saw():
    spells = {"port 25": [Spell(at(0), at(9), False), Spell(at(9), at(20), True)]}
    picture = charts.outages(spells, (at(0), at(10)), PARIS)
    assert [color for color, *_ in bars(picture, UP, AWAY)] == [AWAY, UP, AWAY]
    assert "by the journal" in texts(picture)


def test_names_of_clients_are_text_whatever_is_in_them():
    name = "Müller & <b>Söhne</b>"
    picture = charts.lanes([Lane(name, ((at(0), at(60), False),), not_after=at(600))])
    assert name in texts(picture)
    assert [color for color, *_ in bars(picture, BLUE, GREY)].count(GREY) > 1, (
        "the window, and lines at ticks"
    )


def test_amounts_have_their_numbers_beside_them():
    told = texts(charts.passes([("first", 130.0, 12_340_000), ("second", 3.0, 0)]))
    assert told == ["first", "second", "minutes", "2.2", "0.1", "MB over the line", "12.3", "0"]


def test_what_took_no_time_is_seen():
    ((_, begin, end),) = bars(charts.timeline([("at once", at(0), at(0), False)]), BLUE)
    assert end - begin == 1
