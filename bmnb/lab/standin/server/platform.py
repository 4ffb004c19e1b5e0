"""A platform of several servers: what the core knows of the others, and what those have themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path

from . import postfix, repository
from .client import DOMAINS, EXTERNAL_URL, my_networks
from .etc import subscription, write
from .here import literal, redhat, sql, variant
from .packages import Package, build_deb

EDGE_TAGS = ["bm/nginx-edge", "mail/smtp-edge"]
KEYRING, OF_THE_SYSTEM = "/etc/apt/keyrings/bluemind.asc", "/etc/apt/keyrings/system.asc"
"""The keys of BlueMind's repository and of the system's; here one server signs for both."""

INTRANET = """server {
  listen 8081;
  location / { default_type text/plain; return 200 "the client's own virtual host\\n"; }
}
"""

IMAP_SOCKET = "[Socket]\nListenStream=143\n[Install]\nWantedBy=sockets.target\n"
IMAP_SERVICE = "[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd {ip}:143\n"


def add_servers(others: dict[str, str]) -> None:
    """Tell the core of the other servers. The mailboxes move to theirs; from 5.x on, where no Cyrus has them,
    they stay, and the mailbox server is one that has none yet."""
    mail = "mail/imap" if variant().cyrus else "bm/pgsql-data"
    for role, tags in (("mailbox", [mail]), ("edge", EDGE_TAGS)):
        if role not in others:
            continue
        listed = ", ".join(map(literal, tags))
        sql(
            f"INSERT INTO t_server (uid, ip, name, tags) VALUES ('bm-{role}', {literal(others[role])}, "
            f"'bm-{role}', ARRAY[{listed}])"
        )
        if mail in tags and variant().cyrus:
            sql("UPDATE t_server SET tags = array_remove(tags, 'mail/imap') WHERE uid = 'bm-master'")


def set_up_repositories(ip: str) -> None:
    """Where packages come from: BlueMind's repository of the installed version, and the system's own."""
    if redhat():
        lines = (
            f"[bm]\nname=BlueMind\nenabled=1\ngpgcheck=0\nbaseurl=http://{ip}/redhat/{variant().version}\n"
        )
        write("/etc/yum.repos.d/bm.repo", subscription() + lines)
        return
    write(
        "/etc/apt/sources.list.d/bm.list",
        subscription() + f"deb [signed-by={KEYRING}] http://{ip}/debian/{variant().version} ./\n",
    )
    write("/etc/apt/sources.list", f"deb [signed-by={OF_THE_SYSTEM}] http://{ip}/os bookworm main\n")
    for name, (installed, _) in repository.OF_THE_SYSTEM.items():
        build_deb(Package(name, installed), Path("/root"))
        subprocess.run(
            ["dpkg", "--install", f"/root/{name}_{installed}_all.deb"], check=True, capture_output=True
        )


def own_settings() -> None:
    """What the client's administrators have made: a virtual host, a line in BlueMind's, a setting of Postfix."""
    write("/etc/nginx/sites-available/intranet", INTRANET)
    Path("/etc/nginx/sites-enabled/intranet").symlink_to("../sites-available/intranet")
    for folder in ("sites-available", "sites-enabled"):
        host = Path(f"/etc/nginx/{folder}/bm-client-access")
        host.write_text(host.read_text() + "# made by hand\nclient_max_body_size 50m;\n")
    subprocess.run(["systemctl", "restart", "nginx"], check=True)
    subprocess.run(["postconf", "-e", "smtpd_client_connection_rate_limit = 77"], check=True)


def set_up_mailbox(ip: str) -> None:
    _common("mailbox", ip)
    subprocess.run(["systemctl", "disable", "--now", "postfix"], check=True, capture_output=True)


def set_up_edge(ip: str, others: dict[str, str]) -> None:
    """Mail, web and IMAP of the outside, handed on to the core and to the mailboxes."""
    _common("edge", ip)
    write("/etc/nginx/bm-upstream-core", others["core"])
    units = Path("/etc/systemd/system")
    write(str(units / "bmnb-imap.socket"), IMAP_SOCKET)
    write(
        str(units / "bmnb-imap.service"),
        IMAP_SERVICE.format(ip=others["mailbox" if variant().cyrus else "core"]),
    )
    make = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 3650 "
        f"-subj /CN={EXTERNAL_URL} -keyout /tmp/key.pem -out /tmp/cert.pem && "
        "cat /tmp/cert.pem /tmp/key.pem > /etc/ssl/certs/bm_cert.pem && rm /tmp/cert.pem /tmp/key.pem"
    )
    subprocess.run(["sh", "-c", make], check=True, capture_output=True)
    Path("/etc/nginx/sites-enabled/default").unlink(missing_ok=True)
    subprocess.run(["/usr/share/bm-client-access/bin/configure-nginx.sh"], check=True)
    _relay(ip, others)
    own_settings()
    subprocess.run(["systemctl", "enable", "--now", "bmnb-imap.socket"], check=True, capture_output=True)


def _common(role: str, ip: str) -> None:
    write("/etc/bm/server.uid", f"bm-{role}")
    write("/etc/bm/bm.ini", f"[global]\nexternal-url = {EXTERNAL_URL}\nhost = {ip}\n", 0o640, "root:bluemind")
    write("/etc/bm/domains-settings", "".join(f"{one.uid}:{EXTERNAL_URL}:{one.name}:\n" for one in DOMAINS))
    subprocess.run(["bmctl", "start"], check=True)


def _relay(ip: str, others: dict[str, str]) -> None:
    names = [name for one in DOMAINS for name in one.aliases]
    lines = [f"{name} smtp:[{others['core']}]\n" for name in names]
    lines.append(f"{repository.OUTSIDE} smtp:[{others['repository']}]\n")
    write("/etc/postfix/transport-flat", "".join(lines))
    subprocess.run(["postmap", "/etc/postfix/transport-flat"], check=True)
    Path("/etc/postfix/transport-flat.db").rename("/etc/postfix/transport.db")
    settings = {
        "myhostname": "edge.example.org",
        "mydestination": "localhost",
        "inet_protocols": "ipv4",
        "inet_interfaces": "all",
        "mynetworks": my_networks(others["core"]),
        "relay_domains": ", ".join(names),
        "transport_maps": "hash:/etc/postfix/transport",
    }
    postfix.configure(settings)
