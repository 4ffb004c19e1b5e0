"""Connections against a real sshd on the loopback address: commands, sizes, host keys, refusals."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bmnb.bluemind import serving
from bmnb.errors import ActionFailed, ConnectionFailed, InputError
from bmnb.journal import Journal
from bmnb.lock import Lock
from bmnb.redact import Secret
from bmnb.remote import Servers, locks
from bmnb.remote.connection import KEEP, SHELL, begun, script, shell
from bmnb.remote.units import BEFORE, Look, UnitState, folder
from bmnb.steps import Result

MIB = 1 << 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def keygen(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an sshd that runs from it: host `here`, and `jumped` behind it as jump host.

    At 127.0.0.2 it allows two sessions on a connection.
    """
    place = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user", "stranger"):
        keygen(place / name)
    Path("/run/sshd").mkdir(exist_ok=True)
    port = free_port()
    (place / "authorized_keys").write_text((place / "user.pub").read_text())
    (place / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nListenAddress 127.0.0.2\nHostKey {place / 'host'}\n"
        f"StrictModes no\nAuthorizedKeysFile {place / 'authorized_keys'}\nPidFile {place / 'pid'}\nUsePAM no\n"
        f"SetEnv HOME={place}\nMatch LocalAddress 127.0.0.2\nMaxSessions 2\n"
    )
    key = (place / "host.pub").read_text()
    (place / "known").write_text("".join(f"[127.0.0.{number}]:{port} {key}" for number in (1, 2)))
    (place / "changed").write_text(f"[127.0.0.1]:{port} {(place / 'stranger.pub').read_text()}")
    (place / "port").write_text(str(port))
    running = subprocess.Popen(
        ["/usr/sbin/sshd", "-D", "-e", "-f", str(place / "sshd_config")], stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield place
    running.terminate()
    running.wait()


def servers(place: Path, **more: str) -> Servers:
    """Servers with the host `here`, whose configuration may differ in some words."""
    words = {
        "HostName": "127.0.0.1",
        "Port": (place / "port").read_text(),
        "User": "root",
        "IdentityFile": str(place / "user"),
        "UserKnownHostsFile": str(place / "known"),
        **more,
    }
    here = "Host here\n" + "".join(f"  {key} {value}\n" for key, value in words.items())
    (place / "config").write_text(here + here.replace("Host here", "Host jumped") + "  ProxyJump here\n")
    return Servers(place / "config")


@pytest.fixture
def here(place: Path) -> Iterator[Servers]:
    with servers(place) as opened:
        yield opened


def test_a_command_tells_how_it_ended(here: Servers):
    result = here.run("here", "echo out; echo err >&2; exit 7")
    assert (result.exit, result.stdout, result.stderr) == (7, "out\n", "err\n")


def test_a_server_is_asked_at_another_address_for_once(here: Servers):
    assert here.run_at("here", "127.0.0.2", serving.CONTACTED_AT).stdout.split()[2] == "127.0.0.2"
    assert here.run("here", serving.CONTACTED_AT).stdout.split()[2] == "127.0.0.1"


def test_a_server_that_was_moved_is_contacted_there_until_it_is_back(here: Servers):
    for address in ("127.0.0.2", "here"):
        here.reach("here", address)
        told = here.run("here", serving.CONTACTED_AT).stdout.split()[2]
        assert told == ("127.0.0.1" if address == "here" else address)


def test_who_answers_at_another_address_must_be_the_same_machine(here: Servers, place: Path):
    here.pin("here", "0" * 32)
    with pytest.raises(ConnectionFailed, match="leads to another machine than before"):
        here.run_at("here", "127.0.0.2", "true")
    with (
        servers(place, UserKnownHostsFile=str(place / "changed")) as others,
        pytest.raises(ConnectionFailed, match="the host key has changed"),
    ):
        others.run_at("here", "127.0.0.2", "true")


def test_a_user_who_is_not_root_works_by_sudo():
    assert shell("root") == SHELL
    assert shell("consultant") == f"sudo -n -H {SHELL}"


@pytest.fixture
def start_up(place: Path) -> Iterator[Path]:
    """What root's login shell reads there, bash as sshd starts it."""
    yield place / ".bashrc"
    (place / ".bashrc").unlink()


GREETING = (
    "echo '*** production ***'; echo beware >&2; printf 'no end'; head -c 100000 /dev/zero | tr '\\0' x\n"
)


def test_what_a_login_shell_prints_is_no_part_of_an_answer(here: Servers, start_up: Path):
    start_up.write_text(GREETING)
    result = here.run("here", "printf out; echo err >&2; exit 7", stdin="in")
    assert (result.exit, result.stdout, result.stderr) == (7, "out", "err\n")
    assert here.identity("here").machine_id == Path("/etc/machine-id").read_text().strip()


def test_what_a_login_shell_prints_gets_into_no_feed(
    here: Servers, place: Path, tmp_path: Path, start_up: Path
):
    start_up.write_text(GREETING)
    with Servers(place / "config", work=str(tmp_path)) as given:
        fed = given.feed("here", f"printf begin; head -c {MIB} /dev/zero", "jumped", "unit-3")
        with pytest.raises(ActionFailed, match="0 and 3: no room\n") as failed:
            given.feed("here", "true", "here", "full; echo no room; exit 3; true")
    assert Path(fed).read_bytes() == b"begin" + bytes(MIB)
    assert "production" not in str(failed.value)


@pytest.mark.parametrize("instead", ["exec dash", "exec sh", "exit 0", "echo expired >&2; exit 1"])
def test_nothing_is_done_where_the_login_shell_begins_no_bash(
    here: Servers, place: Path, start_up: Path, tmp_path: Path, instead: str
):
    start_up.write_text(f"{instead}\n")
    with pytest.raises(ConnectionFailed, match="here: bash is not begun there for root") as failed:
        here.run("here", f"touch {tmp_path}/done")
    assert ("expired" in str(failed.value)) == ("expired" in instead)
    with Servers(place / "config", work=str(tmp_path)) as given, pytest.raises(ConnectionFailed):
        given.feed("here", f"touch {tmp_path}/done", "here", "unit-4")
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize("told", ["echo hello", "echo; echo", "cat /etc/machine-id; echo no-uuid"])
def test_who_a_server_is_has_its_form(here: Servers, monkeypatch: pytest.MonkeyPatch, told: str):
    monkeypatch.setattr("bmnb.remote.servers.IDENTITY", told)
    with pytest.raises(ConnectionFailed, match=r"here: who it is cannot be read: .* is no (machine|boot)-id"):
        here.identity("here")


def test_a_pipe_fails_where_any_part_of_it_fails(here: Servers):
    assert here.run("here", "false | cat").exit == 1


def test_both_outputs_may_be_large_at_once(here: Servers):
    result = here.run(
        "here",
        f"head -c {20 * MIB} /dev/zero | tr '\\0' e >&2 & head -c {20 * MIB} /dev/zero | tr '\\0' o; wait",
    )
    assert result.ok
    for text, letter in ((result.stdout, "o"), (result.stderr, "e")):
        assert text.startswith("[")
        assert "dropped" in text
        assert KEEP <= text.count(letter) <= 2 * KEEP + 100


def test_input_reaches_the_command_and_nothing_eats_the_rest_of_the_line(here: Servers):
    assert here.run("here", "cat; echo end", stdin="a\nb").stdout == "a\nb\nend\n"
    assert here.run("here", "cat; echo end").stdout == "end\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts")
