"""Servers in different networks, and somebody who moves the address between them while the run waits."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmnb.errors import BmnbError
from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from bmnb.lab.host import call
from bmnb.probe import PORTS, answers_at
from bmnb.procedures.changing_distributions import prerequisites
from tests.lab.change_journal import QUIET, overlook
from tests.lab.conftest import SMALL, booted
from tests.lab.migration import ANSWERS, BMNB, client_file, done, finish, opened

pytestmark = pytest.mark.lab
MOVED = {**ANSWERS, "address-moved": "the provider, by its console"}

TARGET = """[Match]
Name=host0

[Network]
Address={own}/32
{more}
[Route]
Gateway={router}
GatewayOnLink=yes
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """The target reaches the origin through a router; the origin has an address of its own beside the one that moves."""
    with booted("byhand", **SMALL) as up:
        bridge = up.bridge
        call(
            "bash",
            stdin=f"cd /proc/sys/net/ipv4/conf && echo 1 > {bridge.name}/forwarding && echo 0 > {bridge.name}/send_redirects",
        )
        # by the router the target would wait for a name server that never answers, where others have no way to one
        up.target.must("rm -f /etc/resolv.conf; echo nameserver 127.0.0.1 > /etc/resolv.conf")
        give_back(up)
        config, known = up.ssh_config.read_text(), up.ssh_config.parent / "known_hosts"
        moves, stays = up.origin.address, own(up)
        up.ssh_config.write_text(config.replace(f"HostName {moves}\n", f"HostName {stays}\n"))
        with known.open("a") as file:
            file.write(
                "".join(
                    line.replace(moves, stays, 1)
                    for line in known.read_text().splitlines(keepends=True)
                    if line.startswith(f"{moves} ")
                )
            )
        yield up


def own(lab: Lab) -> str:
    return lab.bridge.address(30)


def configure(lab: Lab, origin: tuple[str, ...], target: str) -> None:
    """What the provider and the administrator do: both servers' network configuration, and the router's knowledge."""
    up = "".join(f"  up ip addr add {one}/24 dev host0\n" for one in origin)
    lab.origin.must(
        f"printf 'auto lo\\niface lo inet loopback\\nauto host0\\niface host0 inet static\\n  address {own(lab)}/24\\n{up}' "
        f"> /etc/network/interfaces; ip addr flush dev host0; ip addr add {own(lab)}/24 dev host0; "
        + "; ".join(f"ip addr add {one}/24 dev host0" for one in origin)
    )
    text = TARGET.format(own=lab.target.address, more=target, router=lab.bridge.address(1))
    lab.target.must(
        f"cat > /etc/systemd/network/10-host0.network <<'END'\n{text}END\nip addr flush dev host0\nsystemctl restart systemd-networkd\n"
        f"until ip route get {lab.origin.address} | grep -qE 'via|^local'; do sleep 0.2; done"
    )
    call("ip", "neigh", "flush", "dev", lab.bridge.name)


def move(lab: Lab) -> None:
    configure(lab, (), f"Address={lab.origin.address}/32\n")


def give_back(lab: Lab) -> None:
    configure(lab, (lab.origin.address,), "")


def ours(lab: Lab, runs: Path, **more) -> Path:
    return client_file(lab, runs, **{"engine": "fast", "switch": "by-hand", **more})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("by-hand") / "runs"


def test_to_take_the_address_over_is_refused_there_with_the_other_ways(lab: Lab, tmp_path: Path):
    run = opened(lab, tmp_path / "runs", switch="take-over")
    with pytest.raises(BmnbError) as refused:
        run(prerequisites)
    run.close()
    assert f"{lab.origin.address} is on the target's own network (target): " in str(refused.value)
    assert "set switch to by-hand" in str(refused.value)
    assert str(refused.value).count("→") == 3, refused.value


