"""What BlueMind needs of a server's hardware, and what a new server must not have less of than the old one."""

from __future__ import annotations

from bmnb.steps import Result, Row, Verdict

MINIMUM_GIB = 24
"""From 5.0 on, as BlueMind's pages on the major update say; what 4 needs depends on the client's size."""

SHARE = 0.9
"""Of the same memory a hypervisor and a kernel leave more or less."""

LINE = "nproc && awk '/^MemTotal:/ {print $2}' /proc/meminfo"


def not_weaker(origin: Result, target: Result) -> Verdict:
    """The origin serves its users with what it has; that it has less than the minimum is told, and no reason to stop."""
    (cores, memory), (ours, here) = ((int(word) for word in one.stdout.split()) for one in (origin, target))
    gib, there = here / (1 << 20), memory / (1 << 20)
    less: list[Row] = []
    if ours < cores:
        less.append({"item": "cores", "what": f"{ours}; the origin has {cores}"})
    if gib < SHARE * there:
        less.append({"item": "memory", "what": f"{gib:.1f} GiB; the origin has {there:.1f} GiB"})
    seen = f"{ours} cores and {gib:.1f} GiB; the origin has {cores} and {there:.1f} GiB"
    if gib < SHARE * MINIMUM_GIB:
        seen += f"; BlueMind's minimum is {MINIMUM_GIB} GB from 5.0 on"
    return Verdict(not less, seen, tuple(less))
