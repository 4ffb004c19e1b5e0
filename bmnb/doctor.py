"""What of this machine fits: each thing that is needed, or that a part of bmnb needs, with what was found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from bmnb.steps import Row

GIB = 2**30
NEEDED, OPTIONAL = "needed", "optional"
LAB = ("mmdebstrap", "systemd-nspawn", "ip", "nsenter")


def rows(runs: Path, ssh_config: Path) -> Iterator[Row]:
    """A row a thing: what it is, what was found, whether that fits, what it is for, and what to do where not."""
    yield _row(
        "Python", sys.version.split()[0], sys.version_info[:2] >= (3, 11), NEEDED, "Python 3.11 or newer"
    )
    yield _sqlite()
    yield _row("system", sys.platform, sys.platform != "win32", NEEDED, "Linux, macOS, or WSL2 on Windows")
    yield _package("jupyterlab", NEEDED, "pip install bmnb")
    place = jupyter_folder()
    yield _row(
        "JupyterLab's own files", str(place), takes_files(place), NEEDED, "another HOME, which can be written"
    )
    yield _program("ssh", NEEDED, "install OpenSSH's client")
    yield _program("ssh-keygen", NEEDED, "install OpenSSH's client")
    yield _row(
        "ssh configuration", str(ssh_config), ssh_config.exists(), OPTIONAL, "the servers by their names"
    )
    yield _agent()
    yield _disk(runs)
    yield _package("distributed", OPTIONAL, "fleets: pip install 'bmnb[fleet]'")
    yield _package("pyarrow", OPTIONAL, "tables as Parquet: pip install 'bmnb[parquet]'")
    yield _program("chromium", OPTIONAL, "reports as PDF: apt install chromium")
    yield _lab()


def _row(what: str, found: str, fits: bool, need: str, otherwise: str) -> Row:
    return {"what": what, "found": found, "fits": fits, "need": need, "otherwise": "" if fits else otherwise}


def _program(name: str, need: str, otherwise: str) -> Row:
    found = shutil.which(name)
    return _row(name, found or "not there", bool(found), need, otherwise)


def _package(name: str, need: str, otherwise: str) -> Row:
    try:
        found = version(name)
    except PackageNotFoundError:
        found = "not there"
    return _row(name, found, find_spec(name) is not None, need, otherwise)


def _sqlite() -> Row:
    """JupyterLab keeps its sessions in it, a fleet its state; a Python that was built without its header lacks it."""
    there = find_spec("_sqlite3") is not None
    otherwise = "another Python, such as the system's, or one of uv's"
    return _row("SQLite in Python", "there" if there else "not there", there, NEEDED, otherwise)


def _agent() -> Row:
    """ssh-add ends with 1 where the agent has no key, with 2 where there is no agent."""
    if not shutil.which("ssh-add"):
        return _row("keys in the agent", "no ssh-add", False, OPTIONAL, "install OpenSSH's client")
    listed = subprocess.run(["ssh-add", "-l"], capture_output=True, text=True, check=False)
    keys = len(listed.stdout.splitlines()) if listed.returncode == 0 else 0
    found = "no agent" if listed.returncode == 2 else str(keys)
    return _row("keys in the agent", found, keys > 0, OPTIONAL, "ssh-add, for keys with a passphrase")


def _disk(runs: Path) -> Row:
    free = shutil.disk_usage(_nearest(runs)).free
    fits = free > GIB and takes_files(runs)
    return _row("folder of the runs", f"{runs}: {free / GIB:.0f} GiB free", fits, NEEDED, "1 GiB, writable")


def jupyter_folder() -> Path:
    """Where a server of Jupyter keeps what it needs while it runs."""
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir())


def takes_files(folder: Path) -> bool:
    """Whether a folder, which may not be there yet, can be written."""
    there = _nearest(folder)
    return there.is_dir() and os.access(there, os.W_OK)


def _nearest(folder: Path) -> Path:
    return next(one for one in [folder.absolute(), *folder.absolute().parents] if one.exists())


def _lab() -> Row:
    missing = [name for name in LAB if not shutil.which(name)]
    found = f"without {', '.join(missing)}" if missing else "as root" if os.geteuid() == 0 else "not as root"
    fits = found == "as root"
    return _row("lab", found, fits, OPTIONAL, "rehearsals on this machine: Debian or Ubuntu, as root")
