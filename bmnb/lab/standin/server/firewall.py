"""The firewall's rules, which the core writes as an init script."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .directory import servers
from .here import log
from .tasks import Say

SCRIPT = Path("/etc/init.d/bm-iptables")
PORTS = (2400, 2500, 2501, 5432, 8022, 8080, 8090, 9200, 25250, 25251)

RULES = """#!/bin/sh
# Written by a stand-in of BlueMind's core, for rehearsal. It is not BlueMind.
[ ! -e /root/core.debug ] || exit 0
bmHosts="{hosts}"
bmPorts="{ports}"

clear_rules() {{
  iptables -w -D INPUT -j bmhosts 2> /dev/null
  for chain in bmhosts bmports; do iptables -w -F $chain 2> /dev/null; done
  for chain in bmhosts bmports; do iptables -w -X $chain 2> /dev/null; done
}}

set_rules() {{
  iptables -w -N bmports
  for port in $bmPorts; do iptables -w -A bmports -p tcp --syn --dport "$port" -j DROP; done
  iptables -w -N bmhosts
  iptables -w -A bmhosts -i lo -j ACCEPT
  for host in $bmHosts; do iptables -w -A bmhosts -s "$host" -j ACCEPT; done
  iptables -w -A bmhosts -j bmports
  iptables -w -A INPUT -j bmhosts
}}

case "$1" in
  start) clear_rules; set -e; set_rules ;;
  stop) clear_rules ;;
esac
exit 0
"""


def script(hosts: list[str]) -> str:
    return RULES.format(hosts=" ".join(hosts), ports=" ".join(map(str, PORTS)))


def update(additional: str, say: Say) -> None:
    """Write the rules of all known servers, and of more addresses, and put them in force."""
    known = [one["value"]["ip"] for one in servers()]
    SCRIPT.write_text(script(list(dict.fromkeys([*known, *additional.split()]))))
    SCRIPT.chmod(0o755)
    subprocess.run([str(SCRIPT), "start"], check=True)
    for ip in known:
        say(f"[Update ip tables] rules of {ip} updated")
    log("n.b.s.i.UpdateFirewallRulesTask", "Firewall rules updated")
