"""The journal of changes is a hint: what it does not name is found by the comparison, and copied in the same run."""

from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from bmnb.transfer.programs import changes
from tests.lab.migration import client_file, done, finish

pytestmark = pytest.mark.lab

SETTINGS = {"engine": "fast", "restart_target": "never"}
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


def test_what_a_journal_does_not_name_is_copied_before_the_switch(lab: Lab, tmp_path: Path):
    lab.origin.must(f"mkdir {QUIET}; echo old > {QUIET}/document")
    code, said = finish(client_file(lab, tmp_path, **SETTINGS, through="hot-synchronization"))
    assert code == 0, said
    [kept] = done(tmp_path, "keep a journal of changes", "hot-synchronization")
    assert kept["row"]["journal of changes"], "it says whether there is one"

    unit = "bmnb-changes-test.service"
    lab.origin.must(
        f"! systemctl is-active --quiet {unit} || systemctl stop {unit}; cd {LISTS}; rm -f {changes.SOCKET}\n"
        f"cat > /root/names-nothing.py <<'END'\n{NAMES_NOTHING}\nEND\n"
        f"systemd-run --quiet --unit={unit} --working-directory={LISTS} python3 /root/names-nothing.py\n"
        f"until [ -e {changes.SOCKET} ]; do sleep 0.1; done\n"
        f"echo new > {QUIET}/document"
    )
    code, said = finish(client_file(lab, tmp_path, **SETTINGS))
    assert code == 0, said

    cold = done(tmp_path, "what changed in the trees", "cold-synchronization")[-1]["row"]
    assert cold["folders looked at"] > 0
    first, again = (
        done(tmp_path, title, "verify-copy")[-1]["row"]
        for title in ("compare the trees", "compare the trees again")
    )
    assert (first["differences"] > 0, again["differences"]) == (True, 0)
    assert unexpected(lab) == []
    assert lab.origin.must("systemctl list-units --plain --no-legend 'bmnb-changes-*'") == ""
