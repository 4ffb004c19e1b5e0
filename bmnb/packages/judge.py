"""How what the servers tell of their packages reads, the same for both families."""

from __future__ import annotations

import re

from bmnb.packages.tool import INSTALLED, Tool
from bmnb.steps import Result, Verdict

SPACE_FACTOR = 3
SPARE_BYTES = 256 * 2**20
"""What is fetched lies in the cache, unpacked, and beside what it replaces for a while."""

CODENAMES = (
    *("jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky"),
    *("trusty", "xenial", "bionic", "focal", "jammy", "noble"),
)
ALIASES = ("oldoldstable", "oldstable", "stable", "testing", "unstable", "sid", "devel")


WHOLE = ("installed", "triggers-awaited", "triggers-pending")
"""What dpkg calls a package that is configured; that another one's trigger waits does not make it less so."""


def installed(listed: Result) -> dict[str, str]:
    """Name and version of BlueMind's packages that are installed."""
    return {
        name: version
        for status, name, version in _fields(listed, 3)
        if status in WHOLE and name.startswith("bm-")
    }


def own_version(packages: dict[str, str]) -> str:
    """The version of BlueMind itself; packages of others' software, such as bm-nginx, have their own."""
    return next(
        (packages[name] for name in ("bm-core", "bm-node", "bm-conf") if name in packages),
        "",
    )


def same_version(*servers: Result) -> Verdict:
    """Every server has BlueMind, and no package differs between two of them."""
    found = {one.host: installed(one) for one in servers}
    without = [host for host, packages in found.items() if not own_version(packages)]
    if without:
        return Verdict(False, f"no bm-* package on {', '.join(without)}")
    wrong = [
        f"{name}: "
        + ", ".join(f"{packages[name]} on {host}" for host, packages in found.items() if name in packages)
        for name in sorted({name for packages in found.values() for name in packages})
        if len({packages[name] for packages in found.values() if name in packages}) > 1
    ]
    versions = sorted({own_version(packages) for packages in found.values()})
    if len(versions) > 1 and not wrong:
        wrong = [", ".join(f"{own_version(packages)} on {host}" for host, packages in found.items())]
    items = tuple({"differs": one} for one in wrong)
    return Verdict(not wrong, "; ".join(wrong) or f"{versions[0]} on {len(found)} servers", items)


def as_saved(*servers: Result) -> Verdict:
    """Given what differs between the packages from before and now: only new ones may have come."""
    wrong = [
        f"{one.host}: {line.split()[2]} was {line.split()[3]}"
        for one in servers
        for line in one.stdout.splitlines()
        if line.startswith("< installed")
    ]
    unknown = [one.host for one in servers if one.exit not in (0, 1)]
    if unknown:
        return Verdict(False, f"nothing was noted on {', '.join(unknown)}")
    return Verdict(not wrong, "; ".join(wrong) or "as before")


def known_distribution(tool: Tool, *servers: Result) -> Verdict:
    """os-release names a distribution of the tool's family, and the tool is there."""
    wrong, seen = [], []
    for one in servers:
        told = dict(line.split("=", 1) for line in one.stdout.splitlines() if "=" in line)
        told = {key: value.strip("\"'") for key, value in told.items()}
        names = [told.get("ID", "unknown"), *told.get("ID_LIKE", "").split()]
        seen.append(told.get("PRETTY_NAME", names[0]))
        if not set(names) & set(tool.distributions):
            wrong.append(f"{one.host}: {seen[-1]} is not one that {tool.name} is for")
        elif not told.get("tool"):
            wrong.append(f"{one.host}: no {tool.name}")
    return Verdict(not wrong, "; ".join(wrong) or ", ".join(dict.fromkeys(seen)))


def distribution(tool: Tool) -> str:
    """A line that prints os-release, and where the tool is."""
    return f'cat /etc/os-release; echo "tool=$(command -v {tool.name})"'


