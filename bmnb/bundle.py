"""One archive for a client's site without internet: the wheels for a platform, the pages, an installer, checksums."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from bmnb import __version__
from bmnb.errors import BmnbError, InputError
from bmnb.start import INSTALLED

CHECKOUT = Path(__file__).parent.parent
EXTRAS = "fleet"

INSTALL = f"""#!/bin/sh
# Install bmnb from this folder alone into ./environment, or the place that is named.
set -eu
cd "$(dirname "$0")"
place=${{1:-environment}}
sha256sum --check --quiet SHA256SUMS
"${{PYTHON:-python3}}" -m venv "$place"
"$place/bin/pip" install --quiet --no-index --find-links wheels 'bmnb[{EXTRAS}]=={__version__}'
echo "installed: $place/bin/bmnb --help"
"""

README = f"""bmnb {__version__}, with all it needs but Python itself. On a machine without internet:

    sh install.sh            # PYTHON=python3.12 sh install.sh /opt/bmnb: another Python, another place
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
        _download(place / "wheels", wheel, platform, python)
        _write_texts(place, platform or "machines like the one it was made on", python)
        archive = out.with_name(f"{name}.tar.gz")
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(place, name)
    return archive


def _download(wheels: Path, wheel: Path | None, platform: str, python: str) -> None:
    own = str(wheel) if wheel else _build(wheels) if _is_checkout() else f"bmnb=={__version__}"
    wanted = f"{own}[{EXTRAS}]" if own.endswith(".whl") else own.replace("bmnb", f"bmnb[{EXTRAS}]", 1)
    elsewhere = [
        *(["--platform", platform] if platform else []),
        *(["--python-version", python] if python else []),
        *(["--only-binary", ":all:"] if platform or python else ["--prefer-binary"]),
    ]
    _pip("download", "--dest", str(wheels), *elsewhere, wanted)


def _is_checkout() -> bool:
    return not INSTALLED.is_dir()


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
    (place / "install.sh").write_text(INSTALL)
    (place / "README").write_text(
        README.format(platform=platform, python=f"Python {python or _own_python()}")
    )
    for page in sorted((CHECKOUT / "docs").glob("*.md")) if _is_checkout() else []:
        (place / "docs").mkdir(exist_ok=True)
        (place / "docs" / page.name).write_bytes(page.read_bytes())
    files = sorted(path for path in place.rglob("*") if path.is_file())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(place)}\n" for path in files]
    (place / "SHA256SUMS").write_text("".join(sums))


def _own_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
