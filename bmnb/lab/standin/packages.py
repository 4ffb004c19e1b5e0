"""The stand-in's bm-* packages: real ones for dpkg, with nothing in them."""

from __future__ import annotations

from pathlib import Path

from bmnb.lab.host import call
from bmnb.lab.standin.server.variants import Variant

REPOSITORY = "var/spool/bluemind-pkgs"


def control(name: str, variant: Variant) -> str:
    """A package's control file; bm-full depends on exact versions of all others, as BlueMind's does."""
    needs = ", ".join(f"{one} (= {version})" for one, version in variant.packages.items() if one != name)
    return (
        f"Package: {name}\nVersion: {variant.packages[name]}\nArchitecture: all\n"
        + (f"Depends: {needs}\n" if name == "bm-full" else "")
        + "Maintainer: bmnb <bmnb@example.org>\n"
        + f"Description: stand-in of {name} for rehearsal; it is not BlueMind\n"
    )


def install(root: Path, variant: Variant) -> None:
    """Build the packages in the server's local repository and install them."""
    for name in variant.packages:
        tree = root / REPOSITORY / name
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(control(name, variant))
    script = (
        f"cd /{REPOSITORY} && for tree in *; do dpkg-deb --build $tree . && rm -r $tree || exit 1; done "
        "&& dpkg --install ./*.deb"
    )
    call("chroot", root, "sh", "-c", script)
