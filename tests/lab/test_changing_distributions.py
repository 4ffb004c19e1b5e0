"""A whole distribution change on two real servers: what stops it, what interrupts it, and that nothing is lost."""

import subprocess
from pathlib import Path

import pytest

from bmnb.errors import BmnbError, ConnectionFailed, Stopped
from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from bmnb.lab.server import Server
from bmnb.procedures import changing_distributions as procedure
from tests.lab import meanwhile
from tests.lab.migration import (
    BMNB,
    NOT_YET,
    client_file,
    finish,
    journal,
    kill_all,
    opened,
    start,
    unlisted,
    wait_for,
)

pytestmark = pytest.mark.lab
KEYS = "/root/.ssh/authorized_keys"
SWITCH = ("stop-origin", "take-over")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def refusal(lab: Lab, runs: Path, **more) -> BmnbError:
    """What the prerequisites stop with."""
    run = opened(lab, runs, **more)
    try:
        with pytest.raises(BmnbError) as stopped:
            run(procedure.prerequisites)
        return stopped.value
    finally:
        run.close()


def state(server: Server) -> str:
    """What must not change where a run is refused: data, configuration, databases, access."""
    return server.must(
        "find /var/spool/bm-docs /var/spool/sieve /var/lib/bm-ca /etc/bm /etc/postfix /root/.ssh -type f"
        " -printf '%p %s %T@\\n' | sort | sha256sum; ls /var/lib/bmnb 2> /dev/null; bmctl status | sort | head -2"
    )


SQL = "cd / && runuser -u postgres -- psql -XAtq -d bj -c"

# name, server, what breaks it, what mends it, what the message must say
INHIBITORS = [
    (
        "version",
        "target",
        "sed -i '/^Package: bm-core$/,/^$/s/^Version: .*/Version: 4.9.1111/' /var/lib/dpkg/status",
        "sed -i '/^Package: bm-core$/,/^$/s/^Version: .*/Version: 4.9.3884/' /var/lib/dpkg/status",
        "bm-core: 4.9.3884 on the origin, 4.9.1111 on the target",
    ),
    (
        "external-url",
        "target",
        "sed -i 's/bluemind.example.org/other.example.org/' /etc/bm/bm.ini",
        "sed -i 's/other.example.org/bluemind.example.org/' /etc/bm/bm.ini",
        "bluemind.example.org and other.example.org",
    ),
    (
        "empty tree",
        "origin",
        "mount -t tmpfs none /var/spool/bm-docs",
        "umount /var/spool/bm-docs",
        "/var/spool/bm-docs is empty",
    ),
    (
        "unmounted tree",
        "origin",
        "echo 'UUID=1234 /var/spool/sieve ext4 defaults 0 0' >> /etc/fstab",
        "sed -i '/var.spool.sieve/d' /etc/fstab",
        "/var/spool/sieve is unmounted",
    ),
    (
        "small disk",
        "target",
        "mkdir -p /var/spool/cyrus; mount -t tmpfs -o size=1m none /var/spool/cyrus",
        "umount /var/spool/cyrus",
        "/var/spool/cyrus needs",
    ),
    (
        "PostgreSQL down",
        "target",
        "systemctl stop postgresql",
        "systemctl start postgresql",
        "PostgreSQL does not answer on target",
    ),
    (
        "subscription",
        "target",
        "sed -i 's/^# distribution: .*/# distribution: bullseye/' /etc/apt/sources.list.d/bm.list",
        "sed -i 's/^# distribution: .*/# distribution: bookworm/' /etc/apt/sources.list.d/bm.list",
        "ERROR;NONE",
    ),
    (
        "backup",
        "origin",
        "touch /run/bmnb-backup-runs",
        "rm /run/bmnb-backup-runs",
        "DataProtect",
    ),
    (
        "several servers",
        "origin",
        f"{SQL} \"INSERT INTO t_server (item_id, uid, ip, fqdn, name, tags) SELECT max(item_id) + 1, 'edge',"
        " '192.0.2.7', 'edge.example.org', 'edge', '{mail/smtp-edge}' FROM t_server\"",
        f"{SQL} \"DELETE FROM t_server WHERE uid = 'edge'\"",
        "edge (192.0.2.7)",
    ),
    (
        "bodies in object storage",
        "origin",
        f"{SQL} \"UPDATE t_systemconf SET configuration = configuration || 'archive_kind => s3'\"",
        f"{SQL} \"UPDATE t_systemconf SET configuration = delete(configuration, 'archive_kind')\"",
        "archive_kind s3",
    ),
    (
        "clocks",
        "target",
        # all servers of a lab have this machine's clock
        'printf \'#!/bin/sh\\nexec /bin/date --date="1 hour ago" "$@"\\n\' > /usr/local/bin/date;'
        " chmod +x /usr/local/bin/date",
        "rm /usr/local/bin/date",
        "s apart",
    ),
    (
        "another database",
        "origin",
        "cd / && runuser -u postgres -- createdb wiki",
        "cd / && runuser -u postgres -- dropdb wiki",
        "wiki",
    ),
]


