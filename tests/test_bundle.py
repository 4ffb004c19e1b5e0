"""A bundle installs bmnb where there is no internet, and notices a file that was changed on the way."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmnb import bundle
from bmnb.errors import InputError
from tests import new_user

PYTHON = "3.11"
"""Of the bare Debian; these tests may run on another."""
INSTALL = "sh bmnb-offline/install.sh"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A client's machine without internet, pip and what `venv` needs of it, with the bundle in its user's home."""
    with new_user.machine(tmp_path_factory.mktemp("site")) as tree:
        bundle.write(tree / new_user.HOME / "bmnb-offline.tar.gz", python=PYTHON)
        yield tree


def said(site: Path, line: str) -> tuple[int, str]:
    """Exit status and output of a line that the user types there."""
    done = subprocess.run(new_user.there(site, line), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.install
def test_a_new_user_without_internet_has_the_first_form_within_five_minutes(site: Path, tmp_path: Path):
    seconds = new_user.played(
        site,
        tmp_path / "form.png",
        f"tar xf bmnb-offline.tar.gz && {INSTALL} 'my bmnb'",
        "exec 'my bmnb/bin/bmnb' new changing-distributions --client Example --open",
        offline=True,
    )
    print(f"{seconds:.0f} s")
    assert seconds < new_user.LIMIT_SECONDS


@pytest.mark.install
def test_fleets_are_installed_and_the_pages_for_a_bundle_made_there(site: Path):
    assert said(site, "'my bmnb/bin/bmnb' fleet --help")[0] == 0
    code = "from bmnb import bundle; print(*(one.name for one in bundle.pages()))"
    assert "guided.md" in said(site, f"'my bmnb/bin/python' -c \"{code}\"")[1].split()


@pytest.mark.install
def test_it_has_the_pages_with_their_pictures_and_the_sum_of_each_file(site: Path):
    folder = site / new_user.HOME / "bmnb-offline"
    listed = {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == listed | {"SHA256SUMS"}
    assert {"docs/guided.md", "docs/images/form.png", "install.sh"} <= listed
    assert not any(name.startswith("docs/made") for name in listed)


@pytest.mark.install
@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        ("echo | tee -a wheels/click-*.whl", "is not what it was when the bundle was made"),
        (
            "touch wheels/bmnb-9-py3-none-any.whl",
            "wheels/bmnb-9-py3-none-any.whl does not belong to the bundle",
        ),
        ("rm wheels/click-*.whl", "is missing"),
    ],
)
def test_what_was_changed_on_the_way_is_not_installed(site: Path, tampering: str, told: str):
    spoil = "cp -rl bmnb-offline spoiled && cd spoiled && cp --remove-destination ../bmnb-offline/wheels/click-* wheels"
    code, text = said(site, f"{spoil} && {tampering} && sh install.sh ../other")
    assert said(site, "rm -r spoiled")[0] == 0
    assert code != 0
    assert told in text
    assert not (site / new_user.HOME / "other").exists()


@pytest.mark.install
def test_another_python_is_told_which_one_is_needed(site: Path):
    other = site / new_user.HOME / "python"
    other.write_text(
        "#!/bin/sh\nexec python3 -c 'import sys; sys.version_info = (3, 9, 2); exec(open(\"check.py\").read())'\n"
    )
    other.chmod(0o755)
    code, text = said(site, f"PYTHON=$HOME/python {INSTALL} other")
    assert code != 0
    assert f"the wheels are for Python {PYTHON}, and this is 3.9" in text


def test_an_environment_without_pip_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bundle, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pipx inject bmnb pip"):
        bundle.write(tmp_path / "out.tar.gz")
    assert not list(tmp_path.iterdir())
