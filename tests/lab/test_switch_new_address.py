"""The target keeps its own address: BlueMind is changed to it, names are led there, and the way back is short."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.lab.standin.server.client import EXTERNAL_URL
from bmnb.probe import PORTS, answers_at
from bmnb.transfer.asking.resolving import A
from tests.lab.migration import ANSWERS, BMNB, client_file, finish, journal, start, wait_for
from tests.nameserver import Zone, client_zone, serving

pytestmark = pytest.mark.lab
BACKUPS = "/var/backups/bluemind/dp_spool/rsync"
NAMES = (EXTERNAL_URL, "mx.example.org")
BY_HAND = {"names-changed": "the registrar, seen with dig"}


@pytest.fixture(scope="module")
def zone(lab: Lab) -> Iterator[Zone]:
    """DNS of the lab; the target has a backup's folder of the origin, as by a mount of NFS."""
    here = lab.bridge.address(1)
    for server in lab.servers:
        server.must(f"echo nameserver {here} > /etc/resolv.conf")
    lab.target.must(f"mkdir -p {BACKUPS}/{lab.origin.address}; touch {BACKUPS}/{lab.origin.address}/kept")
    with serving(client_zone(here, lab.origin.address), here) as served:
        served[EXTERNAL_URL, A] = [lab.origin.address]
        yield served


def ours(lab: Lab, runs: Path, **more) -> Path:
    given = {
        "engine": "fast",
        "switch": "new-address",
        "new_address": lab.target.address,
        "keep_reachable": False,
    }
    return client_file(lab, runs, **{**given, **more})


def lead(zone: Zone, address: str) -> None:
    for name in NAMES:
        zone[name, A] = [address]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("new") / "runs"


def test_what_leads_elsewhere_is_told_before_anything_is_touched(lab: Lab, runs: Path, zone: Zone):
    lead(zone, "192.0.2.99")
    lab.origin.must("touch /tmp/before")
    code, said = finish(ours(lab, runs, new_address="198.18.250.9", through="prerequisites"))
    assert code == 3, said
    assert f"the external-url leads to the origin (origin): {EXTERNAL_URL} leads to 192.0.2.99" in said
    assert "the target has 198.18.250.9 (target): no" in said
    lead(zone, lab.origin.address)


def test_the_run_waits_for_who_changes_the_names_with_the_origin_off(lab: Lab, runs: Path, zone: Zone):
    code, said = finish(ours(lab, runs))
    assert code == 3, said
    assert "answer `names-changed: who did it, and how it can be seen` to go on" in said
    assert lab.origin.leader is None, "the origin is off"
    shown = [one for line in journal(runs) for one in line.get("items", []) if "time to live" in one]
    assert [(one["item"], one["time to live"]) for one in shown[:2]] == [
        (EXTERNAL_URL, 300),
        ("mx.example.org", 300),
    ]


def test_it_waits_for_dns_itself_and_ends_under_the_new_address(lab: Lab, runs: Path, zone: Zone):
    zone[EXTERNAL_URL, A] = [lab.target.address]
    running = start(ours(lab, runs, answers={**ANSWERS, **BY_HAND}))
    wait_for(running, runs, "the names lead to the target", "leave-old-address")
    time.sleep(3)
    assert running.poll() is None, "one of the names has not moved"
    lead(zone, lab.target.address)
    said, _ = running.communicate(timeout=600)
    assert running.returncode == 0, said
    assert "finished" in [line["event"] for line in journal(runs)]


def serves(lab: Lab) -> None:
    old, new = lab.origin.address, lab.target.address
    assert all(answers_at(port, new) for port in PORTS)
    assert not any(answers_at(port, old) for port in PORTS), "nothing on the origin serves"
    target = lab.target
    assert target.must("sed -n 's/^host *= *//p; s/^hz-member-address *= *//p' /etc/bm/bm.ini").split() == [
        new,
        new,
    ]
    assert f"core_sync_host: {new}" in target.must("cat /etc/cyrus-replication")
    assert f'["127.0.0.1", "{new}"]' in target.must(
        "cat /usr/share/bm-elasticsearch/config/elasticsearch.yml"
    )
    assert old not in target.must("cat /etc/postfix/transport-flat /etc/init.d/bm-iptables /etc/bm-tick/*")
    networks = target.must("postconf -h mynetworks")
    assert f"{new}/32" in networks
    assert f"{old}/32" not in networks
    query = "SELECT ip FROM t_server UNION SELECT DISTINCT mail_host FROM rc_users"
    assert target.must(f"cd / && runuser -u postgres -- psql -XAtc '{query}' bj").split() == [new]
    assert target.must(f"ls {BACKUPS}").split() == [new]


def test_after_a_restart_of_both_one_server_serves_and_mail_goes_in_and_out(lab: Lab):
    lab.target.restart()
    lab.origin.start()
    for server in lab.servers:
        server.wait()
    lab.target.must(
        "until bmctl status | grep -q 'bm-core.*running' && systemctl is-active -q postfix; do sleep 1; done"
    )
    serves(lab)
    user = lab.target.must("head -n 1 /etc/postfix/virtual_mailbox-flat").split()[0]
    count = "find /var/spool/cyrus -type f -name '*.' | wc -l"
    before = int(lab.target.must(count))
    lab.target.must(f"printf 'Subject: in\\n\\nin\\n' | sendmail -f a@example.org {user}")
    lab.target.must(f"timeout 60 bash -c 'until [ $({count}) -gt {before} ]; do sleep 0.2; done'")


def back(runs: Path, *answers: str) -> tuple[int, str]:
    folder = next(path.parent for path in runs.glob("*/journal.jsonl"))
    done = subprocess.run(
        [*BMNB, "rollback", str(folder), *answers], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_the_way_back_says_what_it_costs_and_the_origin_serves_again(lab: Lab, runs: Path, zone: Zone):
    """It was switched on by hand."""
    code, said = back(runs)
    assert code == 3, said
    assert "who is led to it by name is not served until the names lead back to origin" in said
    code, said = back(runs, "--confirm", "target", "--answer", "origin-is-back=by its console")
    assert code == 3, said
    assert "--answer 'names-back=WHO, HOW IT CAN BE SEEN'" in said
    assert all(answers_at(port, lab.origin.address) for port in PORTS)
    assert not answers_at("SMTP 25", lab.target.address)
    lead(zone, lab.origin.address)
    code, said = back(runs, "--answer", "names-back=the registrar")
    assert code == 0, said
    assert lab.target.must(f"ls {BACKUPS}").split() == [lab.origin.address]
    assert lab.target.address in lab.target.must("cat /etc/bm/bm.ini"), "its own configuration"
    received = lab.origin.must("grep -rl 'Subject: in' /var/spool/cyrus --include='*.' | wc -l")
    assert int(received) >= 1, "what the target has accepted is brought back"
