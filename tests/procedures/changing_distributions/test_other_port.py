"""An origin whose sshd listens at another port than the usual one, whatever the target knows of it."""

import subprocess
from pathlib import Path

import pytest

from bmnb.procedures.changing_distributions.requirements import login
from bmnb.procedures.changing_distributions.settings import NEW_ADDRESS
from bmnb.steps import Check, Result
from bmnb.transfer import access, address
from tests.procedures.changing_distributions.test_ways import actions
from tests.remote.sshd import Sshd, keygen

HERE = "127.0.0.1"


@pytest.fixture
def sshd(tmp_path: Path) -> Sshd:
    return Sshd(tmp_path)


def told(sshd: Sshd) -> str:
    """What the origin tells of its sshd, as `access.host` prints it."""
    return f"{sshd.port}\n{(sshd.place / 'host.pub').read_text()}"


def the_login(make_key: bool) -> Check:
    found = [one for one in login("origin", "target", HERE, make_key) if isinstance(one, Check)]
    return found[-1]


def tried(line: str, text: str, key: Path) -> Result:
    within = ["ssh-agent", "bash", "-c", f"ssh-add -q {key}; {line}"]
    done = subprocess.run(within, input=text, capture_output=True, text=True, check=False)
    return Result("target", line, done.returncode, done.stdout, done.stderr)


def test_the_targets_root_logs_in_there_before_the_run_has_written_anything(sshd: Sshd, tmp_path: Path):
    check = the_login(make_key=False)
    assert check.feed == ("origin", access.host(HERE))
    assert isinstance(check.line, str)
    with sshd.running():
        assert check.judge(tried(check.line, told(sshd), sshd.place / "user")).holds
        stranger = check.judge(tried(check.line, told(sshd), keygen(tmp_path / "stranger")))
        assert not stranger.holds
        assert stranger.seen.startswith("root@127.0.0.1: Permission denied")
        keygen(tmp_path / "other")
        another = f"{sshd.port}\n{(tmp_path / 'other.pub').read_text()}"
        assert not check.judge(tried(check.line, another, sshd.place / "user")).holds, "another host key"


def test_it_is_asked_there_whether_it_answers(sshd: Sshd, tmp_path: Path):
    folder = tmp_path / "run"
    write = access.write_ssh_config(str(folder), "origin", HERE)
    subprocess.run(["bash", "-c", write], input=told(sshd), text=True, check=True)
    answers, no_more = (
        one(str(folder), "origin", HERE) for one in (address.answers_ssh, address.answers_no_more)
    )
    with sshd.running():
        assert subprocess.run(["bash", "-c", answers], capture_output=True, check=True).stdout == b"SSH-"
        assert subprocess.run(["bash", "-c", no_more], check=False).returncode == 1
    assert subprocess.run(["bash", "-c", answers], capture_output=True, check=False).returncode == 1
    assert subprocess.run(["bash", "-c", no_more], check=False).returncode == 0


def test_where_the_port_is_not_known_it_is_not_off(tmp_path: Path):
    line = address.answers_no_more(str(tmp_path / "nowhere"), "origin", HERE)
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=False)
    assert done.returncode == 2
    off = next(one for one in actions(NEW_ADDRESS, keep_reachable=False) if one.title == "the origin is off")
    assert isinstance(off, Check)
    assert 2 not in off.answers