ALONE = ("PostgreSQL down",)
"""What keeps others from being seen."""
TOGETHER = [[row for row in INHIBITORS if (row[0] in ALONE) == alone] for alone in (False, True)]


def stop_the_run(lab: Lab, runs: Path, inhibitors: list[tuple[str, ...]]) -> None:
    """Each of them is named, with what to do, before anything is touched."""
    for _, server, breaks, _, _ in inhibitors:
        lab.server(server).must(breaks)
    try:
        before = state(lab.origin), state(lab.target)
        stopped = refusal(lab, runs)
        assert (state(lab.origin), state(lab.target)) == before
    finally:
        for _, server, _, mends, _ in reversed(inhibitors):
            lab.server(server).must(mends)
    assert isinstance(stopped, Stopped)
    assert stopped.exit_code == 3
    told = [one for one in str(stopped).split("\n- ") if "→" in one]
    assert [says for *_, says in inhibitors if not any(says in one for one in told)] == [], told


@pytest.mark.parametrize("inhibitors", TOGETHER, ids=["all at once", *ALONE])
def test_inhibitors_stop_the_run_before_anything_is_touched(lab: Lab, runs: Path, inhibitors):
    """Together, since all that is wrong is told at once."""
    stop_the_run(lab, runs, inhibitors)


@pytest.mark.soak
@pytest.mark.parametrize("inhibitor", INHIBITORS, ids=[row[0] for row in INHIBITORS])
def test_each_stops_it_by_itself(lab: Lab, runs: Path, inhibitor):
    stop_the_run(lab, runs, [inhibitor])


def test_the_same_machine_under_two_names_is_refused(lab: Lab, runs: Path, tmp_path: Path):
    config = lab.ssh_config.read_text().split("Host target")[0]
    twins = tmp_path / "config"
    twins.write_text(config + config.replace("Host origin", "Host target"))
    stopped = refusal(lab, runs, ssh_config=str(twins))
    assert "two different machines" in str(stopped)
    assert stopped.exit_code == 3


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("HostName {address}", "HostName no-such-host.invalid", "does not resolve"),
        ("HostName {address}", "HostName {address}\n  Port 2222", "refused"),
        ("HostName {address}", "HostName {address}\n  Port 2223", "no answer within"),
        ("UserKnownHostsFile {known}", "UserKnownHostsFile /nowhere", "unknown host key"),
        ("UserKnownHostsFile {known}", "UserKnownHostsFile {changed}", "the host key has changed"),
        ("IdentityFile {key}", "IdentityFile {other}", "may not log in"),
    ],
)
def test_a_server_that_cannot_be_reached_is_named_with_the_reason(
    lab: Lab, runs: Path, tmp_path: Path, before, after, says
):
    lab.origin.must("iptables -I INPUT -p tcp --dport 2223 -j DROP")
    folder = lab.ssh_config.parent
    changed = tmp_path / "changed"
    lines = (folder / "known_hosts").read_text().splitlines()
    # each server's keys under the other one's address
    addresses = [lab.origin.address, lab.target.address]
    changed.write_text(
        "".join(f"{addresses[line.startswith(addresses[0])]} {line.split(' ', 1)[1]}\n" for line in lines)
    )
    lab.target.must("rm -f /tmp/other*; ssh-keygen -q -t ed25519 -N '' -f /tmp/other")
    other = tmp_path / "other"
    other.write_text(lab.target.must("cat /tmp/other"))
    other.chmod(0o600)
    words = {
        "address": lab.origin.address,
        "known": folder / "known_hosts",
        "key": folder / "key",
        "changed": changed,
        "other": other,
    }
    config = tmp_path / "config"
    config.write_text(lab.ssh_config.read_text().replace(before.format(**words), after.format(**words), 1))
    stopped = refusal(lab, runs, ssh_config=str(config))
    assert isinstance(stopped, ConnectionFailed)
    assert says in str(stopped)
    assert "origin" in str(stopped)


def test_an_unanswered_confirmation_stops_the_run(lab: Lab, runs: Path):
    code, said = finish(client_file(lab, runs, answers={}, through="hot-synchronization"))
    assert code == 3
    assert "answer `erase-target: target` to go on" in said
    assert "is running" in lab.target.must("bmctl status")
    folder = next(runs.glob("*-test-changing-distributions"))
    subprocess.run([*BMNB, "rollback", folder], check=True)


