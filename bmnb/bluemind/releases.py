"""Releases of BlueMind: which are one major version, and what to mind between two of them.

Versions of packages are not the public names: 3.5 has 3.1.NNNNN, 4.0 to 4.8 have 4.1.NNNNN.
"""

from __future__ import annotations

import re
from typing import Any

from bmnb.packages.judge import own_version, upgrades
from bmnb.steps import Condition, Result, Verdict

INFOS = "http://127.0.0.1:8090/api/system/installation/_infos"
TO_MAJOR = (
    "this is a major upgrade: its repositories have other addresses, so the subscription has to be changed first; "
    "from 4 to 5 the procedure “Major update” leads (bmnb new major-update), for others BlueMind's own page applies"
)
NOT_BEFORE = (
    "this procedure leads from 4 to 5: from an older version, go to 4 first by BlueMind's own page; within 5, use the "
    "procedure “Updating BlueMind”"
)
NOT_OFFERED = "the repositories offer none of version 5: see that its subscription is installed on every server, then prepare again"


def major(version: str) -> str:
    """2, 3.0, 3.5, 4, 5: the part of a name or package version that an update does not change."""
    first, second, *_ = [*map(str, re.findall(r"\d+", re.sub(r"^\d+:", "", version))), "0", "0"]
    if first == "3":
        return "3.0" if second == "0" else "3.5"
    return first


def within_major(*servers: Result) -> Verdict:
    """Given what is upgradable on each server, whether BlueMind keeps its major version."""
    wrong = []
    for one in servers:
        found = upgrades(one)
        old, new = (own_version({row[0]: row[place] for row in found}) for place in (1, 2))
        if new and major(old) != major(new):
            wrong.append(f"{one.host}: from {old} ({major(old)}) to {new} ({major(new)})")
    return Verdict(not wrong, "; ".join(wrong) or "the major version stays")


def comes_to(wanted: str, *servers: Result) -> Verdict:
    """Given what is upgradable on each server, whether that leads to this major version."""
    found = {
        one.host: own_version({name: new for name, _, new in upgrades(one) if new != "-"}) for one in servers
    }
    wrong = [
        f"{host}: {new or 'nothing newer'}" for host, new in found.items() if not new or major(new) != wanted
    ]
    return Verdict(not wrong, "; ".join(wrong) or ", ".join(dict.fromkeys(found.values())))


def is_before(wanted: str, version: Any) -> Verdict:
    """Given the installed version as the API tells it, whether the wanted major version is the next one."""
    name = version.get("versionName") or version["softwareVersion"]
    return Verdict(major(name) == str(int(wanted) - 1), f"{name} is installed")


def leads_to(wanted: str, version: Any) -> Verdict:
    """Given the installed version as the API tells it, whether the wanted one is of the same major version."""
    name = version.get("versionName") or version["softwareVersion"]
    if wanted in ("", "latest", "current"):
        return Verdict(True, f"{name} is installed")
    return Verdict(major(name) == major(wanted), f"from {name} to {wanted}")


def installed_is(pattern: str, otherwise: str, core: str) -> Condition:
    """Holds where the core tells a public name like this one (extended regular expression)."""
    return Condition(
        core, f'curl -q -fsS --noproxy "*" {INFOS} | grep -qE \'"releaseName": *"({pattern})\'', otherwise
    )


def is_important(upgradable: str) -> str:
    """A line that holds where the first two numbers of BlueMind's version change, or cannot tell it: 4.0 to 4.8 are all 4.1."""
    return f"""comes=$({upgradable}) || exit 2
awk '$1 ~ /^bm-(core|node|conf)$/ && $3 != "-" {{
  split($2, old, "."); split($3, new, ".")
  if (old[1] != new[1] || old[2] + 0 != new[2] + 0 || (old[1] == 4 && old[2] + 0 == 1)) important = 1
}} END {{exit !important}}' <<< "$comes\""""


BEFORE_4_1 = r"3\.|4\.0"


def has_preparing(core: str) -> Condition:
    return Condition(
        core,
        f'! curl -q -fsS --noproxy "*" {INFOS} | grep -qE \'"releaseName": *"({BEFORE_4_1})\'',
        "before 4.1 there is nothing to prepare",
    )
