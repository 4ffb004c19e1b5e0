"""The report of a run: what it says, that it needs nothing from outside, and that anyone can read it."""

import csv
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner
from playwright.sync_api import Page, sync_playwright

from bmnb import report, seal
from bmnb.cli import main
from bmnb.errors import BmnbError
from bmnb.journal import Journal
from bmnb.language import _, use
from bmnb.procedures import updating_bluemind
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.report import Wish, summary
from bmnb.report.entries import sessions, together
from bmnb.report.facts import gather
from bmnb.report.rows import Rows
from tests.report import synthetic

A4_WIDTH = 688
"""Pixels of the printed part of an A4 page, less the margins of the style sheet."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = synthetic.run(tmp_path_factory.mktemp("runs") / "2026-01-31-dupont-fils-changing-distributions")
    report.write(folder)
    report.write(folder, Wish(language="fr"))
    return folder


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = synthetic.run(tmp_path_factory.mktemp("runs") / "unfinished", until="import-databases")
    report.write(folder)
    return folder


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page of Chromium without network."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser.new_context(offline=True, bypass_csp=True).new_page()
        browser.close()


def rows(folder: Path) -> Rows:
    return Rows(gather(folder, lambda name: PROCEDURE))


def text(path: Path) -> str:
    return re.sub(r"<[^>]*>", " ", path.read_text())


@pytest.mark.parametrize("name", ["report.html", "report-fr.html"])
def test_it_loads_without_network_and_asks_for_nothing(page: Page, folder: Path, name: str):
    asked, failed = list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.goto((folder / name).as_uri(), wait_until="networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [(folder / name).as_uri()]
    assert failed == []
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    html = (folder / name).read_text()
    # a long table is linked, not loaded
    assert re.findall(r"""(?:src|action|data)=["'](?!data:|#)[^"']*|url\(|@import|<script""", html) == []
    assert re.findall(r"""href=["'](?!#|tables/\w+\.csv")[^"']*""", html) == []


@pytest.mark.parametrize("name", ["report.html", "report-fr.html"])
def test_everyone_can_read_it(page: Page, folder: Path, name: str):
    page.goto((folder / name).as_uri())
    found = Axe().run(page).response["violations"]
    assert [
        (one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")
    ] == []


@pytest.mark.parametrize("name", ["report.html", "report-fr.html"])
def test_a_printed_page_cuts_nothing(page: Page, folder: Path, name: str):
    page.set_viewport_size({"width": A4_WIDTH, "height": 971})
    page.emulate_media(media="print")
    page.goto((folder / name).as_uri())
    cut = "[...document.querySelectorAll('table, pre, img, code')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    assert page.evaluate(f"{cut}.map(e => e.textContent.slice(0, 80))") == []


@pytest.mark.browser
def test_it_is_there_as_pdf(tmp_path: Path):
    folder = synthetic.run(tmp_path / "run")
    report.write(folder, Wish(pdf=True))
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")


def test_the_first_page_says_what_was_done_for_whom(folder: Path):
    first = text(folder / "report.html").split("Contents")[0]
    for word in (
        "Dupont &amp; Fils",
        "mail.dupont.example",
        "Debian 12",
        "Done.",
        "checks hold",
        "BlueMind 4.9.3884",
        "1 h 30 min",
        "Downtime measured",
        "mail of every user is the same",
        "Open points",
    ):
        assert word in first


def test_the_first_page_has_the_head_that_verify_compares_with(tmp_path: Path):
    run = synthetic.run(tmp_path / "run", passes=1)
    first = report.write(run).read_text().split('id="timeline"')[0]
    printed = seal.HEAD.search(first)[2]
    assert list(seal.problems(run, head=printed)) == []
    shown = CliRunner().invoke(main, ["status", str(run)]).output
    assert list(seal.problems(run, head=shown.split()[-1])) == []


def test_a_report_without_the_key_of_a_signed_run_says_that_it_is_not_signed_any_more(tmp_path: Path):
    run = synthetic.run(tmp_path / "run", passes=1)
    (run / "SHA256SUMS.sig").write_text("")
    assert "not any more" in CliRunner().invoke(main, ["report", str(run)]).output
    assert "not any more" not in CliRunner().invoke(main, ["report", str(run)]).output


def test_a_downtime_longer_than_planned_is_an_open_point(tmp_path: Path):
    folder = synthetic.run(tmp_path / "run")
    facts = gather(folder, lambda name: PROCEDURE)
    facts.settings["planned_downtime"] = 1
    assert not [point for point in summary.open_points(facts) if "planned" in point]
    facts.settings["planned_downtime"] = facts.downtime / 61
    assert [point for point in summary.open_points(facts) if "planned" in point]


@pytest.mark.parametrize(("days", "warned"), [(-1, True), (0, True), (29, True), (30, False), (300, False)])
def test_a_subscription_that_ends_within_30_days_is_on_the_first_page(
    tmp_path: Path, days: int, warned: bool
):
    folder = synthetic.run(tmp_path / "run")
    facts = gather(folder, lambda name: PROCEDURE)
    ends = facts.ended.date() + timedelta(days=days)
    check = replace(facts.verifications[0], row={"subscription ends": str(ends)})
    facts.__dict__["verifications"] = [check, *facts.verifications]
    told = f"BlueMind's subscription ends on {ends}: it is to be renewed."
    assert (told in summary.verdict(facts).more) is warned
    assert (told in summary.open_points(facts)) is warned
    assert ("Subscription ends", str(ends)) in summary.summary(facts)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("report.html", ["Timeline", "Operator's notes", "Acceptance", "Mme Dupont called"]),
        (
            "report-fr.html",
            ["Déroulement", "Notes de l’opérateur", "Procès-verbal de migration", "Mme Dupont"],
        ),
    ],
)
def test_both_languages_come_from_the_same_run(folder: Path, name: str, words: list[str]):
    assert f'<html lang="{"fr" if "fr" in name else "en"}">' in (folder / name).read_text()
    assert [word for word in words if word not in text(folder / name)] == []


