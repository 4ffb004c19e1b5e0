"""The stand-in's bm-* packages: real ones for dpkg, with nothing in them."""

from __future__ import annotations

import shutil
from pathlib import Path

from bmnb.lab.host import call

VERSIONS = {"4.9": "4.9.3884", "5.1": "5.1.8120"}

COMMON = (
    "bm-cli",
    "bm-client-access",
    "bm-conf",
    "bm-core",
    "bm-elasticsearch",
    "bm-full",
    "bm-node",
    "bm-plugin-cli-setup",
    "bm-plugin-core-subscription",
    "bm-postfix",
    "bm-postgresql",
    "bm-setup-wizard",
    "bm-webserver",
)
PACKAGES = {"4.9": (*COMMON, "bm-cyrus", "bm-hps", "bm-lmtpd"), "5.1": (*COMMON, "bm-keycloak")}


def build(root: Path, name: str, version: str) -> None:
    """Make a package in the server's local repository."""
    repository = root / "var/spool/bluemind-pkgs"
    tree = repository / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: bmnb <bmnb@example.org>\n"
        f"Description: stand-in of {name} for rehearsal; it is not BlueMind\n"
    )
    call("dpkg-deb", "--build", tree, repository / f"{name}_{version}_all.deb")
    shutil.rmtree(tree)
