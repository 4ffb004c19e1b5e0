"""What root's login shell is and says, on real servers: it is carried, or refused before anything is touched.

One story on one small lab, with the fast engine. csh, fish and zsh are not in its images: a script that understands
no more than they all do plays them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.procedures.changing_distributions.requirements import QUIET
from bmnb.remote import Servers
from tests.lab.migration import BMNB, client_file, finish, journal

pytestmark = pytest.mark.lab
OPTIONS = {"messages": 200, "rows": 1_000, "users": 8}

GREETING = "echo '*** production ***'; echo '*** beware ***' >&2\n"
ODD = r"""cat > /bin/odd <<'END'
#!/bin/bash
# csh, fish and rc know none of these: ${...}, $(...), here-documents, VARIABLE=value, functions, if ... fi;
# csh ends at a variable that is not set
[ "$1" = -c ] || exit 97
case $2 in *'${'* | *'$('* | *'<<'* | *'() {'* | *'if ['* | *$'\n'* | [A-Z]*=* | *'$BASH'*) echo "odd: syntax error: $2" >&2; exit 98 ;; esac
exec /bin/bash --norc -c "$2"
END
chmod +x /bin/odd; grep -qx /bin/odd /etc/shells || echo /bin/odd >> /etc/shells"""


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
    lab.target.must(f"chsh -s {shell} root; cat >> /root/.bashrc <<'END'\n{GREETING}END")
    with Servers(lab.ssh_config) as servers:
        told = servers.run("target", "words=(a b); echo ${words[1]} <(true); echo err >&2; exit 3")
        assert (told.exit, told.stdout.split()[0], told.stderr) == (3, "b", "err\n")
        assert servers.identity("target").hostname == "new"


@pytest.mark.parametrize("place", ["/root/.bashrc", "/etc/bash.bashrc"])
def test_a_greeting_on_the_origin_is_refused_among_the_prerequisites(lab: Lab, tmp_path: Path, place: str):
    """rsync and ssh between the servers cannot tell it from an answer."""
    lab.origin.must(f"cp {place} /root/place; sed -i '1i echo \"*** production ***\"' {place}")
    try:
        status, said = finish(client_file(lab, tmp_path, engine="fast", through="prerequisites"))
    finally:
        lab.origin.must(f"cp /root/place {place}")
    assert status == 3, said
    assert "*** production ***" in said
    assert QUIET in said
    assert {line["status"] for line in journal(tmp_path) if "status" in line} <= {"done", "failed", "skipped"}
    for server in lab.servers:
        assert server.run("test -e /var/lib/bmnb/test").returncode == 1, "nothing was touched"


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


def test_a_whole_run_with_other_shells_and_greetings_elsewhere(lab: Lab, tmp_path: Path):
    lab.origin.must(f"cat >> /root/.bashrc <<'END'\n{GREETING}END\nchsh -s /bin/sh root")
    lab.target.must(f"cat >> /root/.bashrc <<'END'\n{GREETING}END\nchsh -s /bin/odd root")
    for server in lab.servers:
        for place in ("/root/.bash_profile", "/root/.profile", "/etc/profile.d/greeting.sh", "/etc/motd"):
            server.must(f"cat >> {place} <<'END'\n{GREETING}END")
    status, said = finish(client_file(lab, tmp_path, engine="fast"))
    assert status == 0, said
    written = "".join(
        path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.suffix in (".jsonl", ".log")
    )
    assert "*** production ***" not in written
