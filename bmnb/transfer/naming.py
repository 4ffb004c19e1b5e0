"""Files that the origin's configuration names: carried with it, the same on the target, or told before the downtime."""

from __future__ import annotations

import json
from collections.abc import Sequence
from shlex import quote

from bmnb.bluemind.paths import ADDED_CONFIGURATION, CONFIGURATION
from bmnb.steps import Result, Verdict
from bmnb.transfer import access
from bmnb.transfer.asking import named
from bmnb.transfer.placing import inline

ON_THE_TARGET = {
    named.FOLDER: "a folder, which is not carried",
    named.INDEX: "without the text that it was made of",
}
"""What is said of what is named and can't be carried."""


def _copied(added: bool) -> list[str]:
    return [*CONFIGURATION, *(ADDED_CONFIGURATION if added else ())]


def there(trees: Sequence[str], added: bool) -> str:
    return inline(named, "there", *trees, "--", *_copied(added))


def here() -> str:
    return inline(named, "here")


def all_come(added: bool, origin: Result, target: Result) -> Verdict:
    """What is below /etc/postfix is carried with the `added` files; all else must be the same on the target."""
    for one in (origin, target):
        if not one.ok or not one.stdout:
            return Verdict(False, one.stderr.strip() or "nothing was told of the files")
    theirs, ours = json.loads(origin.stdout), json.loads(target.stdout)
    items, wrong = [], []
    for one in theirs["named"]:
        sums = [side["sums"].get(one["item"]) for side in (theirs, ours)]
        if added and one["what"] == named.CARRIED:
            items.append(one)
        elif one["what"] in ON_THE_TARGET:
            wrong.append({**one, "what": ON_THE_TARGET[one["what"]]})
        elif sums[0] != sums[1]:
            wrong.append(
                {**one, "what": "other content on the target" if sums[1] else "missing on the target"}
            )
    wrong += [
        {
            "item": sort,
            "named in": "/etc/postfix/main.cf",
            "what": "a type of map that the target's Postfix lacks",
        }
        for sort in theirs["types"]
        if sort not in ours["types"]
    ]
    if wrong:
        shown = "; ".join(f"{one['item']}: {one['what']}" for one in wrong[:5])
        return Verdict(False, f"{len(wrong)} that are named are not there: {shown}", tuple(wrong))
    return Verdict(True, f"{len(items)} files that are named are carried", tuple(items))


def list_there(added: bool) -> str:
    """A line for the origin that lists the files below /etc/postfix that are named and are not copied otherwise."""
    return inline(named, "postfix", *_copied(added))


READ_THERE = f"{named.POSTFIX}/"
"""The path by which rsync reads them on the origin."""


def listed(folder: str) -> str:
    return f"{folder}/named"


def copy(folder: str, origin: str, added: bool) -> str:
    """A line for the target that copies them, with links as what they lead to; nothing may differ then."""
    names, ssh = listed(folder), access.ssh(folder)
    rsync = (
        f"rsync -aAX --copy-links --from0 --files-from={names} -e {quote(ssh)} "
        f"root@{origin}:{READ_THERE} {named.POSTFIX}/"
    )
    return f"""umask 077; {ssh} root@{origin} {quote(list_there(added))} > {names} || exit
[ -s {names} ] || exit 0
{rsync} --ignore-times && differing=$({rsync} --checksum --dry-run --out-format=%n) || exit
[ -z "$differing" ] || {{ echo "$differing" >&2; exit 1; }}"""


def remove(folder: str) -> str:
    """A line that removes what was copied."""
    names = listed(folder)
    return f"[ ! -s {names} ] || ( cd {named.POSTFIX} && xargs -0 rm -f -- < {names} )"


KEEP_PACKAGED = f"""for name in {" ".join(named.PACKAGED)}; do
  value=$(postconf -hx $name) || continue
  case $value in /*) [ -e "$value" ] || postconf -X $name || exit ;; esac
done"""
"""A line by which the copied main.cf names no folders of Postfix that only another distribution has."""

INDEXED = "|".join(named.INDEXED)

# grep ends with 1 where it finds nothing
MAKE_MAPS = f"""named=$(postconf -nx) || exit
for map in $(grep -oE '({INDEXED}):{named.POSTFIX}/[^ ,]+' <<< "$named" | sort -u); do
  [ ! -f "${{map#*:}}" ] || postmap "$map" || exit
done"""
"""A line that makes the maps that are named of their texts, in this server's format; those of BlueMind have other texts."""

READ = "|".join((*named.INDEXED, "texthash", "regexp", "pcre", "cidr"))

TRY_MAPS = f"""named=$(postconf -nx) || exit
named=$(grep -vE '^(address_verify_map|[a-z_]*cache[a-z_]*) *=' <<< "$named")
for map in $(grep -oE '\\b({READ}):/[^ ,}}]+' <<< "$named" | sort -u); do
  said=$(postmap -q bmnb-asks "$map" 2>&1 > /dev/null); [ -z "$said" ] || echo "$map" $said
done"""
"""A line that says which of the maps in files can't be read, and why; caches are made by Postfix itself."""


def can_be_read(origin: Result, target: Result) -> Verdict:
    """What the origin can't read either is left as it is."""
    theirs, ours = (dict(line.split(" ", 1) for line in one.stdout.splitlines()) for one in (origin, target))
    wrong = tuple({"item": name, "why": why} for name, why in ours.items() if name not in theirs)
    if not target.ok:
        return Verdict(False, target.stderr.strip())
    return Verdict(not wrong, "; ".join(one["why"] for one in wrong[:5]) or "every map can be read", wrong)
