"""PostgreSQL's own tests, from Debian's source package: databases that nobody here wrote."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

from bmnb.lab.host import call
from bmnb.lab.images import cached

MIRROR = "http://deb.debian.org/debian"
TESTS = "/src/test/regress/"


def regression_tests(release: str, version: str, tell: Callable[[str], None]) -> Path:
    """The folder of PostgreSQL's regression tests of a Debian release; fetched once, some 20 MB."""
    return cached(
        f"tests-postgresql-{version}-{release}", lambda place: _fetch(release, version, place, tell)
    )


def _fetch(release: str, version: str, place: Path, tell: Callable[[str], None]) -> None:
    tell(f"fetching the tests of PostgreSQL {version}, once")
    state = place / "apt"
    for folder in ("lists/partial", "archives/partial"):
        (state / folder).mkdir(parents=True)
    (state / "sources.list").write_text(f"deb-src {MIRROR} {release} main\n")
    options = (
        f"Dir::Etc::sourcelist={state}/sources.list",
        "Dir::Etc::sourceparts=-",
        f"Dir::State={state}",
        f"Dir::Cache={state}",
        "APT::Sandbox::User=root",
    )
    apt: list[str | Path] = ["env", "-C", place, "apt-get", "--quiet", *(f"-o{one}" for one in options)]
    call(*apt, "update")
    call(*apt, "source", "--download-only", f"postgresql-{version}")
    (archive,) = place.glob("*.orig.tar.*")
    with tarfile.open(archive) as packed:
        for member in packed:
            _, found, name = member.name.partition(TESTS)
            if found and name and member.isreg():
                path = place / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(packed.extractfile(member).read())  # type: ignore[union-attr]
    for path in (archive, *place.glob("*.dsc"), *place.glob("*.debian.tar.*")):
        path.unlink()
