"""Where names lead is asked of DNS, past a server's own list of hosts, and judged on both servers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bmnb.steps import Result, Verdict
from bmnb.transfer.asking import resolving
from bmnb.transfer.asking.resolving import AAAA, MX, A
from bmnb.verification import names
from tests.nameserver import TTL, Zone, client_zone, serving

OLD, NEW, OTHERS = "192.0.2.10", "203.0.113.7", "198.51.100.9"
NAMESERVER = "127.0.0.77"


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Zone]:
    (tmp_path / "bm.ini").write_text(
        "[global]\nexternal-url = mail.example.org\nother-urls = chat.example.org\n"
    )
    (tmp_path / "domains").write_text("example.org\t OK\n# not.this OK\n")
    (tmp_path / "settings").write_text("d1.internal:mail.example.org:example.org:\n")
    (tmp_path / "resolv.conf").write_text(f"# by hand\n nameserver {NAMESERVER}\n")
    monkeypatch.setattr(resolving, "INI", str(tmp_path / "bm.ini"))
    monkeypatch.setattr(resolving, "MAIL", str(tmp_path / "domains"))
    monkeypatch.setattr(resolving, "DOMAINS", str(tmp_path / "settings"))
    monkeypatch.setattr(resolving, "RESOLVERS", ("/nowhere", str(tmp_path / "resolv.conf")))
    with serving(client_zone(NAMESERVER, OLD), NAMESERVER) as served:
        served["chat.example.org", A] = [OTHERS]
        yield served


def told(capsys: pytest.CaptureFixture[str], host: str = "origin") -> Result:
    resolving.main()
    return Result(host, "", 0, capsys.readouterr().out)


@pytest.mark.usefixtures("zone")
def test_every_name_of_the_client_is_told_with_its_time_to_live(capsys):
    _, *lines = map(json.loads, told(capsys).stdout.splitlines())
    assert [(one["name"], one["why"], one["addresses"], one["seconds"], one["cache"]) for one in lines] == [
        ("mail.example.org", "external-url, other-urls", [OLD], TTL, False),
        ("chat.example.org", "other-urls", [OTHERS], TTL, False),
        ("mx.example.org", "MX of example.org", [OLD], TTL, False),
    ]


@pytest.mark.usefixtures("zone")
def test_before_the_switch_the_url_leads_to_the_origin(capsys):
    verdict = names.lead_there(OLD, told(capsys))
    assert verdict.holds
    assert verdict.seen == f"time to live up to {TTL} s"
    assert verdict.items[1]["leads to"] == OTHERS, "that of others is shown, and stays"


@pytest.mark.parametrize(
    ("records", "seen"),
    [
        ({("mail.example.org", A): [OTHERS]}, f"mail.example.org leads to {OTHERS}"),
        ({("mail.example.org", A): [OLD, OTHERS]}, f"mail.example.org leads to {OLD}, {OTHERS}"),
        ({("mail.example.org", A): []}, "mail.example.org leads to nothing"),
        ({("mail.example.org", AAAA): ["2001:db8::9"]}, f"mail.example.org leads to {OLD}, 2001:db8::9"),
    ],
    ids=["elsewhere", "elsewhere too", "nowhere", "elsewhere by IPv6"],
)
def test_a_url_that_leads_elsewhere_is_named_before_the_switch(zone, capsys, records, seen):
    zone.update(records)
    verdict = names.lead_there(OLD, told(capsys))
    assert not verdict.holds
    assert verdict.seen == seen
    assert verdict.items, "it may be accepted, where the address is translated"


def test_two_looks_into_a_cache_that_runs_down_are_alike_so_that_one_can_be_accepted(zone, capsys):
    zone["mail.example.org", A] = [OTHERS]
    found = told(capsys)
    cached = [
        replace(found, stdout=found.stdout.replace(f'"seconds": {TTL}', f'"seconds": {left}'))
        for left in (TTL, TTL - 7)
    ]
    cached = [replace(one, stdout=one.stdout.replace('"cache": false', '"cache": true')) for one in cached]
    one, other = (names.lead_there(OLD, one) for one in cached)
    assert one.items == other.items
    assert not one.holds


def moved(zone: Zone, capsys: pytest.CaptureFixture[str], *of: str) -> Verdict:
    before = told(capsys, "origin")
    for name in of:
        zone[name, A] = [NEW]
    return names.have_moved(OLD, NEW, told(capsys, "target"), before if not of else told(capsys, "origin"))


def test_the_names_have_moved_once_none_leads_to_the_old_address(zone, capsys):
    assert not moved(zone, capsys).holds
    half = moved(zone, capsys, "mail.example.org")
    assert not half.holds
    assert half.seen == f"mx.example.org leads to {OLD} (target); mx.example.org leads to {OLD} (origin)"
    assert moved(zone, capsys, "mail.example.org", "mx.example.org").holds


def test_a_cache_of_one_server_that_still_has_the_old_answer_is_waited_for(zone, capsys):
    late = told(capsys, "origin")
    for name in ("mail.example.org", "mx.example.org"):
        zone[name, A] = [NEW]
    verdict = names.have_moved(OLD, NEW, told(capsys, "target"), late)
    assert not verdict.holds
    assert verdict.seen.startswith(f"mail.example.org leads to {OLD} (origin)")


def test_a_url_that_was_led_to_a_third_server_has_not_moved(zone, capsys):
    for name in ("mail.example.org", "mx.example.org"):
        zone[name, A] = [OTHERS]
    verdict = names.have_moved(OLD, NEW, told(capsys))
    assert not verdict.holds
    assert verdict.seen == f"mail.example.org leads to {OTHERS}"


def test_no_answer_is_no_answer_that_the_name_is_gone(zone, monkeypatch):
    monkeypatch.setattr(resolving, "SECONDS", 0.1)
    monkeypatch.setattr(resolving, "resolvers", lambda: ["127.0.0.78"])
    with pytest.raises(resolving.Unanswered, match=r"127\.0\.0\.78"):
        resolving.main()


def test_an_mx_that_no_domain_has_is_nothing(zone, capsys):
    del zone["example.org", MX]
    zone["example.org", A] = [OLD]
    assert "MX of" not in told(capsys).stdout
