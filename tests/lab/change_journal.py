"""An origin whose journal of changes names nothing."""

from bmnb.lab.server import Server
from bmnb.transfer.programs import changes

LISTS = "/var/lib/bmnb/test/files"
QUIET = "/var/spool/bm-docs/quiet"
"""A folder that the lab's users don't work in."""

NAMES_NOTHING = f"""
import socket
listening = socket.socket(socket.AF_UNIX)
listening.bind("{changes.SOCKET}")
listening.listen()
while True:
    asking, _ = listening.accept()
    asking.recv(1 << 18)
    asking.sendall({changes.END!r})
    asking.close()
"""


def overlook(origin: Server) -> None:
    """From here on the journal of the run for `test` names nothing, and a document is written anew."""
    unit = "bmnb-changes-test.service"
    origin.must(
        f"! systemctl is-active --quiet {unit} || systemctl stop {unit}; cd {LISTS}; rm -f {changes.SOCKET}\n"
        f"cat > /root/names-nothing.py <<'END'\n{NAMES_NOTHING}\nEND\n"
        f"systemd-run --quiet --unit={unit} --working-directory={LISTS} python3 /root/names-nothing.py\n"
        f"until [ -e {changes.SOCKET} ]; do sleep 0.1; done\n"
        f"echo new > {QUIET}/document"
    )
