"""Debian's real Cyrus in BlueMind's layout: its configuration, and who may work in it. Only with `--mail cyrus`."""

from __future__ import annotations

import imaplib
import shutil
import smtplib
import socket
import socketserver
import struct
import subprocess
import time
from pathlib import Path

from .client import DOMAINS, partition
from .here import token
from .imap import is_session

HOST, LMTP_PORT, SIEVE_PORT = "127.0.0.1", 24, 2000
START_SECONDS = 120.0
ADMIN = "admin0"
MUX = Path("/run/saslauthd/mux")
TREES = ("/var/lib/cyrus", "/var/spool/cyrus", "/var/spool/sieve")
ARCHIVES = "/var/spool/bm-hsm"

IMAPD = """configdirectory: /var/lib/cyrus
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
defaultpartition: default
partition-default: /var/spool/cyrus/data/{name}
metapartition_files: header index cache expunge squat annotations lock dav archivecache
virtdomains: userid
defaultdomain: global.virt
unixhierarchysep: yes
altnamespace: yes
hashimapspool: yes
sievedir: /var/spool/sieve
servername: {role}
umask: 077
allowplaintext: yes
sasl_pwcheck_method: saslauthd
sasl_mech_list: PLAIN
lmtp_downcase_rcpt: yes
expunge_mode: delayed
delete_mode: delayed
lmtpsocket: /run/cyrus/socket/lmtp
idlesocket: /run/cyrus/socket/idle
notifysocket: /run/cyrus/socket/notify
syslog_prefix: cyrus
@include: /etc/cyrus-admins
@include: /etc/cyrus-partitions
@include: /etc/cyrus-hsm
"""

CONF = """START {
  recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r"
}
SERVICES {
  imap cmd="imapd -U 30" listen="1143" prefork=0 maxchild=100
  imaplocal cmd="imapd -U 30" listen="143" prefork=0 maxchild=100
  lmtp cmd="lmtpd -a" listen="127.0.0.1:24" prefork=0 maxchild=20
  sieve cmd="timsieved" listen="2000" prefork=0 maxchild=20
}
EVENTS {
  checkpoint cmd="/usr/sbin/cyrus ctl_cyrusdb -c" period=30
}
"""


def make_room() -> None:
    """The folders of an empty Cyrus; the package's own go."""
    for tree in map(Path, TREES):
        shutil.rmtree(tree, ignore_errors=True)
    for folder in (*TREES, *(line.partition(":")[2].strip() for line in partition_lines())):
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder).chmod(0o700)
    # with all that lies between a tree and a partition
    subprocess.run(["chown", "-R", "cyrus:mail", *TREES, ARCHIVES], check=True)
    subprocess.run(["runuser", "-u", "cyrus", "--", "/usr/lib/cyrus/bin/makedirs"], cwd="/", check=True)


def partition_lines() -> list[str]:
    return [line for line in Path("/etc/cyrus-partitions").read_text().splitlines() if line]


def wait() -> None:
    """Wait until Cyrus answers at all its ports. Raise OSError where it does not."""
    deadline = time.monotonic() + START_SECONDS
    for port in (143, LMTP_PORT, SIEVE_PORT):
        while True:
            try:
                socket.create_connection((HOST, port)).close()
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


def as_user(user: str) -> imaplib.IMAP4:
    """A session as login@domain, or as the administrator, by the administrator's password, as the core works."""
    imap = imaplib.IMAP4(HOST)
    acting = "" if user == ADMIN else user
    imap.authenticate("PLAIN", lambda _: f"{acting}\0{ADMIN}\0{token()}".encode())
    return imap


def deliver(recipients: list[str], sender: str, message: bytes) -> None:
    """Hand a message to Cyrus as a mail server does. Raise SMTPException where it refuses it for one of them."""
    with smtplib.LMTP(HOST, LMTP_PORT) as lmtp:
        lmtp.ehlo()
        lmtp.mail(sender)
        for one in recipients:
            code, said = lmtp.rcpt(mailbox(one))
            if code != 250:
                raise smtplib.SMTPRecipientsRefused({one: (code, said)})
        # an answer for each recipient, of which smtplib reads the first
        answers = [lmtp.data(message), *(lmtp.getreply() for _ in recipients[1:])]
        for code, said in answers:
            if code != 250:
                raise smtplib.SMTPDataError(code, said)


def mailbox(address: str) -> str:
    """Of an address, the mailbox, which is in the domain's uid."""
    login, _, name = address.partition("@")
    uid = next((one.uid for one in DOMAINS if name in (one.uid, *one.aliases)), name)
    return f"{login}@{uid}"


def home(domain_uid: str) -> str:
    return partition(next(one for one in DOMAINS if one.uid == domain_uid))


class Mux(socketserver.StreamRequestHandler):
    """What bm-ysnp answers where saslauthd would: the core knows whether this is the user's session.

    Asked are four texts, each after its length: login, password, service, realm.
    """

    def handle(self) -> None:
        login, password, _, realm = [self._text() for _ in range(4)]
        who = login if "@" in login else f"{login}@{realm or 'global.virt'}"
        answer = b"OK" if is_session(who, password) else b"NO"
        self.wfile.write(struct.pack("!H", len(answer)) + answer)

    def _text(self) -> str:
        (length,) = struct.unpack("!H", self.rfile.read(2))
        return self.rfile.read(length).decode()


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def main() -> None:
    MUX.parent.mkdir(exist_ok=True)
    MUX.unlink(missing_ok=True)
    server = Server(str(MUX), Mux)
    MUX.chmod(0o777)
    server.serve_forever()


if __name__ == "__main__":
    main()