def test_every_heading_of_a_table_has_a_french_text(folder: Path, unfinished: Path):
    found = [rows(one) for one in (folder, unfinished)]
    tables = [
        table for one in found for table in (*one.as_files().values(), one.way_back, one.tools) if table
    ]
    names = {name for table in tables for name in table[0]}
    same = {"phase", "machine-id", "port", "note", "table", "tables", "messages"}
    with use("fr"):
        assert sorted(name for name in names - same if _(name) == name) == []


def test_deviations_commands_and_manual_steps_are_all_there(folder: Path):
    shown = text(folder / "report.html")
    for deviation in PROCEDURE.deviations:
        assert deviation.here.replace("`", "").split(",")[0] in shown
    assert len(rows(folder).commands) > 50
    assert [row["answer"] for row in rows(folder).manual][:2] == [
        synthetic.SETTINGS.target,
        synthetic.SETTINGS.origin,
    ]
    assert all(row["who"] for row in rows(folder).manual)


def test_what_was_accepted_stands_there_with_who_and_why(folder: Path):
    (accepted,) = rows(folder).accepted
    assert {name: str(accepted[name]) for name in ("what must hold", "difference", "who", "why")} == {
        "what must hold": "configuration is the same",
        "difference": "1 differences: /etc/bm/local.ini: content",
        "who": "Anne",
        "why": "the new server has another name; it is right so",
    }
    assert "the new server has another name" in text(folder / "report.html").split("Accepted differences")[-1]


def test_who_stopped_the_service_over_the_budget_stands_there_with_the_reason(tmp_path: Path):
    folder = synthetic.run(tmp_path / "run")
    told = "Expected downtime: 30 min."
    Journal(folder / "journal.jsonl").write("answer", key="over-budget", answer="Anne, agreed", told=told)
    added = rows(folder).accepted[-1]
    assert [str(added[name]) for name in ("difference", "who", "why")] == [told, "Anne", "agreed"]


