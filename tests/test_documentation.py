"""The documentation site is built without a warning; its reference is what the code says."""

import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest

from bmnb import diagnostics, procedures
from bmnb.cli import main
from bmnb.events import EVENTS
from bmnb.preferences import VARIABLES
from bmnb.settings import ordered

ROOT = Path(__file__).parent.parent
CONTEXT = click.Context(main)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", ROOT / "docs", place]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return place


@pytest.mark.install
def test_every_page_that_the_readme_names_is_in_it(site: Path):
    named = [
        page.stem
        for page in ROOT.glob("docs/*.md")
        if f"docs/{page.name}" in (ROOT / "README.md").read_text()
    ]
    assert named
    for name in [*named, "tutorial", "how-to/index", "how-to/go-back", "fr"]:
        assert (site / f"{name}.html").exists(), name


@pytest.mark.install
@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda one: one.name)
def test_the_reference_has_every_parameter_and_phase(site: Path, procedure):
    told = (site / f"made/parameters-{procedure.name}.html").read_text()
    assert [one.name for one in ordered(procedure.settings) if f">{one.name}<" not in told] == []
    steps = (site / f"made/steps-{procedure.name}.html").read_text()
    assert [one.title for one in procedure.phases if one.title not in steps] == []
    assert (site / f"made/notebooks/{procedure.name}.html").exists()


@pytest.mark.install
def test_the_reference_has_every_command_and_exit_status(site: Path):
    told = (site / "made/commands.html").read_text()
    for command in ("bmnb run", "bmnb lab up", "bmnb fleet run", "bmnb verify"):
        assert command in told
    assert "--log-file" in told
    assert "KernelDied" in (site / "made/exit-statuses.html").read_text()


@pytest.mark.install
def test_the_reference_has_every_event_and_every_place_of_a_persons_own_values(site: Path):
    told = (site / "made/events.html").read_text()
    assert [
        name for name in EVENTS if f">{name}<" not in told.replace('</span> <span class="pre">', " ")
    ] == []
    told = (site / "made/configuration.html").read_text()
    assert [name for name in [*VARIABLES.values(), diagnostics.VARIABLE] if name not in told] == []


@pytest.mark.install
def test_every_link_within_the_site_leads_to_a_page_and_a_place_on_it(site: Path):
    pages = {path: Page(path.read_text()) for path in site.rglob("*.html")}
    lost = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            address, place = unquote(parts.path), unquote(parts.fragment)
            if parts.scheme or path.name in ("search.html", "genindex.html"):
                continue
            aim = (path.parent / address).resolve() if address else path
            if not aim.exists() or (place and aim in pages and place not in pages[aim].places):
                lost.append(f"{path.relative_to(site)}: {link}")
    assert lost == []


class Page(HTMLParser):
    """Where a page leads, and the places on it that can be led to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.places = set[str](), {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.links |= {given[name] for name in ("href", "src") if name in given}
        self.places |= {given[name] for name in ("id", "name") if name in given}


LINES = [
    (path.name, line)
    for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
    if "made" not in path.parts
    for line in re.findall(r"(?:^|\s|`)(?:\S*/)?(bmnb [a-z][^`\n#|>&;]*)", path.read_text(), flags=re.M)
]


@pytest.mark.parametrize(("page", "line"), LINES, ids=lambda one: one[:60])
def test_every_command_that_a_page_has_is_one(page: str, line: str):
    """Its words up to the options are commands, its options those that they have."""
    _, *words = shlex.split(line.strip().rstrip(".,:").replace("'", ""))
    command = main
    while isinstance(command, click.Group) and words and words[0] in command.list_commands(CONTEXT):
        command = command.get_command(CONTEXT, words.pop(0))
    if command is main:
        return  # a sentence about bmnb
    known = {name for one in command.params for name in one.opts} | {"--help", "-h"}
    given = [] if command.name == "ssh" else [word.split("=")[0] for word in words if word.startswith("-")]
    assert [word for word in given if word not in known and word != "-vv"] == []


@pytest.mark.install
def test_no_page_loads_anything_from_elsewhere(site: Path):
    """A notebook's own outputs may: Sphinx has MathJax and require.js for them from a network."""
    for page in site.glob("*.html"):
        assert 'src="http' not in page.read_text(), page.name