def same_release(*servers: Result) -> Verdict:
    """No package source names another release of the distribution than the one that runs."""
    wrong = [f"{one.host}: {text}" for one in servers for text in _drifts(one)]
    running = [one.stdout.split("\n")[0].removeprefix("running ") for one in servers]
    return Verdict(not wrong and all(running), "; ".join(wrong) or ", ".join(dict.fromkeys(running)))


def _drifts(told: Result) -> list[str]:
    rows = [line.split() for line in told.stdout.splitlines()]
    running = next((row[1] for row in rows if row[0] == "running" and len(row) == 2), "")
    # a mirror is told by what it says of itself, or by its having the release that runs
    own = {row[1].rstrip("/") for row in rows if row[0] == "own"}
    own |= {
        row[1].rstrip("/") for row in rows if row[0] == "source" and row[2] == running and _is_mirror(row[1])
    }
    found = []
    for row in rows:
        of_the_distribution = row[0] == "source" and (
            row[1].rstrip("/") in own or re.search(DISTRIBUTORS, row[1])
        )
        if of_the_distribution and _leads_away(row[2], running):
            found.append(f"{row[1]} is for {row[2]}, {running} runs")
        if row[0] == "releasever" and row[1] != running:
            found.append(f"releasever is {row[1]}, {running} runs")
        if row[0] == "release" and _major(row[2]) and _major(row[1]) != _major(row[2]):
            found.append(f"the release's own package would go from {row[1]} to {row[2]}")
    return list(dict.fromkeys(found))


DISTRIBUTORS = r"^[a-z+]+://([^/]+\.)?(debian\.org|ubuntu\.com)(:[0-9]+)?(/|$)"
"""Others' repositories have suites of any name, and do not bring another release."""


def _is_mirror(uri: str) -> bool:
    return re.search(r"/(debian|ubuntu)(-security)?/?$", uri) is not None


def _leads_away(suite: str, running: str) -> bool:
    base = re.split(r"[-/]", suite)[0]
    return base in ALIASES or (base in CODENAMES and base != running)


def _major(version: str) -> str:
    return version.partition(".")[0] if version[:1].isdigit() else ""


def nothing_held(*servers: Result) -> Verdict:
    held = [f"{name} on {one.host}" for one in servers for (name,) in _fields(one, 1) if "bm-" in name]
    return Verdict(not held, ", ".join(held) or "none")


def nothing_broken(*servers: Result) -> Verdict:
    broken = [f"{name} on {one.host}" for one in servers for (name,) in _fields(one, 1)]
    return Verdict(not broken, ", ".join(broken) or "none")


def still_broken(*servers: Result) -> Verdict:
    """Always holds: what is none of BlueMind's does not keep it from its former version, and is told."""
    found = nothing_broken(*servers)
    return Verdict(True, found.seen if found.holds else f"left half installed: {found.seen}")


def verified(*servers: Result) -> Verdict:
    """The repository answers, is signed by a key that is known and valid, and is not too old."""
    wrong = [f"{one.host}: {_complaint(one)}" for one in servers if _complaint(one)]
    common = [one.host for one in servers if IN_COMMON_KEYRING in one.stdout]
    told = (
        f"; its key is trusted for all repositories on {', '.join(common)}: see import_key" if common else ""
    )
    return Verdict(not wrong, "; ".join(wrong) or f"verified from {len(servers)} servers{told}")


def readable(*servers: Result) -> Verdict:
    """Each package source answers; what apt merely warns of is its publisher's matter."""
    unknown = [one.host for one in servers if one.exit not in (0, 1)]
    if unknown:
        return Verdict(False, f"nobody was asked on {', '.join(unknown)}")
    wrong = [f"{one.host}: {cause}" for one in servers for cause in _causes(one.stdout.splitlines())]
    return Verdict(not wrong, "; ".join(wrong) or "yes")


