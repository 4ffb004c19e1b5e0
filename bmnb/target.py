"""Another machine than this one, for which wheels are downloaded: its platform and its Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""Older names of the same platforms (PEP 600)."""

SYSTEMS = {"macosx": ("darwin", "Darwin"), "manylinux": ("linux", "Linux"), "musllinux": ("linux", "Linux")}


class Target:
    """A wheel's platform such as manylinux_2_28_x86_64, and a version of Python; this machine's where they are empty."""

    def __init__(self, platform: str = "", python: str = "") -> None:
        self.platform, self.python = platform, python

    @property
    def options(self) -> list[str]:
        """pip's. It takes just the platforms that are named, though a system runs what was built for older ones, too."""
        return [
            *(word for one in platforms(self.platform) for word in ("--platform", one)),
            *(["--python-version", self.python] if self.python else []),
            *("--only-binary", ":all:"),  # nothing is built on a client's site
        ]

    @property
    def markers(self) -> dict[str, str]:
        """What the conditions of requirements are judged by; what is not given is this machine's."""
        found = {}
        if self.python:
            full = self.python if self.python.count(".") > 1 else f"{self.python}.0"
            found = {"python_version": ".".join(full.split(".")[:2]), "python_full_version": full}
        for kind, (name, system) in SYSTEMS.items():
            if self.platform.startswith(kind):
                machine = re.sub(r"^[a-z]+(2014|2010|1)?(_\d+_\d+)?_", "", self.platform)
                found |= {"sys_platform": name, "platform_system": system, "platform_machine": machine}
        return found

    def lacks(self, wheels: Path) -> Iterator[str]:
        """What the wheels of a folder need there and none of them is.

        pip judges conditions such as `python_version == "3.12"` by the Python it runs in, whatever it downloads for.
        """
        needed = {canonicalize_name(_headers(one)["Name"]): _headers(one) for one in wheels.glob("*.whl")}
        for headers in needed.values():
            for text in headers.get_all("Requires-Dist", []):
                one = Requirement(text)
                if canonicalize_name(one.name) in needed or "extra" in str(one.marker or ""):
                    continue
                if one.marker is None or one.marker.evaluate({**self.markers, "extra": ""}):
                    one.marker = None
                    yield str(one)


def platforms(tag: str) -> list[str]:
    """A platform, and the older ones whose wheels run there; pip itself knows those of macOS."""
    found = re.fullmatch(r"(manylinux|musllinux)_(\d+)_(\d+)_(\w+)", tag)
    if found is None:
        return [tag] if tag else []
    kind, major, minor, machine = found.groups()
    older = [f"{kind}_{major}_{number}_{machine}" for number in range(int(minor), -1, -1)]
    if kind == "manylinux":
        older += [f"{name}_{machine}" for number, name in LEGACY.items() if number <= int(minor)]
    return older


def _headers(wheel: Path) -> Message:
    with ZipFile(wheel) as packed:
        name = next(one for one in packed.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", one))
        return HeaderParser().parsestr(packed.read(name).decode())