@pytest.mark.parametrize("before", [begun, lambda text: BEFORE + text], ids=["by ssh", "in a unit"])
def test_a_long_input_needs_no_room_in_tmp(tmp_path: Path, before: Callable[[str], str]):
    """Bash keeps what is longer than a pipe holds in a file."""
    (tmp_path / "input").write_text(before(script("wc -c", "x" * 200_000)))
    full = "mount -t tmpfs -o size=4k full /tmp; head -c 9000 /dev/zero > /tmp/full"
    line = f"{full}; exec bash < {tmp_path}/input"
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", line], capture_output=True, text=True, check=False
    )
    assert done.stdout.split()[-1] == "200001", done.stderr


def test_the_line_stands_in_no_list_of_arguments(here: Servers):
    listed = here.run(
        "here", ": canary-4711; tr '\\0' ' ' < /proc/$$/cmdline; tr '\\0' ' ' < /proc/$PPID/cmdline"
    )
    assert listed.ok
    assert "canary" not in listed.stdout


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=200))
def test_any_text_goes_through_as_input(here: Servers, text: str):
    assert here.run("here", "cat", stdin=text + ".").stdout.rstrip("\n") == (text + ".").rstrip("\n")


def test_commands_run_side_by_side_on_one_connection(here: Servers):
    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(lambda n: here.run("here", f"sleep 0.1; echo {n}").stdout, range(20)))
    assert said == [f"{n}\n" for n in range(20)]