def _causes(lines: list[str]) -> list[str]:
    """Why sources do not answer; of one whose signature is invalid apt says that as a warning."""
    errors = [line for line in lines if re.match(r"(E|Error|Err:[0-9]+):? ", line)]
    failed = [line.split()[1] for line in errors if line.startswith("Err") and len(line.split()) > 1]
    told = [line for line in lines if re.match("[EW]: ", line) and not line.startswith(CONSEQUENCES)]
    causes = [line for line in told if line.startswith("E: ") or any(uri in line for uri in failed)]
    return list(dict.fromkeys(causes or [line for line in errors if not line.startswith(CONSEQUENCES)]))


CONSEQUENCES = ("E: Some index files failed", "E: The repository ")
"""What apt says after the cause."""

IN_COMMON_KEYRING = "stored in legacy trusted.gpg keyring"
"""apt's warning of a key that `apt-key add` has brought; it is as valid as any."""


def _complaint(told: Result) -> str:
    lines = told.stdout.strip().splitlines()
    bad = [line for line in lines if not line.startswith(("Hit", "Get")) and IN_COMMON_KEYRING not in line]
    if bad or not lines:
        # apt says the cause as a warning, or of the file, before what comes of it
        causes = [line for line in bad if re.match(r"[EW]: ", line)] or bad
        return (
            " | ".join(dict.fromkeys(causes[:3]))
            if causes
            else told.stderr.strip() or "the repository was not asked"
        )
    return ""


Upgrade = tuple[str, str, str]


def upgrades(listed: Result) -> list[Upgrade]:
    """(name, installed, candidate) of each package that would be upgraded."""
    return [(name, old, new) for name, old, new in _fields(listed, 3)]


def is_bluemind(name: str) -> bool:
    return name.startswith("bm-")


def is_kernel(name: str) -> bool:
    return re.match(r"(linux-(image|headers)|kernel)", name) is not None


def listed_apart(*servers: Result) -> Verdict:
    """What comes, BlueMind's packages apart from the kernel and from all others."""
    items = tuple(
        {"server": one.host, "kind": kind(name, new), "package": name, "installed": old, "new": new}
        for one in servers
        for name, old, new in sorted(
            upgrades(one), key=lambda row: (KINDS.index(kind(row[0], row[2])), row[0])
        )
    )
    counts = [
        f"{one.host}: " + ", ".join(f"{kinds.count(name)} {name}" for name in KINDS if name in kinds)
        for one in servers
        for kinds in [[item["kind"] for item in items if item["server"] == one.host]]
    ]
    return Verdict(True, "; ".join(counts), items)


KINDS = ("BlueMind", "kernel, from the next restart on", "other", "removed")


def kind(package: str, new: str) -> str:
    if is_removal(new):
        return KINDS[3]
    return KINDS[0] if is_bluemind(package) else KINDS[1] if is_kernel(package) else KINDS[2]


def is_removal(new: str) -> bool:
    return new == "-"


def nothing_removed(*servers: Result) -> Verdict:
    """What would be removed is named one by one, for a person to accept.

    That the oldest kernel makes room for a new one of its name is RedHat's way with each of them.
    """
    items = tuple(
        {"server": one.host, "package": name, "installed": old}
        for one in servers
        for comes in [_coming(one)]
        for name, old, new in upgrades(one)
        if is_removal(new) and not (is_kernel(name) and name in comes)
    )
    told = ", ".join(f"{item['package']} on {item['server']}" for item in items)
    return Verdict(not items, f"would be removed: {told}" if items else "none", items)


def candidates(*servers: Result) -> Verdict:
    """BlueMind has an update to the same version on every server, but for those that have it already."""
    found = {one.host: own_version(_coming(one)) for one in servers}
    for one in servers:
        there = own_version(installed(Result(one.host, "", 0, one.stdout.partition(NOW)[2])))
        if not found[one.host] and there in found.values():
            found[one.host] = there
    without = [host for host, version in found.items() if not version]
    if without:
        return Verdict(False, f"nothing newer for {', '.join(without)}")
    versions = set(found.values())
    told = ", ".join(f"{version} for {host}" for host, version in found.items())
    return Verdict(
        len(versions) == 1, told if len(versions) > 1 else f"{versions.pop()} for {len(found)} servers"
    )