def test_a_step_out_of_order_is_refused(lab: Lab, runs: Path):
    run = opened(lab, runs)
    with pytest.raises(Stopped, match="comes after"):
        run(procedure.import_databases)
    run.close()


# one run, to its end


@pytest.fixture(scope="module")
def whole(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's folder. The origin's administrator has a file of keys that is a link, without a newline at its end."""
    lab.origin.must(
        f'printf %s "$(cat {KEYS})" > /root/keys; cp /root/keys /root/before; ln -sf /root/keys {KEYS}'
    )
    return tmp_path_factory.mktemp("whole") / "runs"


def test_killed_in_every_phase_cut_and_restarted_it_comes_to_the_switch(lab: Lab, whole: Path):
    """That is not answered yet."""
    runs, client = whole, client_file(lab, whole, answers=NOT_YET)

    killed = start(client)
    wait_for(killed, runs, "/var/spool/cyrus", "hot-synchronization")
    kill_all(killed)
    lab.origin.must(f"sed -i --follow-symlinks '1i # by a colleague' {KEYS}")

    slow = '#!/bin/sh\ncase "$*" in *bm-hsm*) sleep 300 ;; esac\nexec /usr/bin/rsync "$@"\n'
    lab.target.must(f"cat > /usr/local/bin/rsync <<'END'\n{slow}END\nchmod +x /usr/local/bin/rsync; sync")
    restarted = start(client, "--through", "hot-synchronization")
    wait_for(restarted, runs, "/var/spool/bm-hsm", "hot-synchronization")
    lab.target.run("systemctl reboot --force --force")
    said, _ = restarted.communicate(timeout=300)
    lab.target.wait()
    lab.target.must("rm /usr/local/bin/rsync")
    assert restarted.returncode == 1
    assert "the server restarted" in said
    assert "is stopped" in lab.target.must("bmctl status"), (
        "a restart does not bring the target's services back"
    )

    killed = start(client)
    wait_for(killed, runs, "/var/spool/cyrus", "cold-synchronization")
    kill_all(killed)

    half = '#!/bin/sh\n/usr/bin/pg_dump "$@" | head -c 200000\n'
    lab.origin.must(f"cat > /usr/local/bin/pg_dump <<'END'\n{half}END\nchmod +x /usr/local/bin/pg_dump")
    code, said = finish(client)
    assert code == 3
    assert "cut: no closing comment" in said
    databases = lab.target.must(
        "systemctl start postgresql; cd /; runuser -u postgres -- psql -XAtc 'SELECT datname FROM pg_database'"
    )
    assert {"bj", "bj-data"} <= set(databases.split()), "nothing was dropped"
    lab.origin.must("rm /usr/local/bin/pg_dump")

    killed = start(client)
    wait_for(killed, runs, "import bj-data", "import-databases")
    kill_all(killed)

    code, said = finish(client)
    assert code == 3, said
    assert "answer `switch-servers: origin` to go on" in said


def test_the_origin_was_started_meanwhile_which_is_noticed(lab: Lab, whole: Path):
    meanwhile.assert_noticed(lab, client_file(lab, whole))


def test_it_comes_to_the_same_end_and_nothing_is_lost(lab: Lab, whole: Path):
    code, said = finish(client_file(lab, whole))
    assert code == 0, said
    assert unexpected(lab) == []
    assert (unlisted(lab.target, False), unlisted(lab.origin, True)) == ([], []), "see docs/safety.md"
    lines = journal(whole)
    back = max(number for number, line in enumerate(lines) if line["event"] == "reopened")
    before, after = (
        [line for line in part if line["event"] == "done" and line["action"].startswith(SWITCH)]
        for part in (lines[:back], lines[back:])
    )
    assert [line["action"] for line in before if line["kind"] == "command"] == [], "it was only looked"
    done = [line["action"] for line in after]
    assert len(done) == len(set(done)), "the switch was done once"
    meanwhile.assert_done_again([line["step"] for line in journal(whole) if line["event"] == "step done"])


def test_the_file_of_keys_is_as_it_was_but_for_what_others_have_done_meanwhile(lab: Lab):
    assert lab.origin.must(f"readlink {KEYS}; cat {KEYS}") == (
        "/root/keys\n# by a colleague\n" + lab.origin.must("cat /root/before")
    )


def test_the_same_command_again_does_nothing_more(lab: Lab, runs: Path):
    """Every run above had a folder of its own: this one is refused, since the target holds the address now."""
    stopped = refusal(lab, runs)
    assert stopped.exit_code in (1, 3)
