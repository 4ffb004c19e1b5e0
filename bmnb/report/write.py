"""Making the files of a report, and sealing the run with them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bmnb import procedures
from bmnb.errors import InputError
from bmnb.files import replace_text
from bmnb.journal import Journal
from bmnb.language import use
from bmnb.report import against, public, wording
from bmnb.report.facts import Facts, gather
from bmnb.report.rows import Rows
from bmnb.seal import JOURNAL, seal

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PRINT_SECONDS = 300


@dataclass(frozen=True)
class Wish:
    """What a report shall be: its language (that of the run where empty), the run to compare with, more forms."""

    language: str = ""
    against: Path | None = None
    pdf: bool = False
    redact_hosts: bool = False
    parquet: bool = False
    key: Path | None = None
    seal: bool = True


def write(folder: Path, wish: Wish = Wish()) -> Path:
    """Write the report and the tables of a run, seal the run if wished, and return the report's path.

    It is `report.html` in the language of the run, `report-LANGUAGE.html` in another, with `-public` where
    hosts are redacted. Raise InputError where there is no run.
    """
    journal = Journal(folder / JOURNAL)
    facts = gather(folder, procedures.named, lambda _: journal)
    path = folder / f"{_stem(facts, wish)}.html"
    with use(wish.language or _language(facts)):
        replace_text(path, _page(facts, wish))
    _save(Rows(facts), folder / "tables", ("csv", "parquet") if wish.parquet else ("csv",))
    if wish.pdf:
        to_pdf(path, path.with_suffix(".pdf"))
    if wish.seal:
        seal(folder, wish.key, journal)
    return path


def _save(rows: Rows, folder: Path, forms: tuple[str, ...]) -> None:
    # with pandas, which whoever reads a run's facts need not wait for
    from bmnb.data import frames, of_run

    for name in rows.as_files():
        table = of_run.table(rows, name)
        for form in forms:
            frames.save(table, folder / f"{name}.{form}")


def _language(facts: Facts) -> str:
    return str(facts.settings.get("language") or "en")


def _stem(facts: Facts, wish: Wish) -> str:
    other = wish.language if wish.language and wish.language != _language(facts) else ""
    return "-".join(filter(None, ["report", other, "public" if wish.redact_hosts else ""]))


def _page(facts: Facts, wish: Wish) -> str:
    # with nbconvert, a second that a notebook's kernel, which reads facts alone, need not wait for
    from bmnb.report.page import Comparison, Page
    from bmnb.report.render import render

    beside = None
    if wish.against:
        other = gather(wish.against, procedures.named)
        beside = Comparison(other.name, against.compare(facts, other))
    page = Page(facts, wording.clock(datetime.now().astimezone()), beside)
    change = public.hider(facts) if wish.redact_hosts else str
    return render(page, facts.folder / "notebook.ipynb", change)


def to_pdf(page: Path, path: Path) -> None:
    """Print a page with Chromium. Raise InputError where there is none, or where it fails."""
    browser = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if browser is None:
        raise InputError("no Chromium here to print with; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as profile:
        # root may not use Chromium's sandbox; the page is ours and may load nothing
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        printing = [f"--print-to-pdf={path}", "--no-pdf-header-footer", page.resolve().as_uri()]
        done = subprocess.run(
            [browser, *options, *printing], capture_output=True, text=True, timeout=PRINT_SECONDS
        )
    if done.returncode != 0 or not path.exists():
        raise InputError(f"{browser} cannot print {page}: {done.stderr.strip()[-500:]}")
