"""A stand-in for BlueMind, whose own packages need a subscription: enough of it to rehearse on.

It behaves as the project's facts on BlueMind say, including what is awkward: `bmctl stop` takes
PostgreSQL down, `bmctl status` ends with 0 when all is stopped, a task of the API succeeds before its
work is done. What it does not have, it does not pretend to have.

`files/` lands on a server as it lies there, `server/` becomes the Python package that runs on it.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from bmnb.lab.host import call
from bmnb.lab.standin import packages, services
from bmnb.lab.standin.server.variants import VARIANTS

HERE = Path(__file__).parent
LIB = "usr/lib/bmnb-standin"

# Numbers differ between the roles, two of them crosswise, as they may between distributions.
USERS = {
    "origin": {"cyrus": 811, "elasticsearch": 812, "bluemind": 841, "telegraf": 813},
    "target": {"cyrus": 812, "elasticsearch": 811, "bluemind": 843, "telegraf": 815},
}

_ignored = shutil.ignore_patterns("__pycache__")


def install(root: Path, role: str, release: str, bluemind: str) -> None:
    """Put the stand-in into the root of a server that is not booted."""
    shutil.copytree(HERE / "files", root, dirs_exist_ok=True)
    shutil.copytree(HERE / "server", root / LIB / "standin", dirs_exist_ok=True, ignore=_ignored)
    (root / "etc/bmnb-standin").write_text(f"role={role}\nrelease={release}\nbluemind={bluemind}\n")
    _add_users(root, USERS[role])
    services.install(root, VARIANTS[bluemind])
    packages.install(root, VARIANTS[bluemind])


def populate_command(role: str, messages: int, rows: int, users: int, seed: int) -> str:
    """The line that fills the booted server: the origin with a client's data, the target as its wizard leaves it."""
    return f"{services.RUN} populate {role} --messages {messages} --rows {rows} --users {users} --seed {seed}"


def fingerprint() -> str:
    """A sum over everything that makes the stand-in."""
    digest = hashlib.sha256()
    for path in sorted(HERE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _add_users(root: Path, numbers: dict[str, int]) -> None:
    call("chroot", root, "groupadd", "--system", "--gid", str(numbers["bluemind"]), "bluemind")
    for name, group in (("cyrus", "mail"), ("elasticsearch", ""), ("telegraf", "")):
        primary = ["--gid", group] if group else ["--user-group"]
        number = ["--uid", str(numbers[name]), "--key", "SYS_GID_MIN=700"]
        call("chroot", root, "useradd", "--system", *number, *primary, "--groups", "bluemind", name)
    call("chroot", root, "usermod", "--append", "--groups", "bluemind", "www-data")