def test_short_commands_in_quick_succession_leave_the_connection_whole(here: Servers):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda number: here.run("here", f"exit {number % 8}"), range(400)))
    assert [result.exit for result in done] == [number % 8 for number in range(400)]


def test_a_session_that_sshd_refuses_is_asked_for_again(place: Path):
    with servers(place, HostName="127.0.0.2") as few, ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda number: few.run("here", f"sleep 0.1; echo {number}"), range(16)))
    assert [result.stdout for result in done] == [f"{number}\n" for number in range(16)]


def test_a_jump_host_is_used(place: Path):
    with servers(place) as opened:
        assert opened.run("jumped", "echo there").stdout == "there\n"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"HostName": "no-such-host.invalid"}, "does not resolve"),
        ({"UserKnownHostsFile": "/nowhere/known"}, "unknown host key"),
        ({"UserKnownHostsFile": "changed"}, "the host key has changed"),
        ({"IdentityFile": "stranger"}, "may not log in"),
        ({"Port": "1"}, "refused"),
    ],
)
def test_a_refusal_says_which_server_and_why(place: Path, more: dict[str, str], says: str):
    found = {key: str(place / value) if (place / value).exists() else value for key, value in more.items()}
    with servers(place, **found) as opened, pytest.raises(ConnectionFailed, match=says) as refused:
        opened.run("here", "true")
    assert "here" in str(refused.value)


