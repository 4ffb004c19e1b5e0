"""The guided run in JupyterLab, with what goes wrong on the way; only clicks and keys."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from playwright.sync_api import Page, expect

from bmnb.cli import main
from bmnb.errors import Stopped
from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from bmnb.procedures.changing_distributions import hot_synchronization
from bmnb.run import begin
from tests.browser.line import Line
from tests.browser.notebook import Notebook
from tests.lab import migration
from tests.lab.conftest import booted
from tests.lab.migration import PROCEDURE, opened

pytestmark = pytest.mark.lab
HOT = "runbook(procedure.hot_synchronization)"
RESTART = ("client: str", "from bmnb.forms import form", "from bmnb.run import begin")
SLOW, ALL = "1", "0"
"""What a hot pass may take of the line, in MB a second."""
# cold synchronization, then switching and what follows: each begins with a confirmation
PHASES = (
    (
        *("stop_services", "cold_synchronization", "dump_databases"),
        *("copy_configuration", "import_databases", "verify_copy"),
    ),
    (
        *("stop_origin", "take_over_address", "change_address", "restart_target"),
        *("save_firewall", "mail_maintenance", "my_networks"),
    ),
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with booted("guided") as up:
        yield up


@pytest.fixture(scope="module")
def notebook(page: Page, address: str, root: Path) -> Notebook:
    """The run's notebook, which stays open from test to test."""
    return Notebook(page, address, f"runs/{run_folder(root).name}/notebook.ipynb")


def run_folder(root: Path) -> Path:
    return next((root / "runs").iterdir())


def journal(root: Path) -> list[dict[str, Any]]:
    return migration.journal(root / "runs")


def headless(root: Path, *options: str) -> tuple[int, str]:
    running = migration.start(run_folder(root) / "client.yaml", *options)
    said, _ = running.communicate(timeout=600)
    return running.returncode, said


def units(root: Path, title: str) -> list[str]:
    """The units in which a command was started."""
    return [one["unit"] for one in journal(root) if one["event"] == "started" and one["title"] == title]


def test_a_run_is_made_from_the_index(page: Page, address: str, root: Path):
    index = Notebook(page, address, "notebooks/00-index.ipynb")
    index.again(("runs: str", "from bmnb import forms", "beginning = forms"))
    page.get_by_label("Client").fill("Example Ltd")
    made = index.run("beginning.make")
    expect(made.get_by_role("link", name="example-ltd")).to_be_visible()
    assert (run_folder(root) / "client.yaml").exists()


def test_a_form_says_what_is_wrong_as_it_is_typed_and_keeps_its_values(
    notebook: Notebook, lab: Lab, shots: Path
):
    notebook.run(RESTART[0])
    form = notebook.run(RESTART[1])
    form.get_by_label("Address", exact=True).fill("192.0.2")
    expect(form.get_by_role("alert").first).to_contain_text("Expected 4 octets")
    notebook.picture(form, shots / "form.png")
    form.get_by_label("Original server", exact=True).fill("target")
    form.get_by_label("Target server", exact=True).fill("target")
    expect(form.get_by_role("alert").first).to_contain_text("the same server")
    form.get_by_label("Original server", exact=True).fill("origin")
    expect(form.get_by_label("Hot synchronizations")).to_be_hidden()
    form.get_by_role("button", name="Speed").click()
    form.get_by_label("Hot synchronizations").fill("2")
    form.get_by_label("ssh configuration").fill(str(lab.ssh_config))
    form.get_by_role("button", name="Read from the servers").click()
    expect(form.get_by_text(f"origin: {lab.origin.address}")).to_be_visible()
    form.get_by_label("Address", exact=True).fill(lab.origin.address)
    form.get_by_label("Limit of a hot pass").fill(SLOW)
    form.get_by_label("Carry it out?").select_option("yes, on the servers")
    expect(form.get_by_text("All values can be used")).to_be_visible()
    expect(form.get_by_role("button", name="Speed: Hot synchronizations 2")).to_be_visible()
    assert notebook.barriers(form) == []

    form.get_by_label("Address", exact=True).click()
    notebook.page.keyboard.press("Shift+Enter")
    expect(notebook.page.locator(".jp-Cell.jp-mod-active")).to_contain_text("The run is opened with")

    notebook.restart()
    notebook.run(RESTART[0])
    form = notebook.run(RESTART[1])
    expect(form.get_by_label("Address", exact=True)).to_have_value(lab.origin.address)
    shown = notebook.run(RESTART[2])
    expect(shown.get_by_role("row", name="hot_passes")).to_contain_text("2")


