"""Postfix as BlueMind sets it up, and mail that waits in its queue."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from . import maps
from .client import User, my_networks
from .etc import write

DEFERRED = Path("/var/spool/postfix/deferred")
WAITING = 5


def set_up(role: str, ip: str) -> None:
    """Configure and restart Postfix; its tables come when the directory is there."""
    name = subprocess.run(["hostname", "-f"], capture_output=True, text=True, check=True).stdout.strip()
    tables = "hash:/etc/postfix"
    settings = {
        "myhostname": name,
        "mydestination": "localhost",
        "inet_interfaces": "all",
        "inet_protocols": "ipv4",
        "mynetworks": my_networks(ip),
        "message_size_limit": "10240000",
        "smtp_host_lookup": "native",
        "virtual_transport": "error:mailbox does not exist",
        "virtual_mailbox_domains": f"{tables}/virtual_domains",
        "virtual_mailbox_maps": f"{tables}/virtual_mailbox",
        "virtual_alias_maps": f"{tables}/virtual_alias",
        "transport_maps": f"{tables}/transport, {tables}/master_relay_transport",
        "alias_maps": "hash:/etc/aliases",
        "alias_database": "hash:/etc/aliases",
        "smtpd_tls_cert_file": "/etc/ssl/certs/bm_cert.pem",
        "smtpd_tls_CAfile": "/var/lib/bm-ca/cacert.pem",
        "smtpd_tls_security_level": "may",
        # where it is set, Debian's Postfix copies and hashes all authorities at each start
        "smtp_tls_CApath": "",
        "smtpd_banner": f"$myhostname ESMTP {role}",
    }
    write("/etc/postfix/updateMaps.sh", maps.UPDATE, 0o755)
    write("/etc/aliases", "postmaster: root\n")
    subprocess.run(["newaliases"], check=True)
    # as in BlueMind's own master.cf; where Debian's has `y`, each start compares and copies a chroot's files
    subprocess.run(["postconf", "-F", "*/*/chroot = -"], check=True)
    configure(settings)


def configure(settings: dict[str, str]) -> None:
    subprocess.run(["postconf", "-e", *(f"{key} = {value}" for key, value in settings.items())], check=True)
    subprocess.run(["systemctl", "restart", "postfix"], check=True)


def leave_mail(users: list[User]) -> None:
    """Aliases and a relay's password of the client; mail that waits, one on hold, for a relay that is away."""
    write("/etc/aliases", f"postmaster: root\nteam: {users[0].email}\n")
    subprocess.run(["newaliases"], check=True)
    write("/etc/postfix/relay_passwd", "relay.example.org user:word\n", 0o600)
    for number in range(1, WAITING + 1):
        text = f"Subject: waiting {number}\n\nin the queue, déjà\n"
        command = ["sendmail", "-f", users[0].email, "someone@later.example"]
        subprocess.run(command, input=text, text=True, check=True)
    deadline = time.monotonic() + 30
    while len(waiting()) < WAITING and time.monotonic() < deadline:
        time.sleep(0.2)
    subprocess.run(["postsuper", "-h", waiting()[0]], capture_output=True, check=True)


def waiting() -> list[str]:
    """Queue ids of deferred mail."""
    return sorted(path.name for path in DEFERRED.rglob("*") if path.is_file())