def test_a_host_that_never_answers_is_given_up(place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bmnb.remote.connection.CONNECT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        with servers(place, Port=port) as opened, pytest.raises(ConnectionFailed):
            opened.run("here", "true")


def test_a_name_must_lead_to_the_same_machine_again(place: Path):
    with servers(place) as opened:
        opened.pin("here", "another-machine")
        with pytest.raises(ConnectionFailed, match="another machine than before"):
            opened.run("here", "true")


def test_a_broken_connection_is_made_anew_for_the_next_command(here: Servers):
    first = here._connection("here")
    first.close()
    assert here.run("here", "echo again").stdout == "again\n"
    assert here._connection("here") is not first


def test_a_question_is_asked_again_where_the_connection_breaks_meanwhile(here: Servers, tmp_path: Path):
    asked = f"echo asked >> {tmp_path}/asked"
    breaks = "kill $PPID; sleep 9"
    assert here.ask("here", f"{asked}; [ $(wc -l < {tmp_path}/asked) = 2 ] || {{ {breaks}; }}; date").ok
    assert (tmp_path / "asked").read_text() == "asked\n" * 2
    with pytest.raises(ConnectionFailed, match="connection lost"):
        here.run("here", breaks)


def test_a_lock_is_taken_and_recorded_where_the_connection_breaks_meanwhile(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A step begins so; a sign of life of the step before, unanswered for long, ends the connection of both."""
    breaks = f"[ -e {tmp_path}/broken ] || {{ touch {tmp_path}/broken; kill $PPID; sleep 9; }}"
    take = locks.take
    monkeypatch.setattr(
        locks, "take", lambda *words: f"( {take(*words)}\n); status=$?; {breaks}; exit $status"
    )
    journal = Journal(tmp_path / "journal.jsonl")
    with servers(place) as opened:
        opened._work = str(tmp_path / "work")
        Lock(opened, journal, "run", "a run").take(["here"])
    assert (tmp_path / "broken").exists()
    assert [line["event"] for line in journal.lines] == ["locked"]


def test_a_start_whose_answer_is_lost_is_seen_by_its_unit(
    here: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    line = f"echo begun >> {tmp_path}/begun; kill $PPID; sleep 9"
    monkeypatch.setattr("bmnb.remote.units.start", lambda *_: line)
    monkeypatch.setattr("bmnb.remote.units.state", lambda *_: "echo running")
    here.start("here", "unit", "true")
    assert (tmp_path / "begun").read_text() == "begun\n"
    with pytest.raises(ConnectionFailed, match="connection lost"):
        here.start("here", "unit", "true", patience=0)


def test_what_a_broken_connection_kept_from_starting_is_started_then(
    here: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    line = (
        f"[ -e {tmp_path}/cut ] && cat > {tmp_path}/begun || {{ touch {tmp_path}/cut; kill $PPID; sleep 9; }}"
    )
    monkeypatch.setattr("bmnb.remote.units.start", lambda *_: line)
    monkeypatch.setattr("bmnb.remote.units.state", lambda *_: "echo absent")
    here.start("here", "unit", "date")
    assert (tmp_path / "begun").read_text() == "date\n"


@pytest.mark.parametrize("missing", range(1, 7))
def test_nothing_is_done_of_a_text_that_was_cut_short(missing: int):
    whole = script("cat; echo done", "one\ntwo").splitlines(keepends=True)
    cut = subprocess.run(
        SHELL.split(), input="".join(whole[:-missing]), capture_output=True, text=True, check=False
    )
    assert (cut.returncode, cut.stdout) == (2, "")


API = """
import http.server, json, sys
class Core(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = int(self.path.strip('/') or 200)
        fault = {"errorCode": "NOT_FOUND", "errorType": "ServerFault", "message": "no such thing"}
        body = json.dumps({"key": self.headers["X-BM-ApiKey"]} if status == 200 else fault).encode()
        self.send_response(status); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Core).serve_forever()
"""


@pytest.fixture
def api_port() -> Iterator[int]:
    import sys

    port = free_port()
    running = subprocess.Popen([sys.executable, "-c", API, str(port)])
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port
    running.terminate()
    running.wait()


def test_the_api_is_asked_through_the_connection(here: Servers, api_port: int):
    assert here.api("here", "GET", "/200", token=Secret("secret"), port=api_port) == {"key": "secret"}


@pytest.mark.parametrize("status", [400, 404, 500])
def test_anything_but_2xx_is_a_failure_with_its_reason(here: Servers, api_port: int, status: int):
    with pytest.raises(ActionFailed, match=f"HTTP {status} NOT_FOUND no such thing") as failed:
        here.api("here", "GET", f"/{status}", token=Secret("secret"), port=api_port)
    assert "secret" not in str(failed.value)


def test_an_api_that_is_away_is_a_failure(here: Servers):
    with pytest.raises(ActionFailed, match=r"GET /200 on here|cannot reach"):
        here.api("here", "GET", "/200", token=Secret("x"), port=free_port())


@pytest.mark.parametrize("name", ["", "a b", "../x", "a;b", "$(x)", "a\nb"])
def test_a_units_name_is_no_place_for_a_shell(name: str):
    with pytest.raises(InputError):
        folder("/var/lib/bmnb", name)


def test_what_one_server_prints_is_another_s_input_whatever_its_size(
    here: Servers, place: Path, tmp_path: Path
):
    with Servers(place / "config", work=str(tmp_path)) as given:
        fed = Path(given.feed("here", f"head -c {3 * KEEP} /dev/zero; printf 'end\\xff'", "jumped", "unit-1"))
    assert fed.stat().st_size == 3 * KEEP + 4
    assert fed.read_bytes().endswith(b"end\xff")
    assert fed.stat().st_mode & 0o077 == 0


def test_a_feed_that_fails_says_so(here: Servers, place: Path, tmp_path: Path):
    with Servers(place / "config", work=str(tmp_path)) as given, pytest.raises(ActionFailed, match="7 and 0"):
        given.feed("here", "exit 7", "here", "unit-2")


def test_a_connection_lost_while_progress_is_measured_is_waited_out(here: Servers, monkeypatch):
    monkeypatch.setattr("bmnb.remote.servers.time.sleep", lambda _: None)
    ended = Look(UnitState.ENDED, Result("here", "true", 0))
    monkeypatch.setattr(here, "_look", lambda *_: ended)
    lost = iter([True, True, False])

    def measure(look: Look) -> None:
        if next(lost):
            raise ConnectionFailed("here: the connection was lost")

    assert here.follow("here", "unit", on_look=measure) == ended.result


def test_who_may_not_use_sudo_any_more_is_told_so_and_not_waited_for(here: Servers, monkeypatch):
    """It was taken away while a command runs; that goes on, and the same command of ours finds it again."""
    seconds = iter(range(10_000))
    monkeypatch.setattr("bmnb.remote.servers.time.sleep", lambda _: None)
    monkeypatch.setattr("bmnb.remote.servers.time.monotonic", lambda: float(next(seconds)))
    here.connect("here")
    refused = here._connections["here"].no_bash("sudo: a password is required")

    def look(*_: object) -> Look:
        raise refused

    monkeypatch.setattr(here, "_look", look)
    with pytest.raises(ConnectionFailed, match="sudo: a password is required"):
        here.follow("here", "unit", patience=9_000)
    assert next(seconds) < 100
