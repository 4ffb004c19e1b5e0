"""The wheel, installed into an environment of its own far from the checkout, does what the checkout does."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from tests import new_user

pytestmark = pytest.mark.install
ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")
MIB = 2**20
# what a development environment sets must not help here
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
CLIENT = """
client: Example Ltd
origin: mail.example.org
target: new.example.org
address: 192.0.2.10
dry_run: true
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sdist, as whoever packages it for a distribution does."""
    place = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--quiet", "--python", sys.executable, "--out-dir", place, ROOT], check=True)
    return next(place.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("installed") / "environment"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, place], check=True)
    pinned = ["--constraints", ROOT / "requirements.lock", "--python", place / "bin/python"]
    subprocess.run([UV, "pip", "install", "--quiet", *pinned, wheel], check=True)
    return place


@pytest.fixture
def bmnb(environment: Path, tmp_path: Path):
    """A command of the installed bmnb, run in a folder of its own; returns exit status and output."""
    (tmp_path / "client.yaml").write_text(CLIENT)

    def call(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [environment / "bin/bmnb", *words],
            cwd=tmp_path,
            env=CLEAN | {"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return call


def test_the_wheel_has_notebooks_catalogues_templates_and_the_servers_extension(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    for part in (
        *("bmnb/notebooks/changing-distributions.ipynb", "bmnb/notebooks/updating-bluemind.ipynb"),
        *("bmnb/notebooks/00-index.ipynb", "bmnb/notebooks/fleet.ipynb", "bmnb/locale/fr/report.po"),
        *("bmnb/report/template/bmnb/index.html.j2", "bmnb/fleet/page.html.j2", "bmnb/py.typed"),
        "etc/jupyter/jupyter_server_config.d/bmnb.json",
    ):
        assert [name for name in names if name.endswith(part)], part
    assert not [name for name in names if name.startswith("tests/")]


def test_a_guided_run_begins_and_a_page_of_all_runs_with_it(bmnb, tmp_path: Path):
    code, said = bmnb("new", "changing-distributions", "--client", "Müller", "--lang", "fr")
    assert code == 0, said
    [folder] = tmp_path.glob("runs/*-muller-changing-distributions")
    assert "bmnb open" in said
    assert nbformat.read(folder / "notebook.ipynb", 4).cells
    assert (tmp_path / "runs/00-index.ipynb").exists()


def test_a_plan_and_a_run_that_contacts_no_server(bmnb, tmp_path: Path):
    code, said = bmnb("plan", "changing-distributions", "-f", "client.yaml")
    assert code == 0, said
    assert "rsync" in said
    code, said = bmnb("run", "changing-distributions", "-f", "client.yaml")
    assert code == 0, said
    [notebook] = tmp_path.glob("runs/*/notebook.ipynb")
    assert "rsync" in notebook.read_text()


def test_a_run_that_met_no_server_has_its_report_and_is_verified(bmnb, tmp_path: Path):
    (tmp_path / "client.yaml").write_text(CLIENT.replace("true", "false"))
    code, said = bmnb("run", "changing-distributions", "-f", "client.yaml")
    assert code in (1, 3), said
    [folder] = tmp_path.glob("runs/*-example-ltd-changing-distributions")
    code, said = bmnb("report", str(folder))
    assert code == 0, said
    assert "<svg" not in said
    code, said = bmnb("verify", str(folder))
    assert code == 0, said
    assert "notebook, tables, logs and reports are those of the run" in said


def test_what_a_fleet_needs_is_named_where_it_is_missing(bmnb):
    code, said = bmnb("fleet", "run", "changing-distributions", "client.yaml")
    assert (code, said.count("\n")) == (2, 2)
    assert "pip install 'bmnb[fleet]'" in said


def test_the_lab_can_be_asked_for(bmnb):
    code, said = bmnb("lab", "status")
    assert code == 0, said


def test_jupyter_is_that_of_the_environment_and_masks_secrets_when_it_saves(environment: Path):
    listed = subprocess.run(
        [environment / "bin/python", "-m", "jupyter", "server", "extension", "list"],
        env=CLEAN,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "bmnb.saving" in listed.stdout + listed.stderr


def test_it_takes_less_than_300_mb(environment: Path):
    files = [path for path in environment.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files if path.suffix != ".pyc")
    assert size < 300 * MIB, f"{size / MIB:.0f} MiB"


def test_a_new_user_has_the_first_form_within_five_minutes(wheel: Path, tmp_path: Path):
    """On a bare Debian with Python alone, and uv's single file; packages come from PyPI."""
    with new_user.machine(tmp_path) as tree:
        shutil.copy(UV, tree / "usr/local/bin/uv")
        (tree / new_user.HOME / "dist").mkdir()
        shutil.copy(wheel, tree / new_user.HOME / "dist")
        seconds = new_user.played(
            tree,
            tmp_path / "form.png",
            "uv tool install --quiet ./dist/*.whl",
            "PATH=$HOME/.local/bin:$PATH && exec bmnb new changing-distributions --client Example --open",
        )
    print(f"{seconds:.0f} s")
    assert seconds < new_user.LIMIT_SECONDS
