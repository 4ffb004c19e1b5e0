"""environment.yml names the same packages as pyproject.toml; no conda channel is asked."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_conda_and_pip_get_the_same_packages():
    *conda, _, only_pip_has = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda += only_pip_has["pip"]
    pip = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    assert sorted(conda) == sorted([f"python{PROJECT['requires-python']}", *(one.lower() for one in pip)])


def test_lock_file_has_every_package_pinned_and_no_index():
    lock = (ROOT / "requirements.lock").read_text()
    names = {re.split(r"[<>=; ]", line)[0].lower() for line in lock.splitlines()}
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    assert {re.split(r"[<>=]", one)[0].lower() for one in wanted} <= names
    assert "://" not in lock
    assert "index-url" not in lock
