"""The stand-in answers as BlueMind does: a client reads it that no one here wrote."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmnb.lab import Lab

pytestmark = pytest.mark.lab
CLIENT = "netbluemind4==4.9.3884"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a virtual environment that has netbluemind4, and nothing of ours."""
    place = tmp_path_factory.mktemp("netbluemind4")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    subprocess.run([str(place / "bin/pip"), "install", "--quiet", CLIENT], check=True)
    return place / "bin/python"


@pytest.fixture
def port(lab: Lab) -> Iterator[int]:
    """A port here that leads to the core's port on the origin."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = ["ssh", "-F", str(lab.ssh_config), "-N", "-L", f"{port}:127.0.0.1:8090", "origin"]
    with subprocess.Popen(command) as forward:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
        forward.terminate()


def test_the_unmodified_client_reads_it(lab: Lab, python: Path, port: int):
    token = lab.origin.must("cat /etc/bm/bm-core.tok")
    script = str(Path(__file__).with_name("ask_netbluemind.py"))
    asked = subprocess.run(
        [str(python), script, f"http://127.0.0.1:{port}/api"],
        input=token,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    told = json.loads(asked.stdout)
    assert told["version"] == ["4.9.3884", "4.9.3884", False]
    assert told["state"] == "CORE_STATE_RUNNING"
    assert told["subscription"] == [True, "PROD"]
    assert told["servers"] == [["bm-master", lab.origin.address]]
    assert f"{lab.origin.address}/32" in told["networks"]
    assert told["task"] == "Success"


def test_bmctl_says_in_text_what_its_exit_status_does_not(lab: Lab):
    assert "bm-core.service is running." in lab.target.must("bmctl status")
    lab.target.must("bmctl stop")
    stopped = lab.target.run("bmctl status")
    assert stopped.returncode == 0
    assert "bm-core.service is stopped." in stopped.stdout
    assert lab.target.run("pg_isready -q").returncode != 0, "PostgreSQL is stopped as well"
    assert lab.target.run("systemctl is-active postfix nginx").returncode == 0, "Postfix and nginx are not"
    lab.target.must("bmctl start")


def test_an_unknown_verb_of_bmctl_is_no_error(lab: Lab):
    asked = lab.target.run("bmctl dance")
    assert (asked.returncode, asked.stdout.split(":")[0]) == (0, "Usage")


def test_mail_maintenance_succeeds_before_any_map_is_written(lab: Lab):
    written = lab.target.must(
        "touch /tmp/mark; sleep 0.1; token=$(cat /etc/bm/bm-core.tok)\n"
        'curl -s -X POST -H "X-BM-ApiKey: $token" http://127.0.0.1:8090/api/system/maildelivery/mgmt/_repair\n'
        "sleep 1; echo; find /etc/postfix -name '*.db' -newer /tmp/mark | wc -l; sleep 5\n"
        "find /etc/postfix -name '*.db' -newer /tmp/mark | wc -l"
    ).split()
    assert written[-2:] == ["0", "5"]
