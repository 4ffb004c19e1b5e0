"""A bundle installs bmnb where there is no internet, and notices a file that was changed on the way."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from bmnb import bundle
from bmnb.errors import InputError


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("bundle")
    archive = bundle.write(place / "bmnb-offline.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    return place / "bmnb-offline"


@pytest.mark.install
def test_it_installs_with_the_network_off(unpacked: Path, tmp_path: Path):
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHON": sys.executable}
    offline = ["unshare", "--net", "sh", unpacked / "install.sh", tmp_path / "environment"]
    done = subprocess.run(offline, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = subprocess.run(
        [tmp_path / "environment/bin/bmnb", "fleet", "--help"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0
    assert (unpacked / "docs/guided.md").exists()


@pytest.mark.install
def test_a_changed_wheel_is_not_installed(unpacked: Path, tmp_path: Path):
    wheel = next(unpacked.glob("wheels/click-*.whl"))
    whole = wheel.read_bytes()
    wheel.write_bytes(whole + b"!")
    try:
        done = subprocess.run(
            ["sh", unpacked / "install.sh", tmp_path / "environment"],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        wheel.write_bytes(whole)
    assert done.returncode != 0
    assert "click-" in done.stdout + done.stderr
    assert not (tmp_path / "environment").exists()


def test_an_environment_without_pip_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bundle, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pipx inject bmnb pip"):
        bundle.write(tmp_path / "out.tar.gz")
    assert not list(tmp_path.iterdir())
