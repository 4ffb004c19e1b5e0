"""A bundle installs bmnb where there is no internet, and notices a file that was changed on the way."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from bmnb import bundle
from bmnb.errors import InputError
from tests import new_user


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("bundle")
    archive = bundle.write(place / "bmnb-offline.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    return place / "bmnb-offline"


@pytest.fixture(scope="module")
def offline(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into whose `my environment` the bundle is installed with the network off, from beside it."""
    place = tmp_path_factory.mktemp("site")
    given = {"PATH": "/usr/bin:/bin", "HOME": str(place), "PYTHON": sys.executable}
    words = ["unshare", "--net", "sh", unpacked / "install.sh", "my environment"]
    done = subprocess.run(words, cwd=place, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return place


@pytest.mark.install
def test_it_installs_with_the_network_off_into_a_folder_with_a_blank_in_its_name(offline: Path):
    bmnb = offline / "my environment/bin/bmnb"
    for words in (("fleet", "--help"), ("new", "changing-distributions", "--client", "Example")):
        told = subprocess.run([bmnb, *words], cwd=offline, env={"HOME": str(offline)}, check=False)
        assert told.returncode == 0


@pytest.mark.install
def test_it_has_the_pages_with_their_pictures_and_no_file_but_its_own(unpacked: Path):
    assert (unpacked / "docs/guided.md").exists()
    assert (unpacked / "docs/images/form.png").exists()
    assert not list(unpacked.glob("docs/made"))
    listed = {line.split("  ")[1] for line in (unpacked / "SHA256SUMS").read_text().splitlines()}
    assert {str(path) for path in unpacked.glob("wheels/*")} == {
        str(unpacked / name) for name in listed if name.startswith("wheels/")
    }


@pytest.mark.install
def test_an_installed_bmnb_has_the_pages_for_its_bundles(offline: Path):
    python = offline / "my environment/bin/python"
    code = "from bmnb import bundle; print(*(one.name for one in bundle.PAGES.glob('*.md')))"
    said = subprocess.run([python, "-c", code], env={}, capture_output=True, text=True, check=True)
    assert "guided.md" in said.stdout.split()


@pytest.mark.install
def test_a_new_user_without_internet_has_the_first_form_within_five_minutes(tmp_path: Path):
    """From the bundle for its Python, on a bare Debian that has neither pip nor what `venv` needs of it."""
    with new_user.machine(tmp_path) as tree:
        home = tree / new_user.HOME
        bundle.write(home / "bmnb-offline.tar.gz", python="3.11")
        seconds = new_user.played(
            tree,
            tmp_path / "form.png",
            "tar xf bmnb-offline.tar.gz && sh bmnb-offline/install.sh bmnb",
            "exec bmnb/bin/bmnb new changing-distributions --client Example --open",
            offline=True,
        )
    print(f"{seconds:.0f} s")
    assert seconds < new_user.LIMIT_SECONDS


@pytest.mark.install
def test_a_file_that_was_laid_among_the_wheels_is_noticed(unpacked: Path, tmp_path: Path):
    laid = unpacked / "wheels/bmnb-9-py3-none-any.whl"
    laid.touch()
    try:
        done = refused(unpacked, tmp_path, PYTHON=sys.executable)
    finally:
        laid.unlink()
    assert "does not belong to the bundle" in done


@pytest.mark.install
def test_another_python_is_told_which_one_is_needed(unpacked: Path, tmp_path: Path):
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\nshift\nexec {sys.executable} -c 'import sys; sys.version_info = (3, 9, 2); exec(open(\"check.py\").read())'\n")
    other.chmod(0o755)
    assert "and this is 3.9: PYTHON=python" in refused(unpacked, tmp_path, PYTHON=str(other))


def refused(unpacked: Path, tmp_path: Path, **environment: str) -> str:
    """What the installer says that installs nothing."""
    words = ["sh", unpacked / "install.sh", tmp_path / "environment"]
    given = {**os.environ, **environment}
    done = subprocess.run(words, env=given, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert not (tmp_path / "environment").exists()
    return done.stdout + done.stderr


@pytest.mark.install
def test_a_changed_wheel_is_not_installed(unpacked: Path, tmp_path: Path):
    wheel = next(unpacked.glob("wheels/click-*.whl"))
    whole = wheel.read_bytes()
    wheel.write_bytes(whole + b"!")
    try:
        done = refused(unpacked, tmp_path, PYTHON=sys.executable)
    finally:
        wheel.write_bytes(whole)
    assert "click-" in done


def test_an_environment_without_pip_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bundle, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pipx inject bmnb pip"):
        bundle.write(tmp_path / "out.tar.gz")
    assert not list(tmp_path.iterdir())
