"""The environments of conda name the same packages as pyproject.toml; no conda channel is asked."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PYTHON = f"python{PROJECT['requires-python']}"
RUN = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["fleet"]]
DEVELOP = PROJECT["optional-dependencies"]["dev"]


def of_conda(name: str) -> list[str]:
    """The packages of an environment, by the names they have on PyPI."""
    *conda, last = yaml.safe_load((ROOT / name).read_text())["dependencies"]
    names = [*conda, *(last["pip"] if isinstance(last, dict) else [last])]
    # conda-forge's `playwright` is the Node.js program
    return sorted(re.sub(r"^playwright-python\b", "playwright", one) for one in names if one != "pip")


def test_a_consultant_gets_what_runs_need():
    [nbval] = [one for one in DEVELOP if one.startswith("nbval")]
    assert of_conda("environment.yml") == sorted([PYTHON, nbval, *(one.lower() for one in RUN)])


def test_a_developer_gets_all_there_is():
    assert of_conda("environment-dev.yml") == sorted({PYTHON, *(one.lower() for one in [*RUN, *DEVELOP])})


def test_lock_file_has_every_package_pinned_and_no_index():
    lock = (ROOT / "requirements.lock").read_text()
    names = {re.split(r"[<>=; ]", line)[0].lower() for line in lock.splitlines()}
    assert {re.split(r"[<>=]", one)[0].lower() for one in [*RUN, *DEVELOP]} <= names
    assert "://" not in lock
    assert "index-url" not in lock


@pytest.mark.install
@pytest.mark.parametrize(
    ("python", "platform"),
    [
        *((python, "x86_64-manylinux_2_28") for python in ("3.11", "3.12", "3.13", "3.14")),
        ("3.14", "aarch64-apple-darwin"),
    ],
)
def test_every_package_has_a_wheel_for_every_python(python: str, platform: str):
    there = ["--python-version", python, "--python-platform", platform, "--only-binary", ":all:"]
    pinned = ["--constraints", ROOT / "requirements.lock", "--extra", "fleet", "--extra", "parquet"]
    uv = Path(sys.executable).with_name("uv")
    words = [uv, "pip", "compile", "--quiet", *there, *pinned, ROOT / "pyproject.toml"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
