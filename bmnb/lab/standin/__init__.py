"""A stand-in for BlueMind, whose own packages need a subscription: enough of it to rehearse on.

It behaves as the project's facts on BlueMind say, including what is awkward: `bmctl stop` takes
PostgreSQL down, `bmctl status` ends with 0 when all is stopped, a task of the API succeeds before its
work is done. What it does not have, it does not pretend to have.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from bmnb.lab.host import call
from bmnb.lab.standin.packages import PACKAGES, VERSIONS, build
from bmnb.lab.standin.services import SERVICES, TARGET, unit

FILES = Path(__file__).parent / "files"

# Numbers differ between the roles, two of them crosswise, as they may between distributions.
USERS = {
    "origin": {"cyrus": 811, "elasticsearch": 812, "bluemind": 841, "telegraf": 813},
    "target": {"cyrus": 812, "elasticsearch": 811, "bluemind": 843, "telegraf": 815},
}


def install(root: Path, role: str, release: str, bluemind: str) -> None:
    """Put the stand-in into the root of a server that is not booted."""
    shutil.copytree(FILES, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    _users(root, USERS[role])
    _units(root, bluemind)
    for package in PACKAGES[bluemind]:
        build(root, package, VERSIONS[bluemind])
    call("chroot", root, "sh", "-c", "dpkg --install /var/spool/bluemind-pkgs/*.deb")
    (root / "etc/bmnb-standin").write_text(f"role={role}\nrelease={release}\nbluemind={bluemind}\n")


def populate_command(role: str, messages: int, rows: int, users: int, seed: int) -> str:
    """The line that fills the booted server: the origin with a client's data, the target as its wizard leaves it."""
    return f"/usr/lib/bmnb-standin/populate {role} --messages {messages} --rows {rows} --users {users} --seed {seed}"


def fingerprint() -> str:
    """A sum over everything that makes the stand-in."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(FILES.parent)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _users(root: Path, numbers: dict[str, int]) -> None:
    call("chroot", root, "groupadd", "--system", "--gid", str(numbers["bluemind"]), "bluemind")
    for name, group in (("cyrus", "mail"), ("elasticsearch", ""), ("telegraf", "")):
        primary = ["--gid", group] if group else ["--user-group"]
        number = ["--uid", str(numbers[name]), "--key", "SYS_GID_MIN=700"]
        call("chroot", root, "useradd", "--system", *number, *primary, "--groups", "bluemind", name)


def _units(root: Path, bluemind: str) -> None:
    units = root / "lib/systemd/system"
    (units / "bluemind.target").write_text(TARGET)
    names = [service.name for service in SERVICES if bluemind[0] in service.majors]
    for service in SERVICES:
        if service.name in names:
            (units / f"{service.name}.service").write_text(unit(service))
    # bmctl stop stops PostgreSQL as well on releases driven by systemd
    drop_in = units / "postgresql.service.d"
    drop_in.mkdir(exist_ok=True)
    (drop_in / "bluemind.conf").write_text("[Unit]\nPartOf=bluemind.target\n")
    call("chroot", root, "systemctl", "enable", "bluemind.target", *names)
