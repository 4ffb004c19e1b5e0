"""The origin is the one in use, the target the one with nearly nothing; else they may be swapped."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bmnb.bluemind import contents
from bmnb.language import use
from bmnb.phrases import phrase
from bmnb.procedures.changing_distributions import swapped
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.steps import Result, Verdict
from tests.test_observe import judged_with

NOW = datetime(2026, 11, 29, 21, 40, tzinfo=UTC)
NEVER = None
TODAY, YESTERDAY, LAST_WEEK, LAST_YEAR = (NOW - timedelta(days=days) for days in (0, 0.9, 7, 365))


def server(host: str, mailboxes: int, messages: int, last: datetime | None, **more: str) -> Result:
    """What a server with so much on it prints."""
    values = {
        "mailboxes": mailboxes,
        "messages": messages,
        "last-delivery": f"{last:%Y-%m-%dT%H:%M:%SZ}" if last else "",
        "last-login": "",
        "name": f"{host}.example.org",
        "address": "192.0.2.10",
        "up-since": "2026-11-01T05:00:00Z",
        **more,
    }
    lines = [f"{word} {value}" for word, value in values.items()]
    return Result(host, "look", 0, "\n".join([*lines, "size bj 12000000", "size bj-data 80000000"]))


def judged(origin: tuple[int, int, datetime | None], target: tuple[int, int, datetime | None]) -> Verdict:
    return swapped.judge(server("OLD", *origin), server("NEW", *target))


IN_USE = (412, 1_204_311, TODAY)
WIZARD = (3, 0, NEVER)


@pytest.mark.parametrize(
    ("origin", "target"),
    [
        (IN_USE, WIZARD),
        (IN_USE, (10, 100, TODAY)),  # somebody has tried the new server
        ((412, 1_204_311, LAST_WEEK), WIZARD),  # on holiday
        ((3, 40, TODAY), WIZARD),  # a small client
        ((3, 40, TODAY), (3, 2, TODAY)),
        ((3, 200_000, TODAY), (4, 0, NEVER)),  # few mailboxes, much mail
        ((300, 0, NEVER), (3, 0, NEVER)),  # a directory, and no mail yet
    ],
)
def test_it_holds_where_the_target_has_nearly_nothing(origin, target):
    verdict = judged(origin, target)
    assert verdict.holds, verdict.seen


@pytest.mark.parametrize(
    ("origin", "target"),
    [
        (WIZARD, IN_USE),
        (WIZARD, (412, 0, NEVER)),  # accounts are there already
        (WIZARD, (1, 101, LAST_YEAR)),
        ((3, 2, TODAY), IN_USE),  # the new server was tried
        ((412, 900_000, LAST_YEAR), IN_USE),  # last year's rehearsal, taken for the origin
        ((412, 1_300_000, LAST_WEEK), IN_USE),  # a copy of last week; users have deleted since
        ((412, 1_200_000, YESTERDAY), IN_USE),  # a copy of yesterday
        ((412, 900_000, NEVER), IN_USE),
    ],
)
def test_where_they_look_swapped_it_asks_shows_both_and_nothing_can_be_accepted(origin, target):
    verdict = judged(origin, target)
    assert not verdict.holds
    assert verdict.seen.startswith("are origin and target swapped?")
    assert "origin OLD: " in verdict.seen
    assert "target NEW: " in verdict.seen
    assert not judged_with(verdict, "")[1], "no answer is offered"


@pytest.mark.parametrize(
    ("origin", "target", "why"),
    [
        (
            IN_USE,
            (412, 1_200_000, YESTERDAY),
            "the target has data of its own",
        ),  # a rehearsal that was switched
        (IN_USE, (412, 1_200_000, LAST_YEAR), "the target has data of its own"),
        (IN_USE, (412, 1_300_000, LAST_WEEK), "the target has data of its own"),  # users have deleted since
        (IN_USE, (412, 1_204_311, TODAY), "the target has data of its own"),  # a rehearsal of this minute
        (IN_USE, (11, 0, NEVER), "the target has data of its own"),  # accounts made by hand
        (WIZARD, WIZARD, "the origin has nothing to move"),
        ((3, 2, TODAY), (3, 60, TODAY), "the origin has nothing to move"),
        ((412, 90_000, LAST_YEAR), (5, 60, TODAY), "the target has had mail later than the origin"),
    ],
)
def test_what_is_unusual_may_be_accepted_on_record(tmp_path: Path, origin, target, why):
    verdict = judged(origin, target)
    assert not verdict.holds
    assert verdict.seen.startswith(f"{why}; origin OLD: ")
    _, number = judged_with(verdict, "")
    assert judged_with(verdict, f"{number} Anna, the rehearsal of Tuesday")[0].holds


def test_an_acceptance_stands_while_the_origin_goes_on_and_falls_with_more_on_the_target():
    rehearsal = (412, 1_200_000, YESTERDAY)
    _, number = judged_with(judged(IN_USE, rehearsal), "")
    answer = f"{number} Anna, the rehearsal of Tuesday"
    later = judged((413, 1_204_999, NOW + timedelta(hours=1)), rehearsal)
    assert judged_with(later, answer)[0].holds
    used = judged((413, 1_204_999, NOW + timedelta(hours=1)), (412, 1_200_001, TODAY))
    assert not judged_with(used, answer)[0].holds


def test_both_are_shown_side_by_side():
    verdict = judged((412, 1_204_311, TODAY), (3, 0, NEVER))
    assert [(one["item"], one["origin"], one["target"]) for one in verdict.items] == [
        ("mailboxes", "412", "3"),
        ("messages", "1,204,311", "0"),
        ("last delivery", "2026-11-29 21:40 UTC", "none"),
        ("last login", "unknown", "unknown"),
        ("databases", "bj (12 MB), bj-data (80 MB)", "bj (12 MB), bj-data (80 MB)"),
        ("name", "OLD.example.org", "NEW.example.org"),
        ("address", "192.0.2.10", "192.0.2.10"),
        ("up since", "2026-11-01 05:00 UTC", "2026-11-01 05:00 UTC"),
    ]


def test_what_is_not_told_whole_could_not_be_judged():
    whole = server("OLD", *IN_USE)
    for number in range(len(whole.stdout.splitlines()) - 2):
        lines = whole.stdout.splitlines()
        del lines[number]
        with pytest.raises((KeyError, ValueError)):
            swapped.judge(Result("OLD", "look", 0, "\n".join(lines)), server("NEW", *WIZARD))


def test_a_confirmation_tells_what_is_erased():
    told = server("NEW", 4, 20, LAST_WEEK)
    trees = "/var/spool/cyrus 120\n/var/spool/bm-hsm 1003\n"
    seen = swapped.erased(Settings().trees, Result("NEW", "look", 0, f"{told.stdout}\n{trees}"))
    assert seen == (
        "what is erased on NEW: 4 mailboxes, 20 messages, last delivery 2026-11-22 21:40 UTC; "
        "databases bj (12 MB), bj-data (80 MB); 1,123 entries in the trees"
    )


def test_the_line_asks_for_the_databases_of_the_settings():
    line = contents.line(("bj", "bj-data", "keycloak"))
    assert "keycloak" in line
    assert re.search(r"max_parallel_workers_per_gather=0", line)


def test_what_is_seen_is_told_in_french():
    every = [
        judged(IN_USE, WIZARD),
        judged(WIZARD, IN_USE),
        judged(WIZARD, WIZARD),
        judged(IN_USE, IN_USE),
        judged((412, 90_000, LAST_YEAR), (5, 60, TODAY)),
    ]
    with use("fr"):
        said = [phrase(one.seen) for one in every]
        items = [phrase(str(one["item"])) for one in every[0].items]
    assert all("boîtes" in one and "mailboxes" not in one and "origin " not in one for one in said)
    assert said[1].startswith("origine et cible sont-elles interverties ? La cible est utilisée")
    assert items == [
        "boîtes",
        "messages",
        "dernière remise",
        "dernière connexion",
        "bases de données",
        "nom",
        "adresse",
        "en marche depuis",
    ]