def test_the_hot_synchronization_begins_a_journal_of_changes(lab: Lab, runs: Path):
    lab.origin.must(f"mkdir {QUIET}; echo old > {QUIET}/document")
    code, said = finish(ours(lab, runs, through="hot-synchronization"))
    assert code == 0, said
    [kept] = done(runs, "keep a journal of changes", "hot-synchronization")
    assert kept["row"]["journal of changes"], "it says whether there is one"


def test_the_run_waits_until_the_address_was_moved(lab: Lab, runs: Path):
    overlook(lab.origin)
    code, said = finish(ours(lab, runs))
    assert code == 3, said
    assert "answer `address-moved: who did it, and how it can be seen` to go on" in said
    assert lab.origin.must("ss -ltn '( sport = :443 or sport = :25 )' | tail -n +2") == "", (
        "nothing serves there"
    )


def test_what_a_journal_does_not_name_is_copied_before_the_switch(runs: Path):
    """The journal of changes is a hint: what it does not name is found by the comparison."""
    cold = done(runs, "what changed in the trees", "cold-synchronization")[-1]["row"]
    assert cold["folders looked at"] > 0
    first, again = (
        done(runs, title, "verify-copy")[-1]["row"]
        for title in ("compare the trees", "compare the trees again")
    )
    assert (first["differences"] > 0, again["differences"]) == (True, 0)


def test_what_was_said_to_be_moved_and_was_not_is_found_out(lab: Lab, runs: Path):
    code, said = finish(ours(lab, runs, answers=MOVED))
    assert code == 3, said
    assert f"the origin is off {lab.origin.address} (origin)" in said


def test_the_run_goes_on_once_the_target_answers_there(lab: Lab, runs: Path):
    move(lab)
    code, said = finish(ours(lab, runs, answers=MOVED))
    assert code == 0, said
    assert unexpected(lab) == []
    assert lab.origin.must("systemctl list-units --plain --no-legend 'bmnb-changes-*'") == ""


def test_after_a_restart_of_both_one_server_is_at_the_address(lab: Lab):
    for server in (lab.origin, lab.target):
        server.restart()
        server.wait()
    address = lab.origin.address
    assert serves_within(60, address)
    assert not any(answers_at(port, own(lab)) for port in PORTS), "nothing on the origin serves"
    assert address not in lab.origin.must("ip -o -4 addr").replace("/", " ").split()
    user = lab.target.must("head -n 1 /etc/postfix/virtual_mailbox-flat").split()[0]
    lab.target.must(f"printf 'Subject: came-by-hand\\n\\nin\\n' | sendmail -f a@example.org {user}")
    lab.target.must(
        "timeout 60 bash -c 'until grep -rqs \"^Subject: came-by-hand\" /var/spool/cyrus --include=*.; do sleep 0.5; done'"
    )


def serves_within(seconds: float, address: str) -> bool:
    """Whether every port answers in time; services start one after the other."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if all(answers_at(port, address) for port in PORTS):
            return True
        time.sleep(0.5)
    return False


def back(runs: Path, *answers: str) -> tuple[int, str]:
    folder = next(path.parent for path in runs.glob("*/journal.jsonl"))
    done = subprocess.run(
        [*BMNB, "rollback", str(folder), *answers], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_the_way_back_waits_for_the_address_too(lab: Lab, runs: Path):
    code, said = back(runs)
    assert code == 3, said
    assert f"nobody is served until {lab.origin.address} was moved back to origin by hand" in said
    code, said = back(runs, "--confirm", "target")
    assert code == 3, said
    assert f"have {lab.origin.address} moved back to origin" in said
    give_back(lab)
    code, said = back(runs, "--answer", "origin-is-back=the provider")
    assert code == 0, said
    assert all(answers_at(port, lab.origin.address) for port in PORTS)
    assert (
        int(lab.origin.must("grep -rl '^Subject: came-by-hand' /var/spool/cyrus --include='*.' | wc -l")) >= 1
    )
