"""A test launch of BlueMind on the target: lines for its program there, and what they show."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from shlex import quote

from bmnb.bluemind.services import states
from bmnb.steps import Result, Row, Verdict
from bmnb.transfer import databases, fast
from bmnb.transfer.programs.launch import LAYERS, NAME, PLACE

FOLDERS = ("/etc", "/var/lib/bm-ca", "/usr/share/bm-elasticsearch/config")
"""Where the configuration is that is copied: see bluemind/paths.py."""

PORTS = (25, 110, 143, 465, 587, 993, 995, 1143, 2400, 2500, 4190, 8021, 8090, 9200)
"""Ports of BlueMind's services that are reached from elsewhere, or must not be."""


def begin(folder: str, address: str, trees: Iterable[str]) -> str:
    return f"{_program(folder)} begin {address} {' '.join(map(quote, (*trees, *FOLDERS)))}"


def is_left() -> str:
    return f"test -d {PLACE} || test -d {LAYERS} || systemctl is-active --quiet {NAME} || false"


def end() -> str:
    """A line that ends what there is of a launch. Without its program, as after a restart, there are files alone."""
    kept = f"{PLACE}/launch.py"
    return f"if [ -e {kept} ]; then python3 {kept} end; else rm -rf {PLACE} {LAYERS}; fi"


def left() -> str:
    """A line that prints what is left of a launch."""
    return f"""for place in {PLACE} {LAYERS} /run/netns/{NAME}; do [ ! -e $place ] || echo $place; done
findmnt --raw --noheadings --output=SOURCE,TARGET | grep '^{NAME} '
systemctl list-units --all --no-legend {NAME}.service; ls -d /run/systemd/system/*.d/{NAME}.conf 2> /dev/null; true"""


def carry_configuration(folder: str, origin: str, added: bool) -> str:
    """A line that brings the origin's configuration into the layers."""
    return _within(folder, "view", fast.unpack_configuration(folder, origin, added))


def look_out(folder: str, origin: str) -> str:
    """A line that prints what can be reached from inside, where the origin can be from outside."""
    interfaces = "ip -o link show | cut -d : -f 2 | grep -vx ' lo'"
    gateways = "$(ip -4 route show default | sed -n 's/^default via \\([^ ]*\\).*/\\1/p')"
    reach = (
        f"{interfaces}; ip -4 route show; ip -6 route show | grep -v 'dev lo'; for host in $hosts; do "
        'ip -o address show to "$host" | grep -q . && continue; '
        'ping -c 1 -W 1 "$host" > /dev/null 2>&1 && echo "$host answers"; done; echo end'
    )
    return f"""hosts="{gateways} $(ip neigh show | cut -d ' ' -f 1 | head -n 5 | tr '\\n' ' ')"
{fast.reach(folder, origin)} || {{ echo 'the original server is out of reach from outside as well' >&2; exit 2; }}
{_program(folder)} inside "hosts='$hosts'; "{quote(reach)}"""


def is_cut_off(told: Result) -> Verdict:
    """Nothing was reached, and it was looked for until the end."""
    lines = [one.strip() for one in told.stdout.splitlines()]
    if not lines or lines[-1] != "end":
        return Verdict.unmade("it was not looked for until the end")
    return Verdict(len(lines) == 1, "; ".join(lines[:-1]) or "no interface but lo, no route, nobody answers")


def start(folder: str, names: Sequence[str]) -> str:
    """A line that starts it with the databases that were copied in the place of the target's own."""
    line = f"( {databases.put_in_place(names)}\n) && ( {databases.adopt_password()}\n)"
    return f"{_program(folder)} start {quote(line)}"


def read(told: Result) -> Row:
    row: Row = json.loads(told.stdout.splitlines()[-1])
    return row


ENDED = "the launch has ended"
STATUS = f"if [ -d {PLACE} ]; then bmctl status; else echo '{ENDED}'; fi"


def runs(status: Result) -> Verdict:
    """After a restart of the server, or a minute without a sign of life, there is nothing to wait for."""
    if status.stdout.strip() == ENDED:
        return Verdict(False, ENDED, final=True)
    found = states(status.stdout)
    wrong = [name for name, state in found.items() if state not in ("is running", "is disabled")]
    if not found:
        return Verdict.unmade("bmctl status lists no service")
    return Verdict(
        not wrong, f"not running: {', '.join(wrong)}" if wrong else f"{len(found)} services running"
    )


def strangers(folder: str) -> str:
    """A line that prints the processes of it that have the server's own network, and Postfix where it runs."""
    return f"{_program(folder)} outside && {{ ! systemctl is-active --quiet postfix || echo Postfix; }}"


def own_address(address: str) -> str:
    """A line that prints the target's own address on the way to another one."""
    return f"ip -4 -o route get {address} | sed -n 's/.* src \\([^ ]*\\).*/\\1/p'"


def listening() -> str:
    """A line for another server that prints which ports of BlueMind answer at the address that comes in."""
    ports = " ".join(map(str, PORTS))
    return f"""read -r address && [ -n "$address" ] || exit 2
for port in {ports}; do timeout 2 bash -c "> /dev/tcp/$address/$port" 2> /dev/null && echo "$address port $port"; done; true"""


def look(folder: str) -> str:
    """A line that looks at every account by IMAP, and prints what it has found."""
    return _within(folder, "inside", f"python3 {folder}/mailbox.py look")


def every_account(told: Result) -> Verdict:
    """A row an account; all of them can be opened."""
    found = json.loads(told.stdout)
    wrong = tuple(one for one in found if one["why"])
    folders, messages = (sum(one[key] for one in found) for key in ("folders", "messages"))
    seen = f"{len(found)} accounts, {folders:,} folders, {messages:,} messages by IMAP"
    if not found:
        return Verdict(False, "there is no account")
    if wrong:
        seen = f"{len(wrong)} of {len(found)} cannot be looked at: " + "; ".join(
            f"{one['mailbox']}: {one['why']}" for one in wrong[:5]
        )
    items = tuple({key: value for key, value in one.items() if value != ""} for one in (wrong or found))
    return Verdict(not wrong, seen, items, {"accounts": len(found)})


def stop(folder: str) -> str:
    return f"{_program(folder)} stop"


def _within(folder: str, verb: str, line: str) -> str:
    return f"{_program(folder)} {verb} {quote(line)}"


def _program(folder: str) -> str:
    return f"python3 {folder}/programs/launch.py"
