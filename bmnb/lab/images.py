"""Base images: minimal Debian trees with what BlueMind's servers have, built once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bmnb.errors import InputError
from bmnb.lab.host import CACHE, call

RELEASES = ("bullseye", "bookworm", "trixie")

PACKAGES = [
    "acl",
    "apache2-utils",
    "aptitude",
    "attr",
    "ca-certificates",
    "cron",
    "curl",
    "dbus",
    "ifupdown",
    "iproute2",
    "iptables",
    "iputils-arping",
    "iputils-ping",
    "kmod",
    "locales",
    "netplan.io",
    "nginx-light",
    "openssh-server",
    "openssl",
    "postfix",
    "postgresql",
    "procps",
    "psmisc",
    "python3",
    "rsync",
    "sudo",
    "systemd-sysv",
    "udev",
]

PACKAGE_TOOLS = ("apt-utils", "createrepo-c", "dnf", "gnupg", "rpm")
"""For the update's servers: what builds, signs and serves packages of both families, and installs RedHat's."""

CUSTOMIZE = r"""set -e
echo 'en_US.UTF-8 UTF-8' > "$1/etc/locale.gen"
chroot "$1" locale-gen
rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/machine-id "$1"/var/lib/dbus/machine-id
: > "$1/etc/machine-id"
ln -s /etc/machine-id "$1/var/lib/dbus/machine-id"
chroot "$1" systemctl mask systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer
"""


def base(release: str, tell: Callable[[str], None], more: Sequence[str] = ()) -> Path:
    """The image of a Debian release, built if it is not there yet; takes about two minutes then."""
    if release not in RELEASES:
        raise InputError(f"{release!r} is not one of {', '.join(RELEASES)}")
    packages = [*PACKAGES, *more]
    recipe = hashlib.sha256("\n".join([*packages, CUSTOMIZE]).encode()).hexdigest()[:12]
    return cached(f"base-{release}-{recipe}", lambda place: _build(release, packages, place, tell))


def cached(name: str, build: Callable[[Path], None]) -> Path:
    """The folder of this name in the cache. What a break leaves half built is thrown away."""
    CACHE.mkdir(parents=True, exist_ok=True)
    place = CACHE / name
    with locked(name):
        if not place.exists():
            unfinished = CACHE / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            build(unfinished)
            unfinished.rename(place)
    return place


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let one process at a time build what has this name; the lock ends with the process."""
    CACHE.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(CACHE / f"{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _build(release: str, packages: Sequence[str], place: Path, tell: Callable[[str], None]) -> None:
    tell(f"building the image of Debian {release}, once; this takes about two minutes")
    call(
        "mmdebstrap",
        "--variant=minbase",
        "--aptopt=Acquire::Languages none",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        f"--include={','.join(packages)}",
        f"--customize-hook={CUSTOMIZE}",
        release,
        place,
    )
    tell(f"image of Debian {release} built")
