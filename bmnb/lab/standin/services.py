"""The stand-in's services as systemd units under bluemind.target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bmnb.lab.host import call

RUN = "/usr/lib/bmnb-standin/run"

TARGET = """[Unit]
Description=BlueMind (stand-in for rehearsal)
Wants=postgresql.service
After=postgresql.service

[Install]
WantedBy=multi-user.target
"""

# What bmctl stop takes down with it on releases driven by systemd.
WITH_TARGET = "[Unit]\nPartOf=bluemind.target\n"


@dataclass(frozen=True)
class Service:
    """What runs as whom; more lines of the unit's parts. Those that nobody asks anything only sleep."""

    start: str = "/bin/sleep infinity"
    user: str = "root"
    unit: str = ""
    service: str = ""


LOW_PORTS = "AmbientCapabilities=CAP_NET_BIND_SERVICE\n"

SERVICES = {
    "bm-core": Service(
        f"{RUN} core",
        unit="Wants=postgresql.service\nAfter=postgresql.service\n",
        service="Type=notify\nNotifyAccess=all\nTimeoutStartSec=300s\n",
    ),
    "bm-node": Service(f"{RUN} daemons node"),
    "bm-webserver": Service(f"{RUN} daemons web"),
    "bm-elasticsearch": Service(f"{RUN} daemons search", "elasticsearch"),
    "bm-lmtpd": Service(f"{RUN} daemons lmtp"),
    "bm-keycloak": Service(f"{RUN} keycloak", unit="Wants=postgresql.service\nAfter=postgresql.service\n"),
    "bm-cyrus-imapd": Service(f"{RUN} daemons imap", "cyrus", service=LOW_PORTS),
    "bm-iptables": Service(
        "/usr/lib/bmnb-standin/firewall start",
        service="Type=oneshot\nRemainAfterExit=yes\nExecStop=/usr/lib/bmnb-standin/firewall stop\n",
    ),
    "bmnb-writer": Service(
        f"{RUN} writer",
        "cyrus",
        unit="ConditionPathExists=/etc/default/bmnb-writer\nAfter=bm-core.service\n",
        service="ExecStartPre=+/usr/bin/install -o cyrus /dev/null /var/log/bmnb-writer\n"
        "Restart=on-failure\nRestartSec=1s\n",
    ),
}


WITH_CYRUS = {
    "bm-cyrus-imapd": Service(
        "/usr/sbin/cyrmaster -C /etc/imapd.conf -M /etc/cyrus.conf",
        unit="After=bm-core.service bm-ysnp.service\n",
        service="ExecStartPre=/usr/bin/install -d -o cyrus -g mail -m 755 /run/cyrus /run/cyrus/socket /run/cyrus/proc /run/cyrus/lock\n",
    ),
    "bm-ysnp": Service(f"{RUN} cyrus"),
    "bmnb-writer": replace(
        SERVICES["bmnb-writer"], unit=SERVICES["bmnb-writer"].unit + "After=bm-cyrus-imapd.service\n"
    ),
}
"""Those that are others where a real Cyrus has the mail."""


def unit(name: str, cyrus: bool = False) -> str:
    found = (WITH_CYRUS if cyrus else {}).get(name) or SERVICES.get(name, Service())
    return f"""[Unit]
Description={name} (stand-in for rehearsal)
PartOf=bluemind.target
ConditionPathExists=!/etc/bm/{name}.disabled
{found.unit}
[Service]
ExecStart={found.start}
User={found.user}
{found.service}
[Install]
WantedBy=bluemind.target
"""


def install(root: Path, names: Sequence[str], cyrus: bool = False) -> None:
    """Write and enable units; nginx also answers to BlueMind's name for it."""
    units = root / "lib/systemd/system"
    (units / "bluemind.target").write_text(TARGET)
    for name in names:
        (units / f"{name}.service").write_text(unit(name, cyrus))
    (units / "bm-nginx.service").symlink_to("nginx.service")
    drop_in = units / "postgresql.service.d"
    drop_in.mkdir(exist_ok=True)
    (drop_in / "bluemind.conf").write_text(WITH_TARGET)
    call("chroot", root, "systemctl", "enable", "bluemind.target", *names)
