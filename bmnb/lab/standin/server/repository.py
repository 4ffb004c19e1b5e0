"""The server of repositories, for rehearsal: two versions of the bm-* packages for both families, and an
operating system's own for Debian. It is not BlueMind's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from .here import facts, successor, variant
from .packages import Package, build_deb, build_rpm, packages

ROOT = Path("/var/www/repository")
KEY = "bluemind-deb.asc"
OWNER = "BlueMind stand-in, for rehearsal <packages@example.org>"
BYTES_A_SECOND = "4m"
OUTSIDE = "outside.example"

SITE = f"""server {{
  listen 80;
  root {ROOT};
  limit_rate {BYTES_A_SECOND};
}}
"""
OF_THE_SYSTEM = {"linux-image-standin": ("6.1.1", "6.1.2"), "tool-standin": ("1.0", "1.1")}
"""A kernel and another package, as a distribution has them: the version installed, and a newer one."""


def set_up() -> None:
    """Build and sign everything, serve it, and take mail for addresses outside the platform."""
    ROOT.mkdir(parents=True)
    _make_key()
    for version in dict.fromkeys((variant().version, variant().newer)):
        publish_debian(packages(version), ROOT / "debian" / version)
        publish_redhat(packages(version), ROOT / "redhat" / version)
    if next_major := successor():
        publish_debian(packages(next_major.version), ROOT / "debian" / next_major.version)
    _publish_system(ROOT / "os")
    Path("/etc/nginx/sites-enabled/default").write_text(SITE)
    subprocess.run(["systemctl", "restart", "nginx"], check=True)
    mail = [
        f"mydestination = {OUTSIDE}",
        "local_recipient_maps =",
        "luser_relay = root",
        "inet_protocols = ipv4",
    ]
    subprocess.run(["postconf", "-e", *mail, "inet_interfaces = all"], check=True)
    subprocess.run(["systemctl", "restart", "postfix"], check=True)


def publish_debian(found: Iterable[Package], place: Path) -> None:
    place.mkdir(parents=True)
    for package in found:
        build_deb(package, place)
    index(place)
    sign(place)


def publish_redhat(found: Iterable[Package], place: Path) -> None:
    place.mkdir(parents=True)
    for package in found:
        build_rpm(package, place)
    _shell(f"createrepo_c --quiet {place}")


def _publish_system(place: Path) -> None:
    """A repository with the layout of a distribution's own."""
    release = facts()["release"]
    binary = place / f"dists/{release}/main/binary-amd64"
    (place / "pool").mkdir(parents=True)
    binary.mkdir(parents=True)
    for name, (_, newer) in OF_THE_SYSTEM.items():
        build_deb(Package(name, newer), place / "pool")
    _shell(f"cd {place} && apt-ftparchive packages pool > {binary}/Packages")
    sign(place / f"dists/{release}", release)


def index(place: Path) -> None:
    _shell(f"cd {place} && apt-ftparchive packages . > Packages")


def sign(place: Path, suite: str = "standin", until: str = "") -> None:
    """Sign a repository; `until` is a date after which apt takes it for too old."""
    named = " ".join(
        f"-o 'APT::FTPArchive::Release::{key}={value}'"
        for key, value in (("Origin", "BlueMind stand-in"), ("Suite", suite), ("Codename", suite))
    )
    ends = f"sed -i 's/^Date: .*/&\\nValid-Until: {until}/' ../Release.new && " if until else ""
    _shell(
        f"cd {place} && rm -f Release InRelease && apt-ftparchive {named} release . > ../Release.new && {ends}"
        "mv ../Release.new Release && gpg --batch --yes --clearsign --output InRelease Release"
    )


def _make_key() -> None:
    make = ["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-generate-key"]
    subprocess.run([*make, OWNER, "rsa2048", "sign", "5y"], check=True, capture_output=True)
    _shell(f"gpg --batch --armor --export > {ROOT / KEY}")


def _shell(line: str) -> None:
    subprocess.run(["bash", "-o", "pipefail", "-c", line], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sign(ROOT / sys.argv[1], until=sys.argv[2])
