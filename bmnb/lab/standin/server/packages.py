"""The stand-in's bm-* packages: real ones of either family, with the visible effects of BlueMind's scripts."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from . import major
from .here import facts, redhat, variant
from .variants import ROLES, Variant, successor_of

LOCAL = Path("/var/spool/bluemind-pkgs")
"""Where an installation without subscription has its repository."""

RESTARTS = {
    **{name: name for name in ("bm-core", "bm-lmtpd", "bm-mapi", "bm-milter", "bm-node", "bm-tika")},
    **{"bm-webserver": "bm-webserver", "bm-ysnp": "bm-ysnp", "bm-cyrus": "bm-cyrus-imapd"},
}
"""Packages whose update restarts a service."""

NGINX = """rm -f /etc/nginx/sites-enabled/*
/usr/share/bm-client-access/bin/configure-nginx.sh
systemctl restart nginx
"""
WEBMAIL = """echo '# webmail is part of bm-client-access in the stand-in' > /etc/nginx/sites-available/bm-webmail
ln -sfn ../sites-available/bm-webmail /etc/nginx/sites-enabled/bm-webmail
"""
MEMORY = "/etc/bm/default/bm-core.ini"
MEBIBYTES = {"bm-core": 16, "bm-webserver": 12, "bm-node": 8, "bm-client-access": 4, "bm-cyrus": 4}
"""What a newer package brings, so that fetching it takes a while."""


REPLACING = ("Conflicts", "Replaces")
"""By both of them a package takes another one's place, and is not kept back for it."""


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    needs: tuple[str, ...] = ()
    configuration: dict[str, str] = field(default_factory=dict)
    script: str = ""
    mebibytes: int = 0
    conflicts: tuple[str, ...] = ()


def packages(version: str) -> list[Package]:
    """All packages of a release; those of the newer one have scripts, size and another default."""
    own = variant()
    after = successor_of(own)
    found = after.packages if after and version == after.version else own.packages_of(version)
    return [_package(own, name, found, version) for name in found]


def _package(own: Variant, name: str, found: dict[str, str], release: str) -> Package:
    newer = release != own.version
    needs = [f"{one} (= {version})" for one, version in found.items() if one != name]
    script = f"systemctl restart {RESTARTS[name]}\n" if name in RESTARTS else ""
    script = {"bm-client-access": NGINX, "bm-webmail": WEBMAIL}.get(name, script)
    return Package(
        name,
        found[name],
        # bm-full depends on exact versions of all others, as BlueMind's does
        (tuple(needs) if name == "bm-full" else ("bm-client-access",) if name == "bm-webmail" else ())
        + major.needs(own, name, release),
        {MEMORY: f"MEM={1500 if newer else 1000}\n"} if name == "bm-core" else {},
        (script if newer else "") + major.script(own, name, release),
        MEBIBYTES.get(name, 0) if newer else 0,
        major.conflicts(own, name, release),
    )


def build_deb(package: Package, place: Path) -> None:
    """Build a package of Debian's family."""
    tree = place / package.name
    meta = tree / "DEBIAN"
    meta.mkdir(parents=True)
    (meta / "control").write_text(
        f"Package: {package.name}\nVersion: {package.version}\nArchitecture: all\n"
        + (f"Depends: {', '.join(package.needs)}\n" if package.needs else "")
        + "".join(f"{kind}: {', '.join(package.conflicts)}\n" for kind in REPLACING if package.conflicts)
        + "Maintainer: bmnb <bmnb@example.org>\n"
        + f"Description: stand-in of {package.name} for rehearsal; it is not BlueMind\n"
    )
    _fill(package, tree)
    if package.configuration:
        (meta / "conffiles").write_text("".join(f"{path}\n" for path in package.configuration))
    if package.script:
        script = meta / "postinst"
        script.write_text(f'#!/bin/sh\nset -e\n[ "$1" = configure ] || exit 0\n{package.script}')
        script.chmod(0o755)
    _run("dpkg-deb", "-Zgzip", "--root-owner-group", "--build", str(tree), str(place))
    _run("rm", "-r", str(tree))


def build_rpm(package: Package, place: Path) -> None:
    """Build a package of RedHat's family."""
    epoch, number, release = re.fullmatch(r"(?:(\d+):)?([^-]+)(?:-(.+))?", package.version).groups()  # type: ignore[union-attr]
    tree = place / "root"
    _fill(package, tree)
    files = [f"/{path.relative_to(tree)}" for path in sorted(tree.rglob("*")) if path.is_file()]
    needs = [re.sub(r" \(= (?:\d+:)?([^-)]+).*", r" = \1", one) for one in package.needs]
    spec = place / "package.spec"
    spec.write_text(
        f"Name: {package.name}\nVersion: {number}\nRelease: {release or 1}\n"
        + (f"Epoch: {epoch}\n" if epoch else "")
        + "".join(f"Requires: {one}\n" for one in needs if "bm-elasticsearch" not in one)
        + f"Summary: stand-in of {package.name} for rehearsal\nLicense: Apache-2.0\nBuildArch: noarch\n"
        + "AutoReqProv: no\n%description\nIt is not BlueMind.\n"
        + f"%install\nmkdir -p %{{buildroot}}\n[ ! -d {tree} ] || cp -a {tree}/. %{{buildroot}}/\n"
        + (f"%post\nset -e\n{package.script}" if package.script else "")
        + "%files\n"
        + "".join(
            f"{'%config(noreplace) ' if path in package.configuration else ''}{path}\n" for path in files
        )
    )
    define = ["--define", f"_topdir {place}/build", "--define", f"_rpmdir {place}"]
    payload = ["--define", "_binary_payload w0.gzdio", "--define", "_rpmfilename %%{NAME}-%%{VERSION}.rpm"]
    _run("rpmbuild", "-bb", "--quiet", *define, *payload, str(spec))
    _run("rm", "-rf", str(tree), str(spec), f"{place}/build")


def _fill(package: Package, tree: Path) -> None:
    for path, text in package.configuration.items():
        (tree / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tree / path[1:]).write_text(text)
    if package.mebibytes:
        payload = tree / f"usr/share/{package.name}/stand-in.bin"
        payload.parent.mkdir(parents=True, exist_ok=True)
        payload.write_bytes(os.urandom(package.mebibytes << 20))


def build_base(place: Path) -> None:
    """What packages of RedHat's family find on every system: a shell, and which release it is."""
    spec = place / "base.spec"
    spec.write_text(
        "Name: standin-release\nVersion: 9.4\nRelease: 1\nSummary: stand-in of a distribution's release\n"
        "License: Apache-2.0\nBuildArch: noarch\nAutoReqProv: no\nProvides: /bin/sh\n"
        "Provides: system-release = 9.4\nProvides: system-release(releasever) = 9\n%description\nFor rehearsal.\n%files\n"
    )
    _run(
        "rpmbuild",
        "-bb",
        "--quiet",
        "--define",
        f"_topdir {place}/build",
        "--define",
        f"_rpmdir {place}",
        str(spec),
    )


def install() -> None:
    """Build this server's packages in its local repository, and install them."""
    LOCAL.mkdir(parents=True, exist_ok=True)
    wanted = ROLES[facts()["role"]][1] if facts()["role"] in ROLES else tuple(variant().packages)
    for package in packages(variant().version):
        if package.name in wanted:
            (build_rpm if redhat() else build_deb)(package, LOCAL)
    if redhat():
        build_base(LOCAL)
        _run("sh", "-c", f"rpm --install $(find {LOCAL} -name '*.rpm')")
    else:
        _run("sh", "-c", f"dpkg --install {LOCAL}/*.deb")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    install()
