"""A whole update of three servers: what stops it, what interrupts it, and what is left of a client's own files."""

import json
import re
import signal
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import pytest

from bmnb.errors import Stopped
from bmnb.lab import Lab
from bmnb.lab.server import Server
from bmnb.packages.apt import APT_GET
from bmnb.procedures import updating_bluemind as procedure
from bmnb.rollback import roll_back
from bmnb.run import reopen
from tests.lab.migration import finish, journal, start, wait_for
from tests.lab.platform import ANSWERS, MAILBOX, NEW, OLD, OUTSIDE, client_file, opened, refusal, through

pytestmark = pytest.mark.lab

BOOT = Lab.up_for_update
LIST = "/etc/apt/sources.list.d/bm.list"
STANDIN = "/usr/lib/bmnb-standin/run"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture(autouse=True)
def _no_run_holds_a_server(lab: Lab) -> None:
    """A run that was given up keeps its locks; each test has a run of its own."""
    for server in lab.servers:
        server.must("rm -f /var/lib/bmnb/lock")


def versions(server: Server) -> str:
    return server.must("dpkg-query -W -f '${Version}' bm-node")


@dataclass(frozen=True)
class Fault:
    """Bad input: which server has it, what breaks it and mends it, and what the message must say of it."""

    name: str
    server: str
    breaks: str
    mends: str
    says: str


# each time all of them at once, as all that is missing is told at once
TIMES = (
    (
        Fault(
            "expired subscription",
            "core",
            f"sed -i 's/^# ends: .*/# ends: 1700000000000/' {LIST}",
            f"sed -i 's/^# ends: .*/# ends: 1893456000000/' {LIST}",
            "valid subscription (core): the subscription has expired",
        ),
        Fault(
            "unsigned repository",
            "repository",
            f"mv /var/www/repository/debian/{OLD}/InRelease /root/",
            f"mv /root/InRelease /var/www/repository/debian/{OLD}/",
            "is not signed",
        ),
        Fault(
            "another version on one server",
            "edge",
            "sed -i '/^Package: bm-node$/,/^$/s/^Version: .*/Version: 4.9.1111/' /var/lib/dpkg/status",
            f"sed -i '/^Package: bm-node$/,/^$/s/^Version: .*/Version: {OLD}/' /var/lib/dpkg/status",
            "4.9.1111 on edge",
        ),
        Fault(
            "wrong password of the setup wizard",
            "core",
            "htpasswd -bc /etc/nginx/sw.htpasswd admin another",
            "htpasswd -bc /etc/nginx/sw.htpasswd admin setup-core",
            "is not accepted",
        ),
        Fault(
            "upgrade of Linux",
            "mailbox",
            "echo 'deb http://deb.debian.org/debian trixie main' > /etc/apt/sources.list.d/next.list",
            "rm /etc/apt/sources.list.d/next.list",
            "is for trixie, bookworm runs",
        ),
        Fault(
            "repository in a file that BlueMind does not read",
            "mailbox",
            f'awk \'/^deb/ {{print "Types: deb\\nURIs: " $(NF - 1) "\\nSuites: ./\\nSigned-By: /etc/apt/keyrings/bluemind.asc"}}\' '
            f"{LIST} > {LIST.removesuffix('list')}sources; mv {LIST} /root/",
            f"mv /root/bm.list {LIST}; rm {LIST.removesuffix('list')}sources",
            "mailbox: /etc/apt/sources.list.d/bm.sources",
        ),
        Fault("held package", "core", "apt-mark hold bm-core", "apt-mark unhold bm-core", "bm-core on core"),
        Fault(
            "virtual host that nginx refuses",
            "edge",
            "echo nonsense > /etc/nginx/sites-enabled/broken",
            "rm /etc/nginx/sites-enabled/broken",
            "nginx accepts its configuration (core and mailbox and edge): edge: ",
        ),
    ),
    (
        Fault(
            "expired repository",
            "repository",
            f"{STANDIN} repository debian/{OLD} 'Sat, 01 Jan 2022 00:00:00 UTC'",
            f"{STANDIN} repository debian/{OLD} ''",
            "is expired",
        ),
        Fault(
            "full /var",
            "mailbox",
            # nginx has no folder for its logs there, so that it is not beside what it refuses
            "mount -t tmpfs -o size=50m none /var/log",
            "umount /var/log",
            "/var/log on mailbox has",
        ),
        Fault(
            "repository out of reach of one server",
            "mailbox",
            "ip route add unreachable $(grep -oE '198[0-9.]+' /etc/apt/sources.list)",
            "ip route del unreachable $(grep -oE '198[0-9.]+' /etc/apt/sources.list)",
            "mailbox: E: ",
        ),
        Fault(
            "unknown key",
            "edge",
            "mv /etc/apt/keyrings/bluemind.asc /root/",
            "mv /root/bluemind.asc /etc/apt/keyrings/",
            "edge: E: ",
        ),
        Fault(
            "unknown distribution",
            "edge",
            "mv /etc/os-release /root/ && echo ID=plan9 > /etc/os-release",
            "mv -f /root/os-release /etc/os-release",
            "edge: plan9 is not one that aptitude is for",
        ),
    ),
)


