"""An answer is an answer in every login shell, on real servers. Whole runs with them: `test_habits.py`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.lab.habits.shells import GREETING, ODD
from bmnb.remote import Servers
from tests.lab.migration import BMNB, client_file, finish

pytestmark = pytest.mark.lab
OPTIONS = {"messages": 200, "rows": 1_000, "users": 8}

SHELLS = ("/bin/bash", "/bin/sh", "/bin/dash", "/bin/odd")


@pytest.fixture(autouse=True)
def usual(lab: Lab) -> Iterator[None]:
    """Both servers have the odd shell, and are as they were when the test is over."""
    for server in lab.servers:
        server.must(f"{ODD}; mkdir -p /root/kept; cp -a /root/.bashrc /root/.profile /root/kept/")
    yield
    for server in lab.servers:
        server.must("chsh -s /bin/bash root; cp -a /root/kept/. /root/")


@pytest.mark.parametrize("shell", SHELLS)
def test_an_answer_is_an_answer_in_every_login_shell(lab: Lab, shell: str):
    lab.target.must(f"chsh -s {shell} root; cat >> /root/.bashrc <<'END'\n{GREETING}\nEND")
    with Servers(lab.ssh_config) as servers:
        told = servers.run("target", "words=(a b); echo ${words[1]} <(true); echo err >&2; exit 3")
        assert (told.exit, told.stdout.split()[0], told.stderr) == (3, "b", "err\n")
        assert servers.identity("target").hostname == "new"


@pytest.mark.parametrize("make_key", [True, False])
def test_a_login_shell_that_is_not_bash_needs_the_run_s_key(lab: Lab, tmp_path: Path, make_key: bool):
    """The program that it is bound to has bash do the lines."""
    lab.origin.must("chsh -s /bin/odd root")
    own_key = lab.target.must(f"""cd /root/.ssh; [ -e id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f id_ed25519
ssh-keyscan {lab.origin.address} >> known_hosts 2> /dev/null; cat id_ed25519.pub""")
    lab.origin.must(f"echo '{own_key.strip()}' >> /root/.ssh/authorized_keys")
    status, said = finish(
        client_file(lab, tmp_path, engine="fast", through="prerequisites", make_key=make_key)
    )
    assert status == (0 if make_key else 3), said
    if make_key:
        latest = next(tmp_path.glob("*/journal.jsonl")).parent
        subprocess.run([*BMNB, "rollback", str(latest)], check=True)
