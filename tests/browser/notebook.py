"""JupyterLab in Chromium, driven as a person does: cells are run, fields are typed into."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect, sync_playwright

TOKEN = "test"
expect.set_options(timeout=60_000)


@contextmanager
def jupyterlab(root: Path, state: Path) -> Iterator[int]:
    """A JupyterLab over a folder, with its settings in an empty one; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        f"--ServerApp.root_dir={root}",
        f"--ServerApp.port={port}",
        f"--IdentityProvider.token={TOKEN}",
        "--ServerApp.open_browser=False",
        "--ServerApp.allow_root=True",
    ]
    settings = state / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    running = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(state), "JUPYTERLAB_WORKSPACES_DIR": str(state)},
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not answers(f"http://127.0.0.1:{port}/api?token={TOKEN}"):
            time.sleep(0.2)
        yield port
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait()


def answers(address: str) -> bool:
    try:
        return bool(json.load(urllib.request.urlopen(address, timeout=2)))
    except OSError:
        return False


@contextmanager
def chromium() -> Iterator[Page]:
    """A page of Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1250})
        yield page
        browser.close()


class Notebook:
    """A notebook that is open in JupyterLab."""

    def __init__(self, page: Page, address: str, path: str) -> None:
        self.page, self.address, self.path = page, address, path
        self.open()

    def open(self, kernel: str = "Idle") -> None:
        """Open it, as in a new tab; a kernel that it has stays, and is in this state."""
        workspace = f"{self.address}/lab/workspaces/{uuid4().hex}"  # without the tabs of others
        self.page.goto(f"{workspace}/tree/{self.path}?token={TOKEN}")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        expect(self.page.get_by_text(f"| {kernel}")).to_be_visible(timeout=60_000)
        self.page.keyboard.press("Control+b")

    def cell(self, source: str) -> Locator:
        """The code cell whose source begins so. Cells out of sight are not in the page: they are sought."""
        scroller = self.page.locator(".jp-WindowedPanel-outer").first
        scroller.evaluate("it => it.scrollTo(0, 0)")
        found = self.page.locator(
            ".jp-CodeCell", has=self.page.locator(".jp-Cell-inputWrapper", has_text=source)
        ).first
        for _ in range(80):
            if found.count() and found.is_visible():
                found.scroll_into_view_if_needed()
                return found
            scroller.evaluate("it => it.scrollBy(0, 500)")
            self.page.wait_for_timeout(60)
        raise AssertionError(f"no cell {source!r}")

    def start(self, source: str) -> Locator:
        """Run a cell, as with Ctrl-Enter, and see it begin."""
        cell = self.cell(source)
        if cell.locator(".jp-InputPlaceholder").count():
            cell.locator(".jp-InputPlaceholder .jp-Placeholder-content").click()  # it is folded up
        prompt = cell.locator(".jp-InputPrompt").first
        # its number may be that of a run before, for a moment too short to see another
        prompt.evaluate("it => it.textContent = 'not yet'")
        cell.locator(".jp-InputArea-editor .cm-content").first.click()
        self.page.keyboard.press("Control+Enter")
        expect(prompt).not_to_have_text("not yet", timeout=20_000)
        return cell

    def again(self, sources: tuple[str, ...]) -> "Notebook":
        """Run some cells, as after a restart of the kernel."""
        for source in sources:
            self.run(source)
        return self

    def ended(self, cell: Locator, seconds: float = 180) -> None:
        prompt = cell.locator(".jp-InputPrompt").first
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=seconds * 1000)

    def share(self, cell: Locator, beyond: float, anew: bool = False, seconds: float = 60) -> float:
        """The share of the whole step that its bar shows, once it is beyond another.

        It may not be less, but for a cell that was begun `anew`, until it has found what goes on.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            bars = cell.locator("progress")
            shown = float(bars.first.get_attribute("value") or 0) if bars.count() else beyond
            assert shown >= beyond or anew, "a bar went backwards"
            if shown > beyond:
                return shown
            self.page.wait_for_timeout(200)
        raise AssertionError("nothing moves")

    def focus(self, field: Locator) -> None:
        """Go from a cell into a field of its output by the keyboard alone."""
        self.page.keyboard.press("Escape")
        for _ in range(8):
            self.page.keyboard.press("Tab")
            if field.evaluate("it => it === document.activeElement"):
                return
        raise AssertionError("the field cannot be reached by the keyboard")

    def restart(self) -> None:
        self.menu("Kernel", "Restart Kernel…")
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        # Jupyter gives a busy kernel 5 s to end, and shows it as idle meanwhile
        self.page.wait_for_timeout(7000)
        expect(self.page.get_by_text("| Idle")).to_be_visible(timeout=60_000)

    def picture(self, cell: Locator, path: Path, highest: int = 480) -> None:
        """A picture of a cell from its top, so many pixels high at most."""
        self.page.mouse.move(0, 0)
        cell.evaluate("it => it.scrollIntoView()")
        box = cell.bounding_box()
        assert box
        self.page.screenshot(path=path, clip={**box, "height": min(box["height"], highest)})

    def barriers(self, cell: Locator) -> list[tuple[str, str]]:
        """What keeps people from using a cell's output, by axe."""
        output = cell.locator(".jp-Cell-outputArea")
        output.evaluate("it => it.id = 'judged'")
        found = Axe().run(self.page, context="#judged").response["violations"]
        output.evaluate("it => it.removeAttribute('id')")
        return [(one["id"], one["nodes"][0]["html"]) for one in found]

    def run(self, source: str, seconds: float = 180) -> Locator:
        """Run a cell and wait for its end."""
        cell = self.start(source)
        self.ended(cell, seconds)
        return cell

    def menu(self, *entries: str) -> None:
        """Choose from the menus by their words."""
        for entry in entries:
            self.page.get_by_role("menuitem", name=entry).first.click()

    def save(self) -> None:
        self.page.keyboard.press("Control+s")
        self.page.wait_for_timeout(1000)