@pytest.fixture(scope="module")
def refusals(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the run stops with, by the name of the fault."""
    said = {}
    for faults in TIMES:
        with ExitStack() as mending:
            for one in faults:
                lab.server(one.server).must(one.breaks)
                mending.callback(lab.server(one.server).must, one.mends)
            stopped = refusal(lab, tmp_path_factory.mktemp("runs"))
        assert isinstance(stopped, Stopped)
        said |= {one.name: str(stopped) for one in faults}
    assert not lab.server("core").run("ls /var/lib/bmnb/test-update").stdout, "nothing is touched"
    return said


@pytest.mark.parametrize("fault", [one for faults in TIMES for one in faults], ids=lambda one: one.name)
def test_an_inhibitor_stops_the_update_before_anything_is_touched(refusals: dict[str, str], fault: Fault):
    told = next(line for line in refusals[fault.name].split("\n- ") if fault.says in line)
    assert "→" in told, "what to do about it"


def test_nothing_else_is_wrong_with_the_platform(lab: Lab, runs: Path):
    run = opened(lab, runs)
    try:
        assert set(run(procedure.prerequisites)["status"]) == {"done"}
    finally:
        run.close()


NODE, KILLED = "/^Package: bm-node$/,/^$/", "s/^Status: .*/Status: install reinstreq half-installed/"


@pytest.mark.parametrize(
    "state",
    [
        f"sed -n '{NODE}p' /var/lib/dpkg/status | sed '{KILLED}' > /var/lib/dpkg/updates/0001",
        f"sed -i '{NODE}{KILLED}' /var/lib/dpkg/status",
    ],
    ids=["noted by dpkg that was killed", "taken up by the next one"],
)
def test_a_package_that_was_killed_while_it_was_unpacked_is_installed_again(lab: Lab, state: str):
    edge = lab.server("edge")
    edge.must(f"apt-get update; {state}")
    assert edge.must(APT_GET.broken).split() == ["bm-node"]
    edge.must(f"export DEBIAN_FRONTEND=noninteractive; {APT_GET.recover}")
    assert edge.must(APT_GET.broken) == ""


def test_a_user_who_is_not_root_is_refused(lab: Lab, runs: Path, tmp_path: Path):
    lab.server("core").must(
        "useradd -m consultant && cp -r /root/.ssh /home/consultant/ && chown -R consultant: /home/consultant"
    )
    config = tmp_path / "config"
    config.write_text(lab.ssh_config.read_text().replace("User root", "User consultant", 1))
    try:
        assert "sudo" in str(refusal(lab, runs, ssh_config=str(config)))
    finally:
        lab.server("core").must("userdel -rf consultant 2>&1")


def test_a_server_that_is_not_named_and_a_major_upgrade_are_refused(lab: Lab, runs: Path):
    stopped = str(refusal(lab, runs, servers=["mailbox"], version="5.1"))
    assert "2 named, the platform has" in stopped
    assert "from 4.9.9 to 5.1" in stopped


def test_without_evidence_of_a_backup_no_package_is_touched(lab: Lab, runs: Path):
    stopped = refusal(lab, runs, "backup", answers={})
    assert "answer `backup:" in str(stopped)
    assert [line["action"].split("/")[0] for line in journal(runs) if "unit" in line] == []


def test_an_update_that_was_not_prepared_stops(lab: Lab, runs: Path):
    stopped = refusal(lab, runs, "refresh", version="")
    assert isinstance(stopped, Stopped)
    assert "nothing newer for core, mailbox, edge" in str(stopped)
    assert "prepare the update" in str(stopped)


def test_what_was_prepared_is_taken_back(lab: Lab, runs: Path):
    through(lab, runs, "prepare")
    assert f"/{NEW} ./" in lab.server("mailbox").must(f"cat {LIST}")
    run = opened(lab, runs)
    try:
        roll_back(run)
    finally:
        run.close()
    for name in ("core", "mailbox", "edge"):
        assert f"/{OLD} ./" in lab.server(name).must(f"cat {LIST}")


def test_virtual_folders_are_listed_by_user_and_their_loss_has_to_be_accepted(lab: Lab, runs: Path):
    core = lab.server("core")
    core.must(
        "echo name=4.0.5 >> /etc/bmnb-standin && systemctl restart bm-core && cd / && runuser -u postgres -- "
        "psql -q bj-data <<'END'\n"
        "INSERT INTO t_container (uid, container_type, name, owner) VALUES ('virtual1', 'mapi', 'Clients', "
        "(SELECT owner FROM t_container WHERE name = 'INBOX' ORDER BY id LIMIT 1));\n"
        "INSERT INTO t_mapi_folders SELECT 'replica', 'virtual1', c.uid, 'Clients 2026' FROM t_container c "
        "WHERE name = 'INBOX' ORDER BY id LIMIT 1;\nEND"
    )
    try:
        stopped = refusal(lab, runs, "points_of_caution")
        told = re.search(r"answer `lose-virtual-folders: (\w+) NAME, REASON`", str(stopped))
        items = [line["items"] for line in journal(runs) if line.get("items")]
        accepted = through(
            lab,
            runs,
            "points_of_caution",
            answers={
                **ANSWERS,
                "lose-virtual-folders": f"{told[1] if told else ''} Anna, Outlook makes them anew",
            },
        )
    finally:
        core.must(
            "sed -i /^name=/d /etc/bmnb-standin && systemctl restart bm-core && cd / && runuser -u postgres -- "
            "psql -q bj-data -c \"DELETE FROM t_mapi_folders; DELETE FROM t_container WHERE uid = 'virtual1'\""
        )
    assert [one["folder"] for one in items[-1]] == ["Clients 2026"]
    seen = "\n".join(accepted.table(procedure.points_of_caution)["seen"])
    assert "accepted by lose-virtual-folders" in seen


@pytest.mark.parametrize("way", ["configuration", "htpasswd"])
def test_a_new_password_of_the_wizard_leaves_no_moment_without_one(lab: Lab, runs: Path, way: str):
    core = lab.server("core")
    ask = "curl -sk -o /dev/null -w '%{http_code} ' --resolve bluemind.example.org:443:127.0.0.1 https://bluemind.example.org/setup/"
    core.must(
        f'rm -f /root/asked; systemd-run --unit=watch-setup bash -c "while {ask} >> /root/asked; do :; done"'
    )
    try:
        through(lab, runs, "wizard_access", recover_wizard=way)
        password = core.must(
            "stat -c '%a' /var/lib/bmnb/test-update/setup-password; cat /var/lib/bmnb/test-update/setup-password"
        )
    finally:
        core.must(
            "systemctl stop watch-setup; htpasswd -vb /etc/nginx/sw.htpasswd admin admin && exit 1; true"
        )
        asked = core.must(
            "cat /root/asked; rm -rf /var/lib/bmnb/test-update; htpasswd -bc /etc/nginx/sw.htpasswd admin setup-core 2>&1"
        )
        core.must("bm-cli sysconf set sw_password --value setup-core")
    assert password.startswith("600\n")
    assert password.split()[1] not in json.dumps(journal(runs))
    assert len(asked.split()) > 10
    assert set(asked.replace("Adding password for user admin", "").split()) == {"401"}


def test_the_repository_key_is_shown_first_and_taken_for_that_repository_alone(lab: Lab, runs: Path):
    servers = [server for server in lab.servers if server.name != "repository"]
    for server in servers:
        server.must(f"rm /etc/apt/keyrings/bluemind.asc && sed -i 's/ *\\[signed-by.*\\]//' {LIST}")
    address = f"http://{lab.server('repository').address}/bluemind-deb.asc"
    wanted = lab.server("repository").must(
        "gpg --with-colons --list-keys | awk -F: '$1 == \"fpr\" {print $10; exit}'"
    )
    stopped = refusal(lab, runs, "repository_signature", import_key=True, key_address=address)
    assert "answer `repository-key:" in str(stopped)
    assert not servers[0].run("ls /etc/apt/keyrings/bluemind.asc").stdout
    answers = {**ANSWERS, "repository-key": "compared by the lab's maker"}
    run = through(lab, runs, "repository_signature", import_key=True, key_address=address, answers=answers)
    assert wanted.strip() in set(run.table(procedure.repository_signature)["fingerprint"])
    for server in servers:
        assert "deb [signed-by=/etc/apt/keyrings/bluemind.asc] http" in server.must(f"cat {LIST}")
        assert server.run("ls /etc/apt/trusted.gpg.d/bluemind*").returncode != 0


def test_what_was_edited_in_postfix_though_the_console_has_it_is_named(lab: Lab, runs: Path):
    edge = lab.server("edge")
    before = edge.must("postconf -h mynetworks").strip()
    edge.must(f"postconf -e 'mynetworks = {before}, 203.0.113.0/24' 'relayhost = relay.example.org'")
    try:
        stopped = str(refusal(lab, runs))
        items = [line["items"] for line in journal(runs) if line.get("items")]
    finally:
        edge.must(f"postconf -e 'mynetworks = {before}' 'relayhost ='")
    assert "edited on the server: mynetworks on edge, relayhost on edge" in stopped
    assert [one["in Postfix"] for one in items[-1]] == ["203.0.113.0/24", "relay.example.org"]


def until(server: Server, condition: str) -> None:
    """Wait on a server until a condition holds there."""
    server.must(f"until {condition}; do sleep 0.05; done", timeout=120)


def kill_half_way(lab: Lab, running: Popen[str], runs: Path) -> None:
    """Kill the upgrade of the core while its packages are half installed, one of them half unpacked."""
    core = lab.server("core")
    wait_for(running, runs, "update the packages", "upgrade")
    until(core, f"tail -n 40 /var/log/dpkg.log | grep -q 'status unpacked bm-core:all {NEW}'")
    core.must("systemctl kill -s KILL 'bmnb-*upgrade*'")
    # it comes next, and is the one that is hit by chance
    core.must(
        f"dpkg --force-confold --unpack /var/cache/apt/archives/bm-core-upgraders_{NEW}_*.deb 2>&1; "
        f"sed -i '/^Package: bm-core-upgraders$/,/^$/{KILLED}' /var/lib/dpkg/status"
    )
    said, _ = running.communicate(timeout=300)
    assert running.returncode == 1, said
    broken = "dpkg-query -W -f '${db:Status-Abbrev}\\n' 'bm-*' | grep -cv ii"
    assert core.must(broken).strip() != "0"
    assert versions(lab.server("mailbox")) == NEW, "the others went on"


def test_until_the_wizard_begins_the_former_packages_are_put_back(lab: Lab, runs: Path):
    """The download is cut, the upgrade killed half way on one server: there is a way back nevertheless."""
    core, edge, repository = (lab.server(name) for name in ("core", "edge", "repository"))
    client = client_file(lab, runs)
    edge.must(
        "systemd-run --unit=other-manager python3 -c 'import fcntl, pathlib, time; "
        'file = open("/var/lib/dpkg/lock-frontend", "w"); fcntl.lockf(file, fcntl.LOCK_EX)\n'
        'while not pathlib.Path("/run/release").exists(): time.sleep(0.1)\''
    )
    running = start(client, procedure=procedure.PROCEDURE)
    wait_for(running, runs, "no other package manager is at work", "save-configuration")
    until(edge, "pgrep -fx 'sleep 2'")
    edge.must("touch /run/release")
    wait_for(running, runs, "download the packages", "download")
    until(core, "ls /var/cache/apt/archives/partial/bm-*")
    repository.must("systemctl stop nginx")
    said, _ = running.communicate(timeout=300)
    repository.must("systemctl start nginx")
    assert running.returncode == 1, said
    assert "what is there already is not fetched twice" in said
    logs = [path.read_text() for path in runs.glob("*/logs/save-configuration-*.log")]
    assert any("waits for" in text for text in logs)
    assert {versions(server) for server in (core, lab.server("mailbox"))} == {OLD}

    kill_half_way(lab, start(client, procedure=procedure.PROCEDURE), runs)

    assert back(runs) == ""
    assert_as_before(lab)


def interrupt(client: Path, runs: Path, title: str, step: str) -> None:
    """Ctrl-C while this runs on its server, where it goes on."""
    running = start(client, procedure=procedure.PROCEDURE)
    wait_for(running, runs, title, step)
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=300)
    assert running.returncode == 3, said


LYING = r"""printf '#!/bin/sh\n[ "$*" = "setup upgrade" ] || exec '$(command -v bm-cli)' "$@"\necho "Upgrade Complete: Success" >&2\n' > /usr/local/sbin/bm-cli
chmod 755 /usr/local/sbin/bm-cli"""
"""A bm-cli whose upgrade says that it has succeeded, and changes nothing."""


def back(runs: Path) -> str:
    """Take the way back; what it asks for, or nothing where it came to its end."""
    run = reopen(max(runs.glob("*-updating-bluemind*")), [procedure.PROCEDURE], show=lambda table: None)
    try:
        roll_back(run)
    except Stopped as stopped:
        return str(stopped)
    finally:
        run.close()
    return ""


def assert_as_before(lab: Lab) -> None:
    for name in ("core", "mailbox", "edge"):
        server = lab.server(name)
        assert versions(server) == OLD
        assert not server.must("dpkg-query -W -f '${db:Status-Abbrev}\\n' 'bm-*' | grep -v ii; true")
        assert f"/{OLD} ./" in server.must(f"cat {LIST}")
        assert not server.run("ls /var/lib/bmnb/test-update/packages").stdout, "not needed any more"
    edge = lab.server("edge")
    assert "made by hand" in edge.must("cat /etc/nginx/sites-enabled/bm-client-access")
    assert "own virtual host" in edge.must("curl -s http://127.0.0.1:8081/")


INTERRUPTED = {
    "prerequisites": "the repository answers and its signature is valid",
    "save-configuration": "keep the installed packages",
    "refresh": "read the lists of packages",
    "upgrade": "update the packages",
}
"""A step of each phase before the setup wizard, and what runs there when it is interrupted."""


@pytest.mark.parametrize("step", INTERRUPTED)
def test_after_an_interrupt_there_is_a_way_back_from_each_phase(lab: Lab, runs: Path, step: str):
    interrupt(client_file(lab, runs), runs, INTERRUPTED[step], step)
    assert back(runs) == ""
    assert_as_before(lab)


BY_HAND = "export DEBIAN_FRONTEND=noninteractive; apt-get -y -o Dpkg::Options::=--force-confold upgrade"


def test_a_server_that_somebody_has_updated_goes_back_with_the_others(lab: Lab, runs: Path):
    """The run has come through the operations in production; no other run is needed, and another one has a way on."""
    code, said = finish(client_file(lab, runs, through="operations-in-production"), procedure.PROCEDURE)
    assert code == 0, said
    edge = lab.server("edge")
    edge.must(BY_HAND)
    assert versions(edge) == NEW
    stopped = str(refusal(lab, runs.with_name("another")))
    assert f"{NEW} on edge" in stopped
    assert "the update brings the others to it" in stopped
    told = re.search(r"answer `differing-versions: (\w+) NAME, REASON`", stopped)
    assert told, "which can be accepted"
    assert back(runs) == ""
    assert_as_before(lab)


def test_a_whole_update_goes_on_after_whatever_interrupts_it(lab: Lab, runs: Path):
    """Ctrl-C in each phase; one server is updated by hand, the upgrade is killed half way on another one.

    The wizard fails, and says that it has succeeded though it has done nothing; then all is well.
    """
    core = lab.server("core")
    client = client_file(lab, runs, test_outside=OUTSIDE)
    interrupt(client, runs, "the repository answers and its signature is valid", "prerequisites")
    interrupt(client, runs, "keep the installed packages", "save-configuration")
    interrupt(client, runs, "download the packages", "download")
    code, said = finish(
        client_file(lab, runs, test_outside=OUTSIDE, through="operations-in-production"), procedure.PROCEDURE
    )
    assert code == 0, said
    lab.server("edge").must(BY_HAND)
    client = client_file(lab, runs, test_outside=OUTSIDE)
    kill_half_way(lab, start(client, procedure=procedure.PROCEDURE), runs)

    core.must("touch /run/bmnb-upgrade-fails")
    code, said = finish(client, procedure.PROCEDURE)
    assert code == 1
    assert 'state of the platform: "CORE_STATE_UPGRADE"' in said
    assert "the way back is the backup" in said
    started = [
        line["server"]
        for line in journal(runs)
        if line["event"] == "started" and line["title"] == "update the packages"
    ]
    assert sorted(started) == ["core", "core", "edge", "mailbox"], "servers that were done are not repeated"

    core.must(f"rm /run/bmnb-upgrade-fails; {LYING}")
    code, said = finish(client, procedure.PROCEDURE)
    assert code == 3, said
    assert "CORE_STATE_UPGRADE" in said, "what cannot heal by waiting is not waited for"
    core.must("rm /usr/local/sbin/bm-cli")
    interrupt(client, runs, "update (bm-cli)", "setup-wizard")
    assert "restore the full backup" in back(runs), "nothing is undone, so that the way forward stays open"
    interrupt(client, runs, "services that ran before run again", "verify-service")
    code, said = finish(client, procedure.PROCEDURE)
    assert code == 0, said
    assert {versions(lab.server(name)) for name in ("core", "mailbox", "edge")} == {NEW}

    assert "restore the full backup" in back(runs)
    assert versions(core) == NEW, "the databases have changed: no package is put back"


def test_the_client_s_own_files_are_as_before(lab: Lab):
    for name in ("core", "edge"):
        server = lab.server(name)
        assert (
            server.must("readlink /etc/nginx/sites-enabled/intranet").strip() == "../sites-available/intranet"
        )
        assert "own virtual host" in server.must("curl -s http://127.0.0.1:8081/")
        assert server.must("postconf -h smtpd_client_connection_rate_limit").strip() == "77"
    assert lab.server("core").must("cat /etc/bm/default/bm-core.ini") == "MEM=2000\n"
    assert lab.server("core").must("cat /etc/bm/default/bm-core.ini.dpkg-dist") == "MEM=1500\n"
    assert "made by hand" in lab.server("core").must("cat /var/lib/bmnb/test-update/changes.diff")


def test_the_repositories_are_frozen_on_what_is_installed(lab: Lab):
    for name in ("core", "mailbox", "edge"):
        assert f"/{NEW} ./" in lab.server(name).must(f"cat {LIST}")


def test_mail_went_in_and_out(lab: Lab):
    assert MAILBOX in lab.server("mailbox").must("cat /var/spool/bm-lmtpd/received")
    assert OUTSIDE in lab.server("repository").must("journalctl -q --no-pager")
