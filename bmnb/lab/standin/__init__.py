"""A stand-in for BlueMind, whose own packages need a subscription: enough of it to rehearse on.

It behaves as the project's facts on BlueMind say, including what is awkward: `bmctl stop` takes
PostgreSQL down, `bmctl status` ends with 0 when all is stopped, a task of the API succeeds before its
work is done. What it does not have, it does not pretend to have.

`files/` lands on a server as it lies there, `server/` becomes the Python package that runs on it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from bmnb.lab.host import call
from bmnb.lab.standin import services
from bmnb.lab.standin.server.variants import ROLES, VARIANTS

HERE = Path(__file__).parent
LIB = "usr/lib/bmnb-standin"

# Numbers differ between the roles, two of them crosswise, as they may between distributions.
USERS = {
    "origin": {"cyrus": 811, "elasticsearch": 812, "bluemind": 841, "telegraf": 813},
    "target": {"cyrus": 812, "elasticsearch": 811, "bluemind": 843, "telegraf": 815},
}

_ignored = shutil.ignore_patterns("__pycache__")


def install(root: Path, role: str, release: str, bluemind: str, family: str, mail: str = "") -> None:
    """Put the stand-in into the root of a server that is not booted."""
    shutil.copytree(HERE / "server", root / LIB / "standin", dirs_exist_ok=True, ignore=_ignored)
    (root / "etc/bmnb-standin").write_text(
        f"role={role}\nrelease={release}\nbluemind={bluemind}\nfamily={family}\nmail={mail}\n"
    )
    if role == "repository":
        shutil.copy2(HERE / "files" / LIB / "run", root / LIB / "run")
        return
    shutil.copytree(HERE / "files", root, dirs_exist_ok=True)
    _add_users(root, USERS["origin" if role == "origin" else "target"])
    variant = VARIANTS[bluemind]
    wanted = ROLES[role][0] if role in ROLES else (*variant.services, "bmnb-writer")
    services.install(
        root, [name for name in wanted if name in (*variant.services, "bmnb-writer")], bool(mail)
    )
    if mail:
        call("chroot", root, "systemctl", "mask", "cyrus-imapd.service")
    if family == "redhat":
        _become_redhat(root)
    call("chroot", root, services.RUN, "packages")


def _become_redhat(root: Path) -> None:
    """As near to RedHat's family as Debian's dnf and rpm come; the system says what it is."""
    (root / "usr/bin/yum").symlink_to("dnf")
    (root / "etc/yum.repos.d").mkdir(exist_ok=True)
    (root / "etc/os-release").unlink()
    (root / "etc/os-release").write_text(
        'PRETTY_NAME="RedHat family stand-in 9.4 (dnf and rpm of Debian)"\nID=bmnb-redhat\n'
        'ID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'
    )


def populate_command(
    role: str, messages: int, rows: int, users: int, seed: int, partitions: int, beside: Mapping[str, str]
) -> str:
    """The line that fills the booted server: with a client's data, or as its wizard leaves it.

    `beside` are the addresses of a platform's other servers by their roles.
    """
    others = " ".join(f"{name}={address}" for name, address in beside.items())
    return (
        f"{services.RUN} populate {role} --messages {messages} --rows {rows} --users {users} --seed {seed} "
        f"--partitions {partitions} --beside {others}"
    )


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
        number = ["--uid", str(numbers[name])]
        if f"\n{name}:" in (root / "etc/passwd").read_text():
            call("chroot", root, "usermod", *number, *primary, "--append", "--groups", "bluemind", name)
            continue
        number += ["--key", "SYS_GID_MIN=700"]
        call("chroot", root, "useradd", "--system", *number, *primary, "--groups", "bluemind", name)
    call("chroot", root, "usermod", "--append", "--groups", "bluemind", "www-data")
