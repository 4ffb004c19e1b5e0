"""One archive for a client's site without internet: the wheels for a platform, the pages, an installer, checksums."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from bmnb import __version__
from bmnb.errors import BmnbError, InputError
from bmnb.start import INSTALLED
from bmnb.target import Target

CHECKOUT = Path(__file__).parent.parent
PAGES = CHECKOUT / "docs" if not INSTALLED.is_dir() else Path(__file__).parent / "docs"
PAGE_KINDS = ("*.md", "how-to/*.md", "images/*.png", "*.svg")
EXTRAS = "fleet"

INSTALL = f"""#!/bin/sh
# Install bmnb from this folder alone into ./environment, or the place that is named. Python with its library is all it
# takes: pip comes from the wheels, since Debian has what `venv` needs of it in a package of its own.
set -eu
from=$(cd "$(dirname "$0")" && pwd)
case "${{1:-}}" in
    "") place=$from/environment ;;
    /*) place=$1 ;;
    *) place=$PWD/$1 ;;
esac
cd "$from"
"${{PYTHON:-python3}}" -B check.py
"${{PYTHON:-python3}}" -m venv --without-pip "$place"
PYTHONPATH=$(echo wheels/pip-*.whl) "$place/bin/python" -m pip --disable-pip-version-check install --quiet --no-index \\
    --find-links wheels 'bmnb[{EXTRAS}]=={__version__}'
echo "installed: $place/bin/bmnb"
"""

CHECK = """import hashlib, pathlib, sys

found = "%d.%d" % sys.version_info[:2]
if found != "{python}":
    sys.exit("the wheels are for Python {python}, and this is %s: PYTHON=python{python} sh install.sh" % found)
lines = pathlib.Path("SHA256SUMS").read_text().splitlines()
sums = dict(reversed(line.split("  ", 1)) for line in lines)
there = set(str(path) for path in pathlib.Path("wheels").iterdir())
for name in sorted(there.union(sums)):
    if name not in sums:
        sys.exit(name + " does not belong to the bundle")
    if not pathlib.Path(name).is_file():
        sys.exit(name + " is missing")
    if hashlib.sha256(pathlib.Path(name).read_bytes()).hexdigest() != sums[name]:
        sys.exit(name + " is not what it was when the bundle was made")
"""

README = f"""bmnb {__version__}, with all it needs but Python itself. On a machine without internet:

    sh install.sh            # or PYTHON=python3.12 sh install.sh /opt/bmnb: another Python, another place
    environment/bin/bmnb doctor

The wheels are for {{python}} on {{platform}}. The pages in docs/ are Markdown.
"""


def write(out: Path, platform: str = "", python: str = "", wheel: Path | None = None) -> Path:
    """Write the archive (.tar.gz) and return its path.

    `platform` is a wheel's tag such as manylinux_2_28_x86_64, `python` a version such as 3.12; this machine's own
    where they are empty. `wheel` is bmnb's own, which a checkout builds and an installed bmnb takes from PyPI.
    Raise InputError where there is no pip, BmnbError with its last lines where it fails.
    """
    if find_spec("pip") is None:
        raise InputError(
            f"bundles are made with pip, which {sys.prefix} does not have\n"
            "  → pipx inject bmnb pip; uv tool install bmnb --with pip; python -m ensurepip"
        )
    name = out.name.removesuffix(".tar.gz")
    with TemporaryDirectory(prefix="bmnb-") as folder:
        place = Path(folder, name)
        (place / "wheels").mkdir(parents=True)
        collect(place / "wheels", [_own(place / "wheels", wheel), "pip"], Target(platform, python))
        _write_texts(place, platform or "machines like the one it was made on", python)
        archive = out.with_name(f"{name}.tar.gz")
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(place, name)
    return archive


def _own(wheels: Path, wheel: Path | None) -> str:
    """bmnb itself, as pip is asked for it."""
    if wheel or not INSTALLED.is_dir():
        return f"{wheel or _build(wheels)}[{EXTRAS}]"
    return f"bmnb[{EXTRAS}]=={__version__}"


def collect(wheels: Path, wanted: Sequence[str], target: Target) -> None:
    """Download the wheels of what is wanted, and of all that it needs on the target."""
    while wanted:
        _pip("download", "--dest", str(wheels), "--find-links", str(wheels), *target.options, *wanted)
        wanted = sorted(target.lacks(wheels))


def _build(wheels: Path) -> str:
    _pip("wheel", "--no-deps", "--wheel-dir", str(wheels), str(CHECKOUT))
    return str(next(wheels.glob("bmnb-*.whl")))


def _pip(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise BmnbError(f"pip {words[0]}: exit status {done.returncode}\n{last}")


def _write_texts(place: Path, platform: str, python: str) -> None:
    version = ".".join((python or _own_python()).split(".")[:2])
    (place / "install.sh").write_text(INSTALL)
    (place / "check.py").write_text(CHECK.format(python=version))
    (place / "README").write_text(README.format(platform=platform, python=f"Python {version}"))
    for page in pages():
        copied = place / "docs" / page.relative_to(PAGES)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(page.read_bytes())
    files = sorted(path for path in place.rglob("*") if path.is_file())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(place)}\n" for path in files]
    (place / "SHA256SUMS").write_text("".join(sums))


def pages() -> list[Path]:
    """The documentation as it was written, with its pictures."""
    return [one for kind in PAGE_KINDS for one in sorted(PAGES.glob(kind))]


def _own_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
