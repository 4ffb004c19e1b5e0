"""A run that `bmnb run` has begun, with the document's own commands, and that a person goes on with in the browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bmnb.lab import Lab
from tests.browser.notebook import Notebook
from tests.lab.conftest import booted
from tests.lab.migration import client_file, journal, kill_all, start, wait_for

pytestmark = pytest.mark.lab
HOT = "runbook(procedure.hot_synchronization)"
TREE = "/var/spool/cyrus"
SLOW = '#!/bin/sh\nexec /usr/bin/rsync --bwlimit=4000 "$@"\n'


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with booted("begun") as up:
        yield up


def copies(runs: Path) -> list[str]:
    """The units in which the tree was copied."""
    return [one["unit"] for one in journal(runs) if one["event"] == "started" and one["title"] == TREE]


def test_a_run_that_was_killed_headless_goes_on_in_the_browser(
    page: Page, address: str, root: Path, lab: Lab
):
    lab.origin.must(f"cat > /usr/local/bin/rsync <<'END'\n{SLOW}END\nchmod +x /usr/local/bin/rsync")
    runs = root / "runs"
    client = client_file(lab, runs, hot_passes=2)
    running = start(client, "--through", "hot-synchronization")
    wait_for(running, runs, TREE, "hot-synchronization")
    lab.origin.must("until pgrep --full [b]wlimit; do sleep 0.2; done")
    kill_all(running)
    started = copies(runs)

    [folder] = [one for one in runs.iterdir() if one.is_dir()]
    notebook = Notebook(page, address, f"runs/{folder.name}/notebook.ipynb")
    notebook.again(("client: str", "from bmnb.forms import form", "from bmnb.run import begin"))
    cell = notebook.start(HOT)
    notebook.share(cell, notebook.share(cell, beyond=0.0))
    expect(cell.get_by_text("$ rsync")).to_be_visible()
    expect(cell.get_by_text(re.compile(r"\d files, .*/s, .* left"))).to_be_visible()
    assert copies(runs) == started, "it goes on"

    lab.origin.must("rm /usr/local/bin/rsync")
    notebook.menu("Kernel", "Interrupt Kernel")
    notebook.ended(cell)
    done = notebook.run(HOT, 180)
    expect(done.get_by_role("row", name=TREE)).to_have_count(2)
    expect(notebook.run("runbook.passes").get_by_role("row")).to_have_count(3)
