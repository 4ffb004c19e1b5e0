"""A new user: a bare Debian with Python alone, a browser on the same machine, and what they type.

`python -m tests.new_user TREE SCREENSHOT LINE...` does the lines there as that user; the last of them starts JupyterLab,
whose address is followed up to the run's form. It prints the seconds that all of it took.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

from playwright.sync_api import Error, Page

from bmnb.lab.host import call
from bmnb.lab.images import cached
from tests.browser.notebook import chromium, expect

CERTIFICATES = Path(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"))
ADDRESS = re.compile(r"http://(?:localhost|127\.0\.0\.1):\d+/\S*token=\w+")
USER = "consultant"
HOME = f"home/{USER}"
WAIT_SECONDS = 60
LIMIT_SECONDS = 300


def bare() -> Path:
    """The smallest Debian there is, with its Python and a user."""
    return cached("bare-bookworm", _build)


def _build(place: Path) -> None:
    call(
        *("mmdebstrap", "--variant=minbase", "--aptopt=Acquire::Languages none", "--include=python3"),
        f'--customize-hook=chroot "$1" useradd --create-home {USER}',
        *("bookworm", place),
    )


@contextmanager
def machine(folder: Path) -> Iterator[Path]:
    """A bare Debian of its own, by an overlay; what a user brings along goes into their home."""
    with overlaid(bare(), folder) as tree:
        reaching_out(tree)
        yield tree


@contextmanager
def overlaid(below: Path, folder: Path) -> Iterator[Path]:
    """A tree that can be written, over one that stays as it is."""
    tree, upper, work = (folder / name for name in ("tree", "upper", "work"))
    for one in (tree, upper, work):
        one.mkdir()
    call("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={below},upperdir={upper},workdir={work}", tree)
    try:
        yield tree
    finally:
        call("umount", "--lazy", tree)


def reaching_out(tree: Path) -> None:
    """Give it the names that this machine knows, and whom it trusts, such as a proxy."""
    for name in ("resolv.conf", "hosts"):
        (tree / "etc" / name).write_bytes(Path("/etc", name).read_bytes())
    (tree / "certificates").write_bytes(CERTIFICATES.read_bytes())


def there(tree: Path, line: str) -> list[str]:
    """The words that have the user's shell do a line there, in processes of their own that end with it."""
    given = ["PATH=/usr/local/bin:/usr/bin:/bin", f"HOME=/{HOME}", "SSL_CERT_FILE=/certificates", "LANG=C"]
    return [
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={tree}/proc"),
        *("chroot", f"--userspec={USER}:{USER}", str(tree), "env", "-i", *given),
        *("sh", "-c", f"cd && {line}"),
    ]


def first_form(tree: Path, shot: Path, lines: list[str]) -> float:
    """Seconds from the first line to the form in the browser."""
    began = time.monotonic()
    for line in lines[:-1]:
        subprocess.run(there(tree, line), check=True, stdout=sys.stderr)
    lab = subprocess.Popen(
        there(tree, lines[-1]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        with chromium() as page:
            _go(page, address(lab))
            page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=WAIT_SECONDS * 1000)
            expect(page.get_by_text("| Idle")).to_be_visible()
            form = page.get_by_label("Origin", exact=False).first
            page.locator(".jp-Cell").first.click()
            for _ in range(12):
                page.keyboard.press("Shift+Enter")
                page.wait_for_timeout(500)
                if page.locator(".jp-OutputArea-output .jupyter-widgets input").count():
                    break
            expect(form).to_be_visible()
            took = time.monotonic() - began
            page.screenshot(path=shot)
    finally:
        end(lab)
    return took


def _go(page: Page, address: str) -> None:
    """JupyterLab tells its address a moment before it listens."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            page.goto(address)
        except Error:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def end(lab: "subprocess.Popen[str]") -> None:
    os.killpg(lab.pid, signal.SIGKILL)
    lab.wait()


def address(lab: "subprocess.Popen[str]") -> str:
    """The address that JupyterLab tells; what it prints is read on, or it would stand still."""
    found: Queue[str] = Queue()

    def read() -> None:
        assert lab.stdout
        for line in lab.stdout:
            sys.stderr.write(line)
            if told := ADDRESS.search(line):
                found.put(told[0])

    threading.Thread(target=read, daemon=True).start()
    return found.get(timeout=WAIT_SECONDS)


def played(tree: Path, shot: Path, *lines: str, offline: bool = False) -> float:
    """The seconds until the form; offline there is the loopback address alone, for the browser as well."""
    off = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh") if offline else ()
    words = [*off, sys.executable, "-m", "tests.new_user", tree, shot, *lines]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    print(json.dumps(first_form(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])))
