"""All clients in one table and one page, from the journals of their runs."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from bmnb.cli import main
from bmnb.fleet import clients
from bmnb.journal import Journal
from bmnb.procedures import changing_distributions, updating_bluemind
from bmnb.steps import Procedure

TODAY = datetime.now().date()
UPDATING, CHANGING = updating_bluemind.PROCEDURE, changing_distributions.PROCEDURE


def days(number: int) -> str:
    return str(TODAY + timedelta(days=number))


def run(
    runs: Path,
    client: str,
    *seen: tuple[str, str, Mapping[str, Any]],
    procedure: Procedure = UPDATING,
    name: str = "",
    ended: str = "",
) -> Path:
    """A run's folder, whose checks have seen (title, text, row)."""
    folder = runs / (name or f"2026-01-01-{client}-{procedure.name}")
    journal = Journal(folder / "journal.jsonl")
    journal.write("opened", procedure=procedure.name, version="0", settings={"client": client})
    journal.write("step started", step="prerequisites", title="Prerequisites", phase="prerequisites")
    for number, (title, text, row) in enumerate(seen):
        facts = {"action": f"prerequisites/{number}", "server": "core", "title": title, "kind": "check"}
        journal.write("started", **facts, line="true")
        journal.write("done", **facts, seconds=1, exit=0, seen=text, row=row)
    if ended:
        journal.write(ended)
    return folder


VERSION = ("same version on all servers", "4.9.3884 on 3 servers", {})


def subscription(ends: int) -> tuple[str, str, dict[str, str]]:
    return "valid subscription", f"{ends} days left", {"subscription ends": days(ends)}


def updated(ago: int) -> tuple[str, str, dict[str, str]]:
    return "last update of BlueMind's packages", "on", {"last update": days(-ago)}


AFTER = ("versions", "", {"before": "4.9.3884", "after": "4.9.4012"})


def test_a_client_has_what_its_runs_have_told_last(tmp_path: Path):
    run(tmp_path, "Dupont", VERSION, subscription(20), procedure=CHANGING)
    run(tmp_path, "Dupont", VERSION, subscription(400), updated(300), AFTER, ended="finished")
    (row,) = clients.rows(tmp_path)
    assert row == {
        "client": "Dupont",
        "version": "4.9.4012",
        "last update": days(0),
        "support until": str(clients.until(TODAY)),
        "subscription ends": days(400),
        "to do": "",
        "as of": days(0),
    }


def test_what_ends_first_stands_above_and_says_what_is_due(tmp_path: Path):
    run(tmp_path, "unknown", VERSION)
    run(tmp_path, "well", VERSION, subscription(200), updated(10))
    run(tmp_path, "soon", VERSION, subscription(29), updated(340))
    run(tmp_path, "over", VERSION, subscription(-1), updated(400))
    rows = clients.rows(tmp_path)
    assert [row["client"] for row in rows] == ["over", "soon", "well", "unknown"]
    assert [row["to do"] for row in rows] == [
        "renew the subscription, which has ended; update BlueMind, whose support has ended",
        "renew the subscription; update BlueMind",
        *("", ""),
    ]
    assert rows[-1]["support until"] == rows[-1]["subscription ends"] == "", "nobody has told it"


def test_an_update_that_was_not_finished_or_rolled_back_is_none(tmp_path: Path):
    run(tmp_path, "stopped", VERSION, updated(100))
    run(tmp_path, "back", VERSION, updated(100), ended="rolled back")
    assert {row["last update"] for row in clients.rows(tmp_path)} == {days(-100)}


def test_a_record_that_cannot_be_read_is_named_and_the_others_are_shown(tmp_path: Path):
    run(tmp_path, "well", VERSION)
    folder = run(tmp_path, "changed", VERSION)
    path = folder / "journal.jsonl"
    path.write_text(path.read_text().replace("3884", "3885"))
    (tmp_path / "not-begun").mkdir()
    (tmp_path / "not-begun" / "journal.jsonl").touch()
    rows = clients.rows(tmp_path)
    assert [row["client"] for row in rows] == ["well", folder.name]
    assert rows[-1]["to do"] == "its record cannot be read: see bmnb status"


def test_table_page_and_json_say_the_same_in_both_languages(tmp_path: Path):
    run(tmp_path, "<Dupont>", VERSION, subscription(10), name="2026-01-01-dupont-updating-bluemind")

    def said(*options: str) -> str:
        done = CliRunner().invoke(main, ["fleet", "clients", "--runs", str(tmp_path), *options])
        assert done.exit_code == 0, done.output
        return done.output

    assert "renew the subscription" in said()
    assert "renouveler la souscription" in said("--lang", "fr")
    assert json.loads(said("--json"))[0]["version"] == "4.9.3884"
    said("--report")
    page = (tmp_path / "clients.html").read_text()
    assert "&lt;Dupont&gt;" in page
    assert "http" not in page.replace("http-equiv", "")
    said("--report", "--lang", "fr")
    assert '<html lang="fr">' in (tmp_path / "clients-fr.html").read_text()
    assert CliRunner().invoke(main, ["fleet", "clients", "--runs", str(tmp_path / "no")]).exit_code == 2