def test_what_is_not_what_it_was_is_named(folder: Path):
    shown = text(folder / "report.html").split("Configuration differences")[-1]
    assert "/etc/postfix/main.cf" in shown
    assert [row["database"] for row in rows(folder).databases] == ["bj", "bj-data"]
    assert rows(folder).tools[0]["tool"].startswith("GNU bash")


def test_long_lists_stand_in_an_appendix_and_whole_in_a_file(folder: Path):
    main, appendix = text(folder / "report.html").split("Appendix: seen item by item")[1:]
    assert "user499@dupont.example" not in main
    assert "user499@dupont.example" in appendix
    assert "The first 500 of 1000" in appendix
    assert "user999@dupont.example" in (folder / "tables" / "items.csv").read_text()


def test_what_the_probes_saw_is_told_in_the_time_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        outage = rows(synthetic.run(tmp_path / "run")).outages[0]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert f"{outage['first miss']:%d %H:%M:%S %z}" == "01 05:01:01 +0900"


def test_an_unfinished_run_says_so_on_top_with_state_and_both_ways(unfinished: Path):
    first = text(unfinished / "report.html").split("Contents")[0]
    assert "Unfinished." in first
    assert "Import the databases into the target server" in first
    assert "Users have been cut off since" in first
    assert "it may still run in unit run-import-databases" in first
    assert "goes on where the run stands" in first
    assert f"bmnb rollback {unfinished.name}" in first


def test_a_run_that_was_only_opened_has_a_report(tmp_path: Path):
    settings = {"client": "Dupont", "origin": "origin", "target": "target"}
    journal = Journal(tmp_path / "run" / "journal.jsonl")
    journal.write("opened", procedure=PROCEDURE.name, version="0.1.0", settings=settings)
    assert "No step was begun." in text(report.write(tmp_path / "run"))


def test_where_papermill_alone_has_kept_the_notebook_the_report_says_so(tmp_path: Path):
    folder = synthetic.run(tmp_path / "run")
    (folder / "notebook.ipynb").unlink()
    assert "no notebook in the run's folder" in text(report.write(folder))


