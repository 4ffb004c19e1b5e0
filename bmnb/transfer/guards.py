"""What must hold before a synchronization deletes anything, and while nothing may write any more."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from bmnb.bluemind.paths import QUEUES
from bmnb.steps import Result, Verdict
from bmnb.transfer import access

INSTALLATION = "/etc/bm/mcast.id"
"""BlueMind's installation id; it moves with the data, so from the copy of the configuration on both have it."""

SHRINKS = 0.7
SMALL = 500
"""A tree of the origin with fewer than this share of the target's files is suspicious, unless it is small."""


def remember(folder: str, role: str) -> str:
    """Remember once who this server is in this run: role, machine, installation."""
    return (
        f"umask 077; mkdir -p {folder}; test -f {folder}/identity || "
        f"echo {role} $(cat /etc/machine-id) $(cat {INSTALLATION}) > {folder}/identity"
    )


def identity(folder: str) -> str:
    """Print who this server was at first, and who it is now."""
    now = f"$(cat /etc/machine-id) $(cat {INSTALLATION})"
    return f'cut -d " " -f 1 {folder}/identity; cut -d " " -f 2-3 {folder}/identity; echo {now}'


def over_there(folder: str, origin: str, line: str) -> str:
    """The line as the target's root runs it on the origin, over this run's key."""
    return f"{access.ssh(folder)} root@{origin} {quote(line)}"


def same_servers(*seen: Result) -> Verdict:
    """Each answer holds the role, who the server was at first, and who it is now; the first and last are the origin's."""
    roles = ("origin", "target", "origin")
    wrong = []
    for role, one in zip(roles, seen, strict=True):
        lines = one.stdout.splitlines()
        if not one.ok or len(lines) != 3:
            wrong.append(f"{one.host}: {one.stderr.strip() or 'no answer'}")
        elif lines[0] != role or lines[2] not in (lines[1], _as_copied(role, lines[1], seen[0])):
            wrong.append(f"{one.host} was the {lines[0]} {lines[1]}, is now {lines[2]}")
    if not wrong and seen[0].stdout != seen[2].stdout:
        wrong.append("the target's root reaches another machine than the origin")
    return Verdict(not wrong, "; ".join(wrong) or "origin and target are those of the beginning")


def _as_copied(role: str, was: str, origin: Result) -> str:
    """Who the target is while the origin's configuration comes, and with it the installation id."""
    installation = origin.stdout.splitlines()[-1:]
    return (
        " ".join([was.split()[0], *installation[0].split()[1:]]) if role == "target" and installation else was
    )


def mark_trees(folder: str, trees: Sequence[str]) -> str:
    """Remember once, of each tree, which folder it is and what is mounted in it."""
    return f"""umask 077; mkdir -p {folder}; test -f {folder}/trees && exit 0
{{ {_marks(trees)}
}} > {folder}/trees.new && mv {folder}/trees.new {folder}/trees"""


def compare_trees(folder: str, trees: Sequence[str]) -> str:
    """Print what is no longer as it was remembered, and what is mounted since; a tree may have been made."""
    return f"""test -s {folder}/trees || {{ echo 'the trees were not marked' >&2; exit 1; }}
diff {folder}/trees <({_marks(trees)}) | sed -n 's/^< /was: /p; / mounted /s/^> /is: /p'"""


def _marks(trees: Sequence[str]) -> str:
    return f"""for tree in {" ".join(map(quote, trees))}; do
  [ ! -d "$tree" ] || echo "$tree folder $(stat -c %i "$tree/") $(readlink -f "$tree")"
  awk -v tree="$tree" -v at="$(readlink -m "$tree")/" 'index($5 "/", at) == 1 {{print tree, "mounted", $5}}' \\
    /proc/self/mountinfo | sort
done"""


def mounted_by_hand(trees: Sequence[str]) -> str:
    """Print what is mounted at, in or above a tree's place, and in no file that mounts it again; ZFS does so itself."""
    return f"""for tree in {" ".join(map(quote, trees))}; do
  awk -v at="$(readlink -m "$tree")/" '$5 != "/" && !/ - zfs / && (index($5 "/", at) == 1 || index(at, $5 "/") == 1) {{print $5}}' \\
    /proc/self/mountinfo
done | sort -u | while read -r place; do
  systemctl show -p FragmentPath "$(systemd-escape --path --suffix=mount "$place")" | grep -q '=/' || echo "$place"
done"""


def mounted_again(told: Result) -> Verdict:
    places = told.stdout.splitlines()
    if not told.ok:
        return Verdict(False, told.stderr.strip())
    return Verdict(not places, ", ".join(places) or "yes", tuple({"item": place} for place in places))


def sizes(trees: Sequence[str]) -> str:
    """Print each tree with its number of files and folders; 0 where it is absent."""
    return f"""for tree in {" ".join(map(quote, trees))}; do
  found=0; [ ! -d "$tree" ] || found=$(du -s --inodes "$tree/" | cut -f 1); echo "$tree $found"
done"""


def not_much_smaller(known: tuple[str, ...], origin: Result, target: Result) -> Verdict:
    """What the target has beyond the origin is deleted: that may not be much of a tree, but for those known."""
    if not (origin.ok and target.ok):
        return Verdict(False, (origin.stderr + target.stderr).strip())
    theirs, ours = _sizes(origin), _sizes(target)
    wrong = [
        f"{tree} has {theirs[tree]:,} entries on the origin, {ours[tree]:,} on the target"
        for tree in ours
        if tree not in known and ours[tree] > SMALL and theirs[tree] < SHRINKS * ours[tree]
    ]
    return Verdict(not wrong, "; ".join(wrong) or f"{sum(theirs.values()):,} entries on the origin")


def _sizes(counted: Result) -> dict[str, int]:
    return {tree: int(size) for tree, size in (line.rsplit(" ", 1) for line in counted.stdout.splitlines())}


def changed_since(mark: str, trees: Sequence[str]) -> str:
    """Print what was changed in the trees since the mark was set, some of it."""
    places = " ".join(map(quote, trees))
    return f"find -H $(ls -d {places} 2> /dev/null) -cnewer {mark} -print | head -n 20"


def unwritable(trees: Sequence[str], globs: Sequence[str]) -> str:
    """Print what root can't write in the trees and files: what is immutable (chattr +i), or mounted read-only."""
    places = " ".join((*map(quote, trees), *globs))
    return (
        f"find -H $(ls -d {places} 2> /dev/null) -ignore_readdir_race ! -type l ! -writable -print -prune "
        "| sed -n 1,20p"
    )


def queue() -> str:
    """Print the mail in Postfix's queues, without the reasons why it waits."""
    chosen = " ".join(name for name in QUEUES if name != "defer")
    return f"set -o pipefail; cd /var/spool/postfix && find {chosen} -type f -printf '%f %s\\n' | sort"


def same_queue(origin: Result, target: Result) -> Verdict:
    theirs, ours = origin.stdout.splitlines(), target.stdout.splitlines()
    missing = sorted(set(theirs) - set(ours))
    if not (origin.ok and target.ok):
        return Verdict(False, (origin.stderr + target.stderr).strip())
    return Verdict(
        not missing, f"missing: {'; '.join(missing[:10])}" if missing else f"{len(theirs)} messages"
    )