def test_an_inhibitor_is_mended_and_checked_again(notebook: Notebook, lab: Lab):
    lab.target.must("systemctl stop postgresql")
    stopped = notebook.run("runbook(procedure.prerequisites)")
    expect(stopped.get_by_text("PostgreSQL does not answer on target").first).to_be_visible()
    expect(stopped.get_by_text("start PostgreSQL where it does not answer")).to_be_visible()
    lab.target.must("systemctl start postgresql")
    mended = notebook.run("runbook(procedure.prerequisites)")
    expect(mended.get_by_text("done after")).to_be_visible()


def test_the_run_goes_on_headless_and_comes_back(notebook: Notebook, root: Path):
    notebook.save()
    code, said = headless(root, "--through", "prerequisites")
    assert code == 0, said
    assert [line["step"] for line in journal(root) if line["event"] == "step done"] == [
        "prerequisites",
        "key-authentication",
    ]
    notebook.open()
    expect(
        notebook.run("runbook(procedure.key_authentication)").get_by_text("make a key pair")
    ).to_be_visible()


def test_a_wrong_name_does_not_confirm(notebook: Notebook, lab: Lab, shots: Path):
    asked = notebook.run("ask(runbook, procedure.stop_target)")
    asked.get_by_label("Server's name").fill("origin")
    expect(asked.get_by_role("alert")).to_contain_text("not the server's name")
    notebook.picture(asked, shots / "confirmation.png")
    assert notebook.barriers(asked) == []
    refused = notebook.run("runbook(procedure.stop_target)")
    expect(refused.get_by_text("answer `erase-target: target` to go on").first).to_be_visible()
    assert "is running" in lab.target.must("bmctl status")


