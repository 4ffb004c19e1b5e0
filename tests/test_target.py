"""What a bundle for another machine holds."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from bmnb import bundle
from bmnb.target import Target, platforms

LINUX = "manylinux_2_28_x86_64"


def wheel(folder: Path, name: str, *needs: str) -> None:
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        "Version: 1",
        *(f"Requires-Dist: {one}" for one in needs),
    ]
    with ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as packed:
        packed.writestr(f"{name}-1.dist-info/METADATA", "\n".join(lines) + "\n")


def test_a_platform_runs_what_was_built_for_older_ones():
    found = platforms(LINUX)
    assert found[0] == LINUX
    assert {"manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_5_x86_64"} <= set(found)
    assert "manylinux_2_29_x86_64" not in found
    assert "manylinux2014_aarch64" not in platforms("manylinux_2_12_aarch64")
    assert platforms("musllinux_1_2_x86_64") == [f"musllinux_1_{n}_x86_64" for n in (2, 1, 0)]
    assert platforms("macosx_14_0_arm64") == ["macosx_14_0_arm64"]
    assert platforms("") == []


@pytest.mark.parametrize(
    ("needs", "platform", "python", "lacks"),
    [
        ("a; python_version == '3.12'", "", "3.12", ["a"]),
        ("a; python_version == '3.12'", "", "3.13", []),
        ("a>=2; python_full_version < '3.12.4'", "", "3.12.3", ["a>=2"]),
        ("a; sys_platform == 'darwin'", "macosx_14_0_arm64", "", ["a"]),
        ("a; sys_platform == 'darwin'", LINUX, "", []),
        ("a; platform_machine == 'aarch64'", "manylinux2014_aarch64", "", ["a"]),
        ("a; platform_machine == 'arm64' and platform_system == 'Darwin'", "macosx_14_0_arm64", "", ["a"]),
        ("a[b]; python_version >= '3.9'", "", "", ["a[b]"]),
        ("a; extra == 'more'", "", "", []),
        ("There_Too", "", "", []),
    ],
)
def test_what_is_needed_there_is_judged_as_there(needs, platform, python, lacks, tmp_path: Path):
    wheel(tmp_path, "one", needs)
    wheel(tmp_path, "there_too")
    assert list(Target(platform, python).lacks(tmp_path)) == lacks


@pytest.mark.install
def test_packages_for_another_python_are_all_there(tmp_path: Path):
    """anyio needs exceptiongroup before Python 3.11 alone, and pip judges by the Python that it runs in."""
    bundle.collect(tmp_path, ["anyio>=4"], Target(LINUX, "3.10"))
    assert list(tmp_path.glob("exceptiongroup-*"))
    there = ["--python-version", "3.10", "--python-platform", "x86_64-manylinux_2_28"]
    alone = ["--no-index", "--find-links", tmp_path, "--only-binary", ":all:"]
    words = [Path(sys.executable).with_name("uv"), "pip", "compile", "--quiet", *there, *alone, "-"]
    subprocess.run(words, input="anyio", text=True, check=True, stdout=subprocess.DEVNULL)
