"""What the run's key is for, on real servers, and that nothing of it is left: one story on one small lab.

That a whole run leaves nothing of it either: `test_changing_distributions.py`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.transfer.access import LOGIN
from tests.lab.migration import BMNB, opened

pytestmark = pytest.mark.lab
OPTIONS = {"messages": 200, "rows": 1_000, "users": 8}

KEYS = "/root/.ssh/authorized_keys"
SSH = "ssh -F /var/lib/bmnb/test/ssh_config"
MARK = "/root/mark"
CHANGED = f"find / -xdev -newer {MARK} -path '/[elhrs]*' ! -path '/run/*' ! -path '/sys/*' ! -type d -print"
"""What was written on the origin since the mark, where nothing but an intruder writes: /etc, /root, /srv ..."""

HIDDEN = "--remove-sent-files --protect-args --secluded-args --daemon --server --sender -slogDtpr --log-format=%i --config=/etc/passwd --dparam=log=/x -MM --qsort"  # fmt: skip
"""Options that rsync does not tell of."""

MANUAL = f"""{{ rsync --help | grep -oE '^-[A-Za-z0-9@]|--[a-z0-9-]+(=[A-Z]+)?' | sed -E 's/=[A-Z]+$/=\\/root\\/written/'
printf '%s\\n' {HIDDEN}; }} | sort -u"""


@pytest.fixture(scope="module")
def runs(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The origin's administrator has a file of keys without a newline at its end."""
    lab.origin.must(
        f'printf %s "$(cat {KEYS})" > /root/keys; cat /root/keys > {KEYS}; cp {KEYS} /root/before'
    )
    runs = tmp_path_factory.mktemp("runs")
    go_to_the_key(lab, runs)
    return runs


def go_to_the_key(lab: Lab, runs: Path) -> None:
    run = opened(lab, runs)
    try:
        for step in run.procedure.steps:
            run(step)
            if step.name == "key-authentication":
                break
    finally:
        run.close()


def unchanged(lab: Lab) -> bool:
    return lab.origin.run(f"cmp {KEYS} /root/before").returncode == 0


def test_the_key_has_a_line_of_its_own(lab: Lab, runs: Path):
    before, now = lab.origin.must("cat /root/before"), lab.origin.must(f"cat {KEYS}")
    assert now.startswith(f"{before}\nfrom=")
    assert now.count("bmnb:test\n") == 1
    assert lab.target.run(f"{SSH} root@origin '{LOGIN}' < /dev/null").returncode == 0


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    "attack",
    [
        "rsync -s --remove-source-files -r -e '{ssh}' root@origin:/root/precious/ /root/stolen/",
        "rsync -s -M--log-file=/root/.ssh/authorized_keys -M--log-file-format=planted -e '{ssh}' root@origin:/etc/aliases /root/",
        "rsync -M--log-file=/root/written -e '{ssh}' root@origin:/etc/aliases /root/",
        "rsync --remove-source-files -e '{ssh}' root@origin:/etc/aliases /root/",
        "rsync -e '{ssh}' /etc/hostname root@origin:/etc/aliases",
        "rsync -e '{ssh}' root@origin::",
        "rsync -e '{ssh}' --rsync-path='touch /root/written; rsync' root@origin:/etc/aliases /root/",
        "{ssh} root@origin 'rsync --server --daemon .' < /dev/null",
        "{ssh} root@origin 'rsync --server --sender -r . /etc/hostname;touch${{IFS}}/root/written' < /dev/null",
        "{ssh} -tt root@origin < /dev/null",
        "{ssh} -o ExitOnForwardFailure=yes -N -R 7777:127.0.0.1:22 root@origin < /dev/null",
        "{ssh} -s root@origin sftp < /dev/null",
        "scp -F /var/lib/bmnb/test/ssh_config /etc/hostname root@origin:/root/written",
    ],
)
def test_an_attack_changes_nothing_on_the_origin(lab: Lab, attack: str):
    lab.origin.must(f"mkdir -p /root/precious; echo 1 > /root/precious/file; touch {MARK}; sleep 0.05")
    failed = lab.target.run("timeout 20 " + attack.format(ssh=SSH))
    assert failed.returncode not in (0, 124), failed.stdout
    assert lab.origin.must(CHANGED) == ""
    assert lab.origin.must("cat /root/precious/file") == "1\n"


@pytest.mark.usefixtures("runs")
def test_of_every_option_of_rsync_only_those_pass_that_the_run_uses(lab: Lab):
    """As words of its other half, and given to rsync itself; beside the other ones, and by stdin with -s."""
    lab.origin.must(f"touch {MARK}; sleep 0.05")
    line = "rsync --server --sender -logDtpre.iLsfxCIvu $option . /var/spool/cyrus/"
    tried = lab.target.must(f"""shopt -s nullglob
{SSH} -o ControlPath=/root/quick -o ControlMaster=yes -o ControlPersist=60 root@origin '{LOGIN}' < /dev/null
quick="{SSH} -o ControlPath=/root/quick"
for option in $({MANUAL}); do
  timeout 20 $quick root@origin "{line}" < /dev/null > /dev/null 2>&1; echo "$option $?"
  for more in '' -s; do
    timeout 20 rsync -r $more $option -e "$quick" root@origin:/etc/aliases /root/got/ < /dev/null > /dev/null 2>&1
  done
done
$quick -O exit root@origin""")
    statuses = dict(row.rsplit(" ", 1) for row in tried.splitlines() if row.startswith("-"))
    assert len(statuses) > 150
    assert {option for option, status in statuses.items() if status != "126"} == {
        "--from0",
        "--delete-missing-args",
    }
    assert lab.origin.must(CHANGED) == ""


def test_on_the_way_back_the_file_is_what_it_was_to_the_byte(lab: Lab, runs: Path):
    latest = next(runs.glob("*/journal.jsonl")).parent
    back = subprocess.run([*BMNB, "rollback", str(latest)], capture_output=True, text=True, check=False)
    assert back.returncode == 0, back.stdout + back.stderr
    assert unchanged(lab)