def test_the_right_name_confirms_by_the_keyboard_alone(notebook: Notebook, page: Page, lab: Lab):
    asked = notebook.run("ask(runbook, procedure.stop_target)")
    field = asked.get_by_label("Server's name")
    expect(field).to_have_value("origin")  # as it was typed
    notebook.focus(field)
    page.keyboard.press("Control+a")
    page.keyboard.type("target")
    expect(asked.get_by_text("Run the next cell to go on")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    active = page.locator(".jp-Cell.jp-mod-active")
    for shown in ("users notice nothing", "runbook(procedure.stop_target)"):
        page.keyboard.press("Shift+Enter")
        expect(active).to_contain_text(shown)
    page.keyboard.press("Control+Enter")
    expect(active.get_by_text("done after")).to_be_visible()
    assert "is stopped" in lab.target.must("bmctl status")


def test_progress_is_one_persons_and_outlives_a_cut_line_and_the_kernel(
    notebook: Notebook, root: Path, line: Line, shots: Path
):
    cell = notebook.start(HOT)
    seen = [notebook.share(cell, beyond=0.0)]
    expect(cell.get_by_text("programs.carry_files").first).to_be_visible()
    expect(cell.get_by_text(re.compile(r"\d files, .*/s, .* left"))).to_be_visible()
    expect(cell.get_by_text(re.compile(r"\d of [\d,]+ files")).first).to_be_visible()
    expect(cell.get_by_text("last output").first).to_be_visible()
    seen.append(notebook.share(cell, beyond=seen[-1]))
    notebook.picture(cell, shots / "progress.png")
    notebook.cell("client: str")
    expect(notebook.page.get_by_role("timer")).to_contain_text(
        re.compile(r"^Hot synchronization · .* · next: ")
    )
    cell = notebook.cell(HOT)

    colleague = begin(PROCEDURE, {"folder": str(run_folder(root))})
    with pytest.raises(Stopped, match="is being worked on for this very run by"):
        colleague(hot_synchronization)
    colleague.close()

    line.cut()
    expect(notebook.page.get_by_text("will continue trying to reconnect")).to_be_visible()
    notebook.page.get_by_role("button", name="Close", exact=True).click()
    line.mend()
    seen.append(notebook.share(cell, beyond=seen[-1]))

    started = units(root, "all trees")
    notebook.restart()
    notebook.again(RESTART)
    cell = notebook.start(HOT)
    seen.append(notebook.share(cell, beyond=seen[-1], anew=True))
    assert units(root, "all trees") == started, "it goes on"


def test_a_tab_that_was_closed_stops_nothing_and_the_index_shows_what_goes_on(
    notebook: Notebook, page: Page, address: str, lab: Lab, shots: Path
):
    notebook.save()
    index = Notebook(page, address, "notebooks/00-index.ipynb")
    index.again(("runs: str", "from bmnb import forms"))
    watched = index.start("watch(runs)")
    index.share(watched, index.share(watched, beyond=0.0))
    index.picture(watched, shots / "watched.png")

    notebook.open("Unknown")  # as a busy kernel is to who comes late
    cell = notebook.cell(HOT)
    expect(cell.get_by_text("Where this time stands still")).to_be_visible()
    notebook.menu("Kernel", "Interrupt Kernel")
    expect(page.get_by_text("| Idle")).to_be_visible()
    cell = notebook.start(HOT)
    notebook.share(cell, beyond=0.0, anew=True)
    notebook.menu("Kernel", "Interrupt Kernel")
    notebook.ended(cell)
    expect(cell.get_by_text("was interrupted")).to_be_visible()
    notebook.picture(cell, shots / "interrupted.png")
    assert lab.target.run("pgrep tar").returncode == 1


def test_what_was_interrupted_is_finished_headless(notebook: Notebook, root: Path, shots: Path):
    form = notebook.run(RESTART[1])
    form.get_by_role("button", name="Speed").click()
    form.get_by_label("Limit of a hot pass").fill(ALL)
    notebook.save()
    code, said = headless(root, "--through", "hot-synchronization")
    assert code == 0, said
    notebook.open()
    notebook.again(RESTART)
    made = notebook.run(HOT)
    expect(made.get_by_role("row", name="rows of bj-data, proven equal").first).to_be_visible()
    passes = notebook.run("runbook.passes")
    forecast = notebook.run("runbook.forecast")
    expect(forecast.get_by_text("Another hot pass now saves about")).to_be_visible()
    notebook.picture(passes, shots / "passes.png")


def test_a_second_run_at_the_same_servers_is_refused(root: Path, lab: Lab, tmp_path: Path):
    other = opened(lab, tmp_path, client="other")
    lab.target.must("bmctl start")
    other(PROCEDURE.steps[0])
    lab.target.must("bmctl stop")
    with pytest.raises(Stopped, match=f"is held by another run: {run_folder(root).name}"):
        other(PROCEDURE.steps[1])
    other.close()
    assert CliRunner().invoke(main, ["unlock", str(other.folder), "origin"]).exit_code == 0
    other.journal.reload()
    assert run_folder(root).name in other.journal.last("unlocked")["holder"]


def test_the_cold_pass_and_the_switch(notebook: Notebook, shots: Path):
    for phase in PHASES:
        asked = notebook.run(f"ask(runbook, procedure.{phase[0]})")
        asked.get_by_label("Server's name").fill("origin")
        notebook.page.wait_for_timeout(500)
        for step in phase:
            notebook.run(f"runbook(procedure.{step})")
        if phase is PHASES[0]:
            expect(notebook.page.get_by_role("timer")).to_contain_text("users cut off for")
    over = notebook.run("runbook.phases()")
    expect(over.get_by_role("row", name="Downtime")).to_contain_text("over")
    notebook.run("runbook.downtime()")
    listed = notebook.run("runbook.checklist()")
    left = [step.name for step in PROCEDURE.steps].index("my-networks") + 1
    expect(listed.get_by_text("planned")).to_have_count(len(PROCEDURE.steps[left:]))
    notebook.picture(listed, shots / "checklist.png", highest=620)
    notebook.save()


def test_the_saved_notebook_reads_well_without_a_kernel(notebook: Notebook, page: Page, root: Path):
    book = nbformat.read(run_folder(root) / "notebook.ipynb", 4)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert not [one for one in outputs if "application/vnd.jupyter.widget-view+json" in one.get("data", {})]
    notebook.menu("Kernel", "Shut Down Kernel")
    page.reload()
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    shown = notebook.cell(RESTART[1])
    expect(shown.get_by_text("keeps its values in the run's client file")).to_be_visible()
    expect(page.get_by_text(re.compile("model not found|Loading widget"))).to_have_count(0)


def test_what_was_begun_guided_ends_headless_with_the_same_tables(root: Path, lab: Lab):
    code, said = headless(root)
    assert code == 0, said
    assert "finished" in [line["event"] for line in journal(root)]
    assert lab.target.run("test -e /var/lib/bmnb/lock").returncode == 1
    assert unexpected(lab) == []
    guided, after = (tables(run_folder(root) / name) for name in ("notebook-before.ipynb", "notebook.ipynb"))
    steps = [f"runbook(procedure.{step})" for phase in PHASES for step in phase]
    assert {step: guided[step] for step in steps} == {step: after[step] for step in steps}


def tables(path: Path) -> dict[str, str]:
    """The table that each cell of an executed notebook ends with."""
    return {
        cell.source.splitlines()[-1]: cell.outputs[-1]["data"]["text/plain"]
        for cell in nbformat.read(path, 4).cells
        if cell.get("outputs") and "text/plain" in cell.outputs[-1].get("data", {})
    }
