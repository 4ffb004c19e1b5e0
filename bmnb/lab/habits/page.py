"""`docs/servers.md`: what administrators' servers are like, and what comes of each habit in a migration."""

from __future__ import annotations

from collections.abc import Iterable

from bmnb.lab.habits import KINDS
from bmnb.lab.habits.habit import Carried, Habit, Refused

HEAD = """# Servers as they are in life

Administrators change their servers. Each row is a habit that the lab can play (`bmnb lab up --habit NAME`,
`bmnb lab habits`), and that is tried in `tests/lab/test_habits.py`: what is carried in whole migrations with many
habits at once, after which an independent comparison finds no difference; what is refused among the prerequisites,
before anything is stopped. Those of RedHat's family are on one origin, in `tests/lab/test_from_redhat.py`. `make test` tries each habit, `make soak` each pair of what is carried, and each refusal by
itself.

This page is made of the habits' declarations: `python -m bmnb.lab.habits > docs/servers.md`.
"""

PLAYED = (
    ("Debian 11, 12, 13", "are real: systemd, sshd, PAM, Postfix, PostgreSQL, nginx, cron of Debian's packages"),
    ("BlueMind", "is a stand-in that behaves as public sources say; its packages need a subscription"),
    ("RedHat's family", "is played on Debian: a real dnf, rpm, NetworkManager and sudo; the places, programs and unit of PGDG's PostgreSQL are those of its packages, its code is Debian's; firewalld is rules of iptables"),
    ("SELinux", "is played: labels are real attributes of files, no policy is in force, and restorecon only notes what it is asked for"),
    ("rsync 3.1.1, Python 3.5, systemd 229", "are played by newer ones that refuse what those do not know, or say that they are those; that programs for servers keep to the language of Python 3.5 is checked by vermin; cgroup v1 is there where this machine has it"),
    ("csh, fish, zsh", "are played by a shell that understands no more than all of them do"),
    ("disks, NFS, quota", "bind mounts and tmpfs stand for other file systems: servers are containers on one disk"),
    ("restarts", "are real starts of systemd, on a kernel that has not restarted"),
    ("the network", "is a real Ethernet bridge with ARP and iptables; no Internet; a router and a name server where a test brings them"),
    ("fail2ban, ufw, agents, filters", "are played by what they do: rules of iptables, units, listening programs"),
    ("clocks", "are the machine's: only the time zones of two servers differ"),
)  # fmt: skip
"""What the lab has and how real it is."""


def page() -> str:
    parts = [HEAD, section("What is carried", Carried), section("What is refused", Refused), played()]
    return "\n".join(parts)


def section(title: str, outcome: type) -> str:
    tables = [
        f"### {kind}\n\n{table(chosen)}"
        for kind, habits in KINDS.items()
        if (chosen := [habit for habit in habits if isinstance(habit.comes, outcome)])
    ]
    return f"## {title}\n\n" + "\n".join(tables)


def table(habits: Iterable[Habit]) -> str:
    rows = [("habit", "on", "the administrator", "what comes of it"), ("---",) * 4]
    rows += [
        (f"`{habit.name}`", habit.servers, habit.does, habit.comes.told.partition(": ")[2])
        for habit in habits
    ]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)


def played() -> str:
    rows = "".join(f"| {thing} | {how} |\n" for thing, how in PLAYED)
    return f"## What the lab plays, and what is real\n\n| on the lab | |\n| --- | --- |\n{rows}"
