"""The stand-in's services as systemd units under bluemind.target."""

from __future__ import annotations

from dataclasses import dataclass

LIB = "/usr/lib/bmnb-standin"

TARGET = """[Unit]
Description=BlueMind (stand-in for rehearsal)
Wants=postgresql.service
After=postgresql.service

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class Service:
    """A service, the majors of BlueMind that have it, what runs, as whom, and more lines of its unit."""

    name: str
    majors: str = "45"
    start: str = "/bin/sleep infinity"
    user: str = "root"
    more: str = ""
    unit: str = ""


SERVICES = (
    Service(
        "bm-core",
        start=f"{LIB}/core",
        more="Type=notify\nNotifyAccess=all\nTimeoutStartSec=300s\n",
        unit="After=postgresql.service\n",
    ),
    Service("bm-node"),
    Service("bm-webserver", start=f"{LIB}/daemons web"),
    Service("bm-eas"),
    Service("bm-milter"),
    Service("bm-tika"),
    Service("bm-ysnp"),
    Service("bm-elasticsearch", user="elasticsearch"),
    Service(
        "bm-iptables",
        start="/usr/lib/bmnb-standin/firewall start",
        more="Type=oneshot\nRemainAfterExit=yes\nExecStop=/usr/lib/bmnb-standin/firewall stop\n",
    ),
    Service("bm-imap", "5", start=f"{LIB}/daemons imap"),
    Service("bm-hps", "4"),
    Service("bm-lmtpd", start=f"{LIB}/daemons lmtp"),
    Service("bm-cyrus-imapd", "4", start=f"{LIB}/daemons imap"),
    Service(
        "bmnb-writer",
        start=f"{LIB}/writer",
        unit="ConditionPathExists=/etc/default/bmnb-writer\nAfter=bm-core.service\n",
    ),
)


def unit(service: Service) -> str:
    return f"""[Unit]
Description={service.name} (stand-in for rehearsal)
PartOf=bluemind.target
ConditionPathExists=!/etc/bm/{service.name}.disabled
{service.unit}
[Service]
ExecStart={service.start}
User={service.user}
{service.more}
[Install]
WantedBy=bluemind.target
"""
