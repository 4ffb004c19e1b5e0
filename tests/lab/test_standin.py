"""The stand-in on real servers behaves as the facts on BlueMind say, also where that is awkward."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bmnb.lab import Lab
from bmnb.lab.host import call
from bmnb.lab.images import cached
from bmnb.lab.server import Server
from bmnb.probe import answers_at
from bmnb.transfer import databases
from tests.lab.conftest import booted

pytestmark = pytest.mark.lab
HAS_OWN_PSQL = False

OPTIONS = {"messages": 20_000, "rows": 200_000, "users": 400, "partitions": 256}
ARE_CALM = False
NETBLUEMIND = "netbluemind4==4.9.3884"
TOKEN = "/etc/bm/bm-core.tok"
DOMAIN = "f8de2c4a.internal"


def api(
    server: Server, method: str, path: str, body: str = "", key: str = f"$(cat {TOKEN})"
) -> tuple[int, Any]:
    """Status and answer of a call on the server itself."""
    data = f"-d {body!r}" if body else ""
    said = server.must(
        f"curl -s -X {method} -w '\\n%{{http_code}}' -H \"X-BM-ApiKey: {key}\" {data} http://127.0.0.1:8090{path}"
    )
    text, _, status = said.rpartition("\n")
    return int(status), json.loads(text) if text else None


def wait_until(holds, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)


def sql(server: Server, query: str, database: str = "bj-data") -> str:
    return server.must(f'cd / && runuser -u postgres -- psql -XAtq -d {database} -c "{query}"').strip()


@contextmanager
def forwarded(lab: Lab, host: str) -> Iterator[int]:
    """A local port that leads to the core's, through ssh."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    leads = f"127.0.0.1:{port}:127.0.0.1:8090"
    tunnel = subprocess.Popen(["ssh", "-F", str(lab.ssh_config), "-N", "-L", leads, host])
    try:
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        yield port
    finally:
        tunnel.terminate()
        tunnel.wait()


@pytest.fixture(scope="module")
def netbluemind() -> Path:
    """The Python of an environment with BlueMind's published client, as it is."""

    def build(place: Path) -> None:
        call(sys.executable, "-m", "venv", "--copies", place)
        call(place / "bin/python", "-m", "pip", "install", "--quiet", NETBLUEMIND)

    return cached(NETBLUEMIND.replace("==", "-"), build) / "bin/python"


