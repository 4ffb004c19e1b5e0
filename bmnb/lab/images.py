"""Base images: minimal Debian trees with what BlueMind's servers have, built once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bmnb.errors import BmnbError, InputError
from bmnb.lab import leftovers
from bmnb.lab.host import CACHE, call

T = TypeVar("T")
UNFINISHED = ".unfinished"
POLL_SECONDS = 0.1

_under_construction: set[Path] = set()
_ending = threading.Event()

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
    "network-manager",
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

MAIL = ("cyrus-imapd", "isync")
"""For real mail: Debian's Cyrus, and a client that synchronizes mailboxes over IMAP (mbsync)."""

# bullseye's security archive names packages of Cyrus that its pool does not hold
SETUP = r"""mkdir -p "$1/etc/apt/preferences.d"
printf 'Package: src:cyrus-imapd\nPin: release n=bullseye-security\nPin-Priority: -1\n' > "$1/etc/apt/preferences.d/cyrus"
"""

CUSTOMIZE = r"""set -e
echo 'en_US.UTF-8 UTF-8' > "$1/etc/locale.gen"
chroot "$1" locale-gen
rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/machine-id "$1"/var/lib/dbus/machine-id
: > "$1/etc/machine-id"
ln -s /etc/machine-id "$1/var/lib/dbus/machine-id"
chroot "$1" systemctl mask systemd-networkd-wait-online.service NetworkManager-wait-online.service apt-daily.timer apt-daily-upgrade.timer
chroot "$1" systemctl disable NetworkManager.service
"""


def base(release: str, tell: Callable[[str], None], more: Sequence[str] = ()) -> Path:
    """The image of a Debian release, built if it is not there yet; takes about two minutes then."""
    if release not in RELEASES:
        raise InputError(f"{release!r} is not one of {', '.join(RELEASES)}")
    packages = [*PACKAGES, *more]
    recipe = hashlib.sha256("\n".join([*packages, CUSTOMIZE]).encode()).hexdigest()[:12]
    return cached(f"base-{release}-{recipe}", lambda place: _build(release, packages, place, tell))


def cached(name: str, build: Callable[[Path], None]) -> Path:
    """The folder of this name in the cache. What a break leaves half built is ended and thrown away."""
    place, unfinished = CACHE / name, CACHE / f"{name}{UNFINISHED}"
    with locked(name):
        if not place.exists():
            leftovers.clear(unfinished)
            unfinished.mkdir()
            _under_construction.add(unfinished)
            try:
                build(unfinished)
                unfinished.rename(place)
            except BaseException:
                leftovers.clear(unfinished)
                raise
            finally:
                _under_construction.discard(unfinished)
    return place


def side_by_side(build: Callable[[str], T], names: Iterable[str]) -> dict[str, T]:
    """Build for all names at once. Where this process is to end, the builds are ended and leave nothing."""
    with ThreadPoolExecutor() as pool:
        tasks = {name: pool.submit(build, name) for name in names}
        try:
            return {name: task.result() for name, task in tasks.items()}
        except (KeyboardInterrupt, SystemExit):
            _ending.set()
            while wait(tasks.values(), POLL_SECONDS).not_done:
                for place in list(_under_construction):
                    leftovers.strike(place)
            raise


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let one process at a time build what has this name; the lock ends with the process."""
    with lock(name) as held:
        while not held():
            if _ending.is_set():
                raise BmnbError(f"{name} is not waited for any more")
            time.sleep(POLL_SECONDS)
        yield


@contextmanager
def lock(name: str) -> Iterator[Callable[[], bool]]:
    """What tries to take the lock, and tells whether it is held."""
    CACHE.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(CACHE / f"{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)

    def held() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    try:
        yield held
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
        f"--setup-hook={SETUP}",
        f"--customize-hook={CUSTOMIZE}",
        release,
        place,
    )
    tell(f"image of Debian {release} built")