NOW = "-- now\n"


def with_installed(line: str) -> str:
    """A line that prints what another one does, and what is installed."""
    return one_and_other(line, INSTALLED)


def one_and_other(line: str, other: str) -> str:
    return f"({line}) || exit; echo -- now; {other}"


def _coming(listed: Result) -> dict[str, str]:
    before = Result(listed.host, "", listed.exit, listed.stdout.partition(NOW)[0])
    return {name: new for name, _, new in upgrades(before) if not is_removal(new)}


def none_left(*servers: Result) -> Verdict:
    left = [f"{name} on {one.host}" for one in servers for name in _coming(one) if is_bluemind(name)]
    return Verdict(not left, ", ".join(left) or "none")


def none_left_out(*servers: Result) -> Verdict:
    """Given what is newer, and behind that what an upgrade takes: nothing of BlueMind stays behind."""
    left = []
    for one in servers:
        newer, _, taken = one.stdout.partition(NOW)
        comes = _coming(Result(one.host, "", 0, taken))
        left += [
            f"{name} on {one.host}"
            for name in _coming(Result(one.host, "", one.exit, newer))
            if is_bluemind(name) and name not in comes
        ]
    return Verdict(not left, ", ".join(left) or "none")


def same_candidates(*servers: Result) -> Verdict:
    """Given what differs between then and now, and what is installed: nothing else comes, and nothing else goes.

    What has been updated to just that meanwhile is done.
    """
    wrong = []
    for one in servers:
        differing, _, now = one.stdout.partition(NOW)
        have = installed(Result(one.host, "", 0, now))
        rows = [line.split() for line in differing.splitlines() if line.startswith((">", "<"))]
        moved = {
            row[1]
            for row in rows
            if len(row) == 4
            and (is_bluemind(row[1]) or (row[0] == ">" and is_removal(row[3])))
            and not (row[0] == "<" and _is(have.get(row[1], ""), row[3]))
        }
        wrong += [f"{one.host}: {name}" for name in sorted(moved)]
    unknown = [one.host for one in servers if one.exit not in (0, 1)]
    if unknown:
        return Verdict(False, f"nothing was noted on {', '.join(unknown)}")
    return Verdict(not wrong, "; ".join(wrong) or "as downloaded")


def _is(version: str, candidate: str) -> bool:
    """rpm's candidates have the release behind the version."""
    return bool(version) and (candidate == version or candidate.startswith(f"{version}-"))


def space(tool: Tool) -> str:
    """A line that prints the bytes to fetch, then MOUNT and free bytes of what they need."""
    return (
        f'echo "fetch $({tool.size})"; for path in {tool.cache} /usr /var; do mkdir -p $path; '
        'df -B1 --output=target,avail "$path" | tail -n 1; done | sort -u'
    )


def enough_space(*servers: Result) -> Verdict:
    wrong, fetched = [], 0
    for one in servers:
        rows = dict(_fields(one, 2))
        fetch = int(rows.pop("fetch"))
        fetched = max(fetched, fetch)
        need = SPACE_FACTOR * fetch + SPARE_BYTES
        wrong += [
            f"{mount} on {one.host} needs {need / 1e6:,.0f} MB, has {int(free) / 1e6:,.0f} MB"
            for mount, free in rows.items()
            if int(free) < need
        ]
    return Verdict(not wrong, "; ".join(wrong) or f"{fetched / 1e6:,.0f} MB come, there is room")


def _fields(told: Result, number: int) -> list[list[str]]:
    """The lines with so many words. Raise ValueError where the packages could not be asked; grep finds none with 1."""
    if told.exit not in (0, 1):
        raise ValueError(f"exit status {told.exit} on {told.host}")
    rows = [line.split() for line in told.stdout.splitlines()]
    return [row for row in rows if len(row) == number]
