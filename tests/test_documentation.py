"""The documentation site is built without a warning; its reference is what the code says."""

import subprocess
import sys
from pathlib import Path

import pytest

from bmnb import procedures
from bmnb.settings import ordered

ROOT = Path(__file__).parent.parent


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
    for name in [*named, "tutorial", "how-to", "fr"]:
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
    assert "KernelDied" in (site / "made/exit-statuses.html").read_text()


@pytest.mark.install
def test_no_page_loads_anything_from_elsewhere(site: Path):
    """A notebook's own outputs may: Sphinx has MathJax and require.js for them from a network."""
    for page in site.glob("*.html"):
        assert 'src="http' not in page.read_text(), page.name