def test_a_million_files_make_a_small_report(folder: Path):
    assert sum(row["files"] for row in rows(folder).trees) == 1_000_000
    assert (folder / "report.html").stat().st_size < 5_000_000


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run short enough for a test, so that the page has to leave out some."""
    folder = synthetic.long_run(tmp_path_factory.mktemp("runs") / "run", 3_000, 4_000)
    report.write(folder, Wish())
    return folder


def kept(folder: Path, name: str) -> int:
    with (folder / "tables" / f"{name}.csv").open(newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def test_the_page_of_a_long_run_has_the_first_rows_and_the_file_beside_it_all(long: Path):
    html = (long / "report.html").read_text()
    assert len(html) < 2_000_000
    for name, rows_ in rows(long).as_files().items():
        assert kept(long, name) == len(rows_) or not rows_
        if len(rows_) > 500:
            assert f'<a href="tables/{name}.csv">' in html
    assert kept(long, "items") >= 4_000
    assert kept(long, "commands") > 900
    assert html.count("<tr>") < 5_000
    assert list(seal.problems(long)) == []
    assert "tables/items.csv" in (long / "SHA256SUMS").read_text()


def test_a_chart_of_many_passes_has_a_bar_a_step(long: Path):
    from bmnb.report.page import Page as ReportPage

    page = ReportPage(gather(long, lambda name: PROCEDURE), "")
    [sitting] = sessions(page.facts.stretches)
    assert len(sitting) > page.bars > len(together(sitting))


def test_a_page_with_items_of_very_many_checks_says_how_many_it_leaves_out(tmp_path: Path):
    journal = synthetic.Heap()
    settings = {"client": "Dupont", "origin": "origin", "target": "target"}
    journal.write("opened", procedure=PROCEDURE.name, version="0.1.0", settings=settings)
    for number in range(300):
        told = {
            "action": f"verify-copy/{number}",
            "kind": "check",
            "server": "target",
            "title": f"tree {number}",
        }
        journal.write("failed", **told, seen="differs", items=[{"path": "a"}] * 10)
    journal.chain(tmp_path / "run" / "journal.jsonl")
    shown = text(report.write(tmp_path / "run"))
    assert "What 100 more checks have seen is in" in shown


def test_a_size_that_nobody_counted_is_no_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told = synthetic.of_tree
    monkeypatch.setattr(
        synthetic, "of_tree", lambda *of: {name: one for name, one in told(*of).items() if name != "bytes"}
    )
    folder = synthetic.run(tmp_path / "run")
    assert {row["size"] for row in rows(folder).trees} == {None}
    assert {row["bytes"] for row in rows(folder).passes} == {None}


def test_an_update_has_its_report_too(tmp_path: Path):
    updating = updating_bluemind.PROCEDURE
    settings = updating_bluemind.Settings(
        client="Dupont", core="core.dupont.example", servers=["edge.dupont.example"]
    )
    folder = synthetic.run(tmp_path / "update", procedure=updating, settings=settings)
    shown = text(report.write(folder))
    assert "Updating BlueMind" in shown
    assert "The update of Dupont described in this report is:" in shown
    assert "edge.dupont.example" in shown
    assert "dupont" not in text(report.write(folder, Wish(redact_hosts=True))).lower()


def test_tables_are_there_as_data(folder: Path):
    lines = (folder / "tables" / "passes.csv").read_text().splitlines()
    assert lines[0].startswith("step,pass,began,duration,files")
    assert [line.split(",")[1] for line in lines[1:4]] == ["1", "2", "3"]


def test_tables_are_there_as_parquet_on_request(tmp_path: Path):
    folder = synthetic.run(tmp_path / "run")
    report.write(folder, Wish(parquet=True))
    frame = pd.read_parquet(folder / "tables" / "passes.parquet")
    assert list(frame["files"]) == [row["files"] for row in rows(folder).passes]
    assert str(frame["began"].dtype).startswith("datetime64")
    assert {path.stem for path in (folder / "tables").glob("*.csv")} == {
        path.stem for path in (folder / "tables").glob("*.parquet")
    }


def test_one_changed_byte_in_any_file_of_a_run_is_found(folder: Path):
    report.write(folder, Wish(language="fr"))
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        for place in (len(whole) // 3, len(whole) - 1):
            changed = bytearray(whole)
            changed[place] ^= 1
            path.write_bytes(changed)
            with pytest.raises(BmnbError, match=path.name):
                verified(folder)
        path.write_bytes(whole)
    verified(folder)


def verified(folder: Path) -> None:
    """Raise BmnbError with what does not hold."""
    if found := list(seal.problems(folder)):
        raise BmnbError("\n".join(found))


def test_two_runs_are_compared(folder: Path, unfinished: Path, tmp_path: Path):
    other = synthetic.run(tmp_path / "rehearsal", passes=1)
    path = report.write(other, Wish(against=folder))
    assert f"Compared with {folder.name}" in text(path)


def test_a_public_copy_has_no_name_and_no_address(folder: Path):
    path = report.write(folder, Wish(redact_hosts=True))
    shown = path.read_text()
    names = ("dupont", "Dupont &", "198.18.7.10", str(folder), "a" * 43)
    assert [name for name in names if name in shown] == []
    assert "ADDRESS-1" in shown


def test_the_commands_make_verify_and_tell(folder: Path):
    made = CliRunner().invoke(main, ["report", str(folder), "--lang", "fr"])
    assert made.output == f"report: {folder / 'report-fr.html'}\n"
    assert CliRunner().invoke(main, ["verify", str(folder)]).exit_code == 0
    status = json.loads(CliRunner().invoke(main, ["status", str(folder), "--json"]).output)
    assert (status["state"], status["users cut off"]) == ("finished", False)
    (folder / "tables" / "steps.csv").write_text("changed")
    verified = CliRunner().invoke(main, ["verify", str(folder)])
    assert (verified.exit_code, "CHANGED tables/steps.csv" in verified.output) == (1, True)
    report.write(folder)
    assert list(seal.problems(folder)) == []