def test_bluemind_s_own_client_reads_the_api(lab: Lab, netbluemind: Path):
    script = Path(__file__).with_name("netbluemind_client.py")
    before = lab.origin.must("date +%s.%N")
    with forwarded(lab, "origin") as port:
        command = [str(netbluemind), str(script), f"http://127.0.0.1:{port}/api"]
        done = subprocess.run(command, input="admin-origin", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["refused"] == [None, None, "Bad login/pass"]
    assert told["rejected"][:2] == ["PERMISSION_DENIED", "ServerFault"]
    assert told["state"] == "CORE_STATE_RUNNING"
    assert told["version"] == ["4.9.3884", "4.9.3884", False]
    assert told["infos"] == "4.9.3884"
    assert told["subscription"] == ["PROD", True, 2030]
    assert told["kind"] == "PROD"
    assert [one[:2] for one in told["servers"]] == [["bm-master", lab.origin.address]]
    assert {"bm/core", "bm/pgsql-data", "mail/imap"} <= set(told["servers"][0][2])
    assert told["assignments"] == ["bm/pgsql-data", "mail/imap", "mail/smtp"]
    assert told["domains"] == ["global.virt", DOMAIN, "5b1e7f02.internal", "lab.example"]
    assert told["users"] > 200
    assert told["mailboxes"] == told["users"] + 1, "a group has a mailbox too"
    assert told["configuration"]["external_url"] == "bluemind.example.org"
    assert told["configuration"]["password"] == "bj", "secrets are among the values, in clear"
    assert f"{lab.origin.address}/32" in told["configuration"]["mynetworks"]
    assert told["saved"] is None
    assert told["job"] == ["DataProtect"]
    assert told["executions"] == ["SUCCESS"]
    assert told["generations"] == [[False, "VALID"]]
    assert told["schema"] == "OK"
    assert told["firewall"][0] == "Success"
    assert told["mail maintenance"][0] == "Success"
    newer = f"find /etc/postfix -name '*.db' -newermt @{before.strip()} | wc -l"
    wait_until(lambda: lab.origin.must(newer).strip() == "5")


def test_mail_maintenance_has_succeeded_before_any_table_is_written(lab: Lab):
    lab.origin.must("touch /tmp/mark; sleep 0.1")
    newer = "find /etc/postfix -name '*.db' -newer /tmp/mark | wc -l"
    _, task = api(lab.origin, "POST", "/api/system/maildelivery/mgmt/_repair")
    wait_until(lambda: api(lab.origin, "GET", f"/api/tasks/{task['id']}")[1]["state"] == "Success")
    assert lab.origin.must(newer).strip() == "0"
    wait_until(lambda: lab.origin.must(newer).strip() == "5")


def test_what_the_api_refuses(lab: Lab):
    assert api(lab.origin, "GET", "/api/system/installation/version", key="wrong")[0] == 401
    assert api(lab.origin, "GET", "/api/system/installation/state", key="")[0] == 200, "anyone may ask that"
    status, fault = api(lab.origin, "GET", "/api/tasks/unknown")
    assert (status, fault["errorCode"], fault["errorType"]) == (500, "NOT_FOUND", "ServerFault")
    assert api(lab.origin, "POST", "/api/configuration", body="{")[0] == 400
    assert api(lab.origin, "POST", "/api/nothing")[0] == 404
    status, fault = api(lab.origin, "POST", "/api/configuration", body='{"sw_password": ""}')
    assert (status, fault["errorCode"]) == (500, "INVALID_PARAMETER")


def test_my_networks_let_an_excluded_host_relay_once_they_are_saved(lab: Lab):
    before = api(lab.origin, "GET", "/api/configuration")[1]["values"]["mynetworks"]
    body = json.dumps({"mynetworks": "!10.0.0.5, 192.0.2.0/24"})
    assert api(lab.origin, "POST", "/api/configuration", body=body) == (204, None)
    now = lab.origin.must("postconf -h mynetworks").strip()
    assert now == f"10.0.0.5, 127.0.0.0/8, 192.0.2.0/24, {lab.origin.address}/32"
    assert api(lab.origin, "POST", "/api/configuration", body='{"mynetworks": " "}')[0] == 500
    assert api(lab.origin, "POST", "/api/configuration", body=json.dumps({"mynetworks": before}))[0] == 204


def test_the_firewall_keeps_others_from_bluemind_s_ports_until_bmctl_stop(lab: Lab):
    knock = f"timeout 2 bash -c '< /dev/tcp/{lab.origin.address}/5432' 2> /dev/null; echo $?"
    lab.origin.must(
        "conf=$(echo /etc/postgresql/*/main); echo \"listen_addresses = '*'\" > $conf/conf.d/all.conf;"
        " systemctl restart postgresql"
    )
    wait_until(lambda: lab.origin.run("pg_isready -q").returncode == 0)
    assert lab.target.must(knock).strip() == "124", "dropped"
    hosts = lab.origin.must("grep '^bmHosts=' /etc/init.d/bm-iptables").strip()
    assert hosts == f'bmHosts="{lab.origin.address}"'
    lab.origin.must("bmctl stop")
    wait_until(lambda: lab.origin.run("pg_isready -q").returncode != 0)
    wait_until(lambda: "bmports" not in lab.origin.must("iptables -S"))
    lab.origin.must("systemctl start postgresql")
    wait_until(lambda: lab.origin.run("pg_isready -q").returncode == 0)
    assert lab.target.must(knock).strip() == "0", "open to everyone"
    lab.origin.must(
        "rm /etc/postgresql/*/main/conf.d/all.conf; bmctl start; systemctl restart postgresql bm-core"
    )


def test_bmctl_tells_what_runs_and_takes_postgresql_down(lab: Lab):
    server = lab.target
    up = server.run("bmctl status")
    assert up.returncode == 0
    assert "bm-nginx is running." in up.stdout.splitlines()
    assert "bm-core.service is running." in up.stdout.splitlines()
    server.must("systemctl stop bm-eas")
    failed = server.run("bmctl status")
    assert failed.returncode == 1
    assert "bm-eas.service fail - check systemctl status bm-eas.service" in failed.stdout
    assert server.must("bmctl stop") == "Stop BlueMind Services\n"
    # systemd stops the target before its units, so that bmctl returns while they still end
    wait_until(lambda: server.run("bmctl status").returncode == 0)
    stopped = server.run("bmctl status")
    assert stopped.returncode == 0, "consistent, not running"
    assert "bm-core.service is stopped." in stopped.stdout
    assert "bm-nginx is running." in stopped.stdout, "bmctl does not stop nginx"
    wait_until(lambda: server.run("pg_isready -q").returncode != 0)
    assert server.must("systemctl is-active postfix nginx").split() == ["active", "active"]
    asked = server.must("curl -sk -o /dev/null -w '%{http_code}' https://localhost/")
    assert asked == "502"
    server.must("systemctl start bm-tika")
    assert "started while BlueMind is stopped" in server.run("bmctl status").stdout
    assert server.must("bmctl start") == "Start BlueMind Services\n"
    server.must("touch /etc/bm/bm-eas.disabled")
    assert "bm-eas.service is disabled on this node" in server.must("bmctl status")
    server.must("rm /etc/bm/bm-eas.disabled; systemctl start bm-eas")
    unknown = server.run("bmctl fly")
    assert unknown.returncode == 0
    assert unknown.stdout.startswith("Usage:")
    assert server.must("bmctl memory").splitlines()[-1].startswith("Total usage is ")


def test_bm_cli_ends_as_bluemind_s_does(lab: Lab):
    server = lab.origin
    assert server.must("bm-cli setup check-subscription").startswith("OK;")
    assert server.must("bm-cli node status").startswith(
        f"Server {server.address} (bm-master bm-master [bm/core,"
    )
    users = [
        json.loads(line)
        for line in server.must(f'bm-cli user get {DOMAIN} --display "email uid"').splitlines()
    ]
    assert len(users) > 200
    assert set(users[0]) == {"email", "uid"}
    assert "| sw_password" in server.must("bm-cli sysconf list")
    wrong = server.run("bm-cli nothing at-all")
    assert (wrong.returncode, wrong.stdout) == (51, "")
    assert wrong.stderr.startswith("\x1b[31m")
    assert server.run("bm-cli maintenance update-fw").returncode == 51, "it came with 5.x"
    quiet = server.run("bm-cli user get no.such.domain")
    assert quiet.returncode == 0, "it says its error and ends well"
    assert quiet.stderr
    server.must("systemctl stop bm-core")
    assert server.run("bm-cli node status").returncode == 50
    server.must("systemctl start bm-core")


def test_the_setup_wizard_has_a_password_that_the_configuration_changes(lab: Lab):
    def ask(password: str) -> str:
        return lab.target.must(
            f"curl -sk -u admin:{password} -o /dev/null -w '%{{http_code}}' https://localhost/setup/"
        )

    assert (ask("wrong"), ask("setup-target")) == ("401", "200")
    lab.target.must("bm-cli sysconf set sw_password --value another")
    assert (ask("setup-target"), ask("another")) == ("401", "200")
    lab.target.must("bm-cli sysconf set sw_password --value setup-target")


def test_a_core_newer_than_its_database_waits_for_its_upgrade(lab: Lab):
    server = lab.target
    page = "curl -sk -o /dev/null -w '%{http_code}' https://localhost/"
    sql(server, "UPDATE t_component_version SET version = '4.9.1'", "bj")
    server.must("systemctl restart bm-core")
    assert api(server, "GET", "/api/system/installation/state")[1] == "CORE_STATE_UPGRADE"
    assert api(server, "GET", "/api/system/installation/version")[1]["needsUpgrade"] is True
    assert server.must(page) == "503"
    assert "Core upgrade complete" in server.must("bm-cli setup upgrade")
    assert api(server, "GET", "/api/system/installation/state")[1] == "CORE_STATE_RUNNING"
    server.must(f"mv {TOKEN} /etc/bm/away; systemctl restart bm-core")
    assert api(server, "GET", "/api/system/installation/state", key="")[1] == "CORE_STATE_NOT_INSTALLED"
    assert server.must(page) == "302"
    server.must(f"mv /etc/bm/away {TOKEN}; systemctl restart bm-core")
    assert "transition from CORE_STATE_STARTING to CORE_STATE_RUNNING" in server.must(
        "tail -4 /var/log/bm/core.log"
    )


def test_mail_from_outside_reaches_a_mailbox_and_mail_waits_in_the_queue(lab: Lab):
    server = lab.origin
    user = server.must("head -1 /etc/postfix/virtual_mailbox-flat").split()[0]
    server.must(f"printf 'Subject: probe 4711\\n\\nhello\\n' | sendmail {user}")
    wait_until(lambda: "probe 4711" in server.run("cat /var/spool/bm-lmtpd/received").stdout)
    queue = server.must("postqueue -p")
    assert queue.count("someone@later.example") == 5
    assert queue.count("! ") == 1, "one is on hold"
    assert answers_at("SMTP 25", server.address)
    assert answers_at("IMAP 143", server.address)
    assert answers_at("HTTPS 443", server.address)


def test_the_client_s_data_is_there(lab: Lab):
    server = lab.origin
    server.must("systemctl stop bmnb-writer")
    count = server.must("find /var/spool/cyrus/data /var/spool/bm-hsm -name '*.' -type f | wc -l")
    assert 19_000 < int(count) < 21_000
    assert int(server.must("find /var/spool/cyrus -links +1 -type f | wc -l")) > 1000
    assert server.must("stat -c '%U:%G %a' /var/spool/cyrus /var/spool/bm-elasticsearch").split("\n")[:2] == [
        "cyrus:mail 700",
        "elasticsearch:elasticsearch 755",
    ]
    assert server.must("find /var/spool /etc -ignore_readdir_race -nouser -o -nogroup") == ""
    assert server.must("stat -c '%U:%G %a' /etc/bm/bm-core.tok /etc/bm/bm.jks /etc/cyrus-partitions").split(
        "\n"
    ) == [*("root:bluemind 440", "root:root 400", "cyrus:mail 640", "")]
    assert (
        sql(server, "SELECT count(*) FROM pg_inherits WHERE inhparent = 't_mailbox_record'::regclass")
        == "256"
    )
    server.must("cd / && runuser -u postgres -- vacuumdb -qz -d bj-data")
    rows = sql(
        server, "SELECT sum(reltuples)::bigint FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200"
    )
    assert 190_000 < int(rows) < 215_000
    assert sql(server, "SHOW timezone") == "GMT"
    assert int(sql(server, "SELECT count(*) FROM t_domain_user", "bj")) == 401
    assert int(sql(server, "SELECT count(*) FROM t_domain_user")) == 0, "other rows in each database"
    server.must("systemctl start bmnb-writer")


@pytest.mark.parametrize(("name", "rows"), [("origin", r"about \d+ rows"), ("target", "0 rows")])
def test_the_table_that_is_being_copied_is_told_and_rows_where_postgresql_counts(lab: Lab, name, rows):
    server = lab.origin if name == "origin" else lab.target
    sql(server, "ANALYZE t_component_version")
    copy = "runuser -u postgres -- psql -d bj-data -c 'COPY t_component_version FROM STDIN'"
    server.must(f'systemd-run --quiet --unit=copying bash -c "cd /; sleep 60 | {copy}"')
    line = databases.table_under_way("bj-data")
    wait_until(lambda: server.must(line).strip())
    assert re.fullmatch(f"t_component_version: {rows}", server.must(line).strip())
    server.must("systemctl stop copying")


def test_the_writer_is_the_users_at_work(lab: Lab):
    server = lab.origin

    def counted() -> dict[str, int]:
        return json.loads(server.must("cat /var/log/bmnb-writer").replace("'", '"'))

    sizes = "find /var/spool/cyrus/meta -name cyrus.index -printf '%p %s\\n' | sort | sha256sum"
    wait_until(lambda: server.must("cat /var/log/bmnb-writer") != "")
    before, size = counted(), server.must(sizes)
    wait_until(lambda: all(counted()[kind] > before[kind] for kind in before))
    assert server.must(sizes) == size, "flags change an index in place, at the same size"
    assert server.must("ps -o user= -C python3 | sort | uniq -c | grep -c cyrus").strip() == "1"
    assert server.must("find /var/spool/cyrus -ignore_readdir_race -not -user cyrus") == ""
    seconds, first = 3.0, sum(counted().values())
    time.sleep(seconds)
    assert 20 <= (sum(counted().values()) - first) / seconds <= 50, "changes a second"
    assert lab.target.run("systemctl is-active --quiet bmnb-writer").returncode != 0


def test_the_packages_are_real_and_equal_on_both_servers(lab: Lab):
    listed = [
        server.must("dpkg-query -W 'bm-*'; dpkg --verify 'bm-*'; dpkg --audit") for server in lab.servers
    ]
    assert listed[0] == listed[1]
    assert "bm-core\t4.9.3884" in listed[0]


def test_5_has_no_cyrus_its_own_password_and_another_firewall_call():
    small = {"messages": 1000, "rows": 10_000, "users": 20}
    with booted("standin5", bluemind="5.1", **small) as lab:
        server = lab.origin
        assert (
            server.run("ls -d /var/lib/cyrus /var/spool/sieve /etc/bm-hps /etc/imapd.conf /etc/cyrus*").stdout
            == ""
        )
        assert int(server.must("find /var/spool/cyrus/data/by_hash -name '*.zst' | wc -l")) > 900
        passwords = {one.must("grep ^password /etc/bm/bm.ini") for one in lab.servers}
        assert len(passwords) == 2
        assert "password = bj\n" not in passwords
        assert api(server, "POST", "/api/system/security/_updatefirewallrules")[0] == 404
        assert api(server, "POST", "/api/system/firewall/_updatefirewallrules")[0] == 404
        server.must("touch -d yesterday /etc/init.d/bm-iptables; touch /tmp/mark")
        newer = "find /etc/init.d/bm-iptables -newer /tmp/mark"
        server.must("bm-cli sysconf set fwAdditionalIPs --value 192.0.2.9")
        assert server.must(newer) != ""
        server.must("sleep 0.1; touch /tmp/mark; bm-cli sysconf set fwAdditionalIPs --value 192.0.2.9")
        assert server.must(newer) == "", "Save of an unchanged value does nothing"
        assert server.must("bm-cli maintenance update-fw").endswith("Firewall rules updated\n")
        assert server.must(newer) != ""
        assert '192.0.2.9"' in server.must("grep ^bmHosts= /etc/init.d/bm-iptables")
        assert answers_at("IMAP 143", server.address), "the core itself answers"
        assert "[none:anon]" in server.must("head -1 /var/log/bm/core.log")
        first = server.must("cat /var/log/bmnb-writer")
        wait_until(lambda: server.must("cat /var/log/bmnb-writer") != first)
        assert server.must("systemctl is-system-running").strip() == "running"
