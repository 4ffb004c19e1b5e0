"""How one sees on a server that a step of a procedure has had its effect."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Any

from bmnb.bluemind.api import split_networks, without_mask
from bmnb.bluemind.paths import ini
from bmnb.steps import Condition, Result, Verdict


def open_files(trees: Sequence[str]) -> str:
    """A line that prints the processes with an open file under one of the trees, wherever that lies.

    find ends with 1 where a process ended meanwhile.
    """
    places = " ".join(map(quote, trees))
    return (
        f"set -o pipefail; names=(-false); for tree in {places}; do "
        r"""at=$(readlink -m "$tree" | sed 's/[][*?\\]/\\&/g'); names+=(-o -lname "$at/*"); done; """
        "{ find /proc/[0-9]*/fd -maxdepth 1 -type l \\( \"${names[@]}\" \\) -printf '%h\\n' 2> /dev/null; "
        "[ $? -le 1 ]; } | sort -u | while IFS=/ read -r _ _ pid _; do "
        'echo "process $pid $(tr "\\0" " " < "/proc/$pid/cmdline")"; done'
    )


def reboot(folder: str) -> str:
    return f"mkdir -p {folder} && cp /proc/sys/kernel/random/boot_id {folder}/boot-before && sync && systemctl reboot"


def rebooted(folder: str) -> str:
    """A line that holds once the server has begun anew, and what is needed has been mounted and started, or has failed.

    It prints the units that have failed.
    """
    # a file of /proc has no size, by which cmp -s would tell it from any copy
    return f"""before=$(cat {folder}/boot-before) && [ "$(cat /proc/sys/kernel/random/boot_id)" != "$before" ] &&
! systemctl list-jobs --no-legend | awk '{{print $2}}' | grep -E {quote(NEEDED)} >&2 &&
systemctl list-units --state=failed --no-legend --plain | awk '{{print $1}}'"""


NEEDED = r"\.mount$|^(local-fs|remote-fs|network)\.target$|^(postgresql|nginx|bm-).*\.service$"
"""Units that BlueMind's services need. What else has failed, or takes its time, is not waited for."""


def is_back(seen: Result) -> Verdict:
    failed = seen.stdout.split()
    if not seen.ok:
        return Verdict(False, "; ".join(seen.stderr.split("\n")[:5]).strip("; ") or "not yet")
    return Verdict(True, f"yes; failed beside it: {', '.join(failed)}" if failed else "yes")


RESTART_NGINX = (
    "nginx -t && if systemctl cat bm-nginx > /dev/null 2>&1; then systemctl restart bm-nginx; "
    "else systemctl restart nginx; fi"
)


def mark_time(folder: str) -> str:
    return f"mkdir -p {folder} && touch {folder}/mark && sleep 0.1"


def newer(folder: str, paths: Sequence[str]) -> str:
    """A line that prints those of the paths that were written after the mark."""
    return f"find {' '.join(map(quote, paths))} -newer {folder}/mark"


def all_newer(number: int, found: Result) -> Verdict:
    new = len(found.stdout.splitlines())
    return Verdict(found.ok and new == number, f"{new} of {number} are new")


def firewall(folder: str, address: str) -> str:
    script = "/etc/init.d/bm-iptables"
    return f"{newer(folder, [script])}; grep -E '^bmHosts=\"(.* )?{address}( .*)?\"' {script}"


def firewall_written(found: Result) -> Verdict:
    lines = found.stdout.splitlines()
    return Verdict(
        found.ok and len(lines) == 2, lines[-1] if found.ok and lines else "the address is not among bmHosts"
    )


def networks(wanted: str, gone: str, found: Result) -> Verdict:
    """BlueMind adds loopback and its servers' addresses to whatever was saved; `gone` is an address it must not have."""
    have = split_networks(found.stdout)
    missing = [one for one in split_networks(wanted) if one not in have]
    if not have or "127.0.0.0/8" not in have:
        return Verdict(False, found.stdout.strip() or found.stderr.strip())
    if gone and gone in map(without_mask, have):
        return Verdict(False, f"the old address is still among them: {gone}")
    return Verdict(not missing, f"missing: {', '.join(missing)}" if missing else ", ".join(have))


def versions_agree(version: Any) -> Verdict:
    software, database = version.get("softwareVersion"), version.get("databaseVersion")
    agree = bool(software) and not version.get("needsUpgrade")
    return Verdict(agree, f"software {software}, database {database}")


def ask_external_url(address: str = "127.0.0.1") -> str:
    """A line that prints the HTTP status of the external-url, asked for at an address whatever DNS says."""
    return (
        f"url=$({ini('external-url')}); curl -q -sk --noproxy '*' -o /dev/null -w '%{{http_code}}' --max-time 10 "
        f'--resolve "$url:443:{address}" "https://$url/"'
    )


def url_answers(asked: Result) -> Verdict:
    """Any page or redirection will do; 502 and 503 come from nginx when BlueMind is away or in maintenance."""
    status = asked.stdout.strip()
    return Verdict(status[:1] in ("2", "3"), f"HTTP {status or 'nothing'}")


def version(server: str, major: int) -> Condition:
    """Holds where the server has this major version of BlueMind."""
    return Condition(server, _major([major]), f"not BlueMind {major}")


def neither(server: str, *majors: int) -> Condition:
    return Condition(server, f"! ( {_major(majors)} )", "done by the API or bm-cli")


def _major(majors: Sequence[int]) -> str:
    # Packages of 4.0 to 4.8 carry 4.1.x, those of 4.9 carry 4.9.x, those of 5 carry 5.x.
    found = "dpkg-query -W -f '${Version}' bm-core 2> /dev/null || rpm -q --qf '%{VERSION}' bm-core"
    return f"({found}) | grep -qE '^([0-9]+:)?({'|'.join(map(str, majors))})\\.'"
