"""The program that the run's key is bound to: these lines, rsync that reads, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import socket
import string
import subprocess
from pathlib import Path
from shlex import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmnb.transfer.access import LETTERS, Around, gate, host, keys_file, write_ssh_config
from bmnb.transfer.programs.postgres import LOCAL

AROUND = Around("printf '<%s>' ", " | tr a-z A-Z")
SNAPSHOT = Around("echo --snapshot=", " bj", "0-9A-F-")
LINE = "echo one; echo \"two $((1 + 1))\"\necho 'three'"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The gate, before an rsync that tells its words."""
    (tmp_path / "rsync").write_text('#!/bin/sh\nprintf "<%s>" "$@"\n')
    (tmp_path / "rsync").chmod(0o755)
    (tmp_path / "gate").write_text(gate(["true", LINE], [AROUND, SNAPSHOT], ["/spool/", "/nowhere/ga*", "/"]))
    return tmp_path / "gate"


def asked(program: Path, line: str) -> subprocess.CompletedProcess[str]:
    environment = {"SSH_ORIGINAL_COMMAND": line, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", program], env=environment, cwd=program.parent, capture_output=True, text=True, check=False
    )


def test_a_line_of_the_run_is_done_as_ssh_would_do_it(program: Path):
    assert asked(program, "true").returncode == 0
    assert asked(program, LINE).stdout == "one\ntwo 2\nthree\n"


def test_what_a_session_is_given_gets_into_no_line(program: Path, monkeypatch: pytest.MonkeyPatch):
    (program.parent / "rsync").write_text("#!/bin/sh\nenv\n")
    program.write_text(gate(["env"], [], ["/spool/"]))
    given = {"https_proxy": "http://proxy", "TAR_OPTIONS": "--exclude-vcs", "RSYNC_RSH": "ssh -p 2222"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    for line in ("env", "rsync --server --sender -re.iLsfxCIvu . /spool/"):
        told = subprocess.run(
            ["bash", program],
            env={**environment, "SSH_ORIGINAL_COMMAND": line},
            capture_output=True,
            text=True,
        ).stdout
        assert "HOME=/root" in told
        assert not [name for name in given if name in told]


@pytest.mark.parametrize(
    "line", ["", "id", "true ", "true; id", LINE + "\nid", "rsync --server -a . /", "/bin/sh"]
)
def test_any_other_line_is_refused(program: Path, line: str):
    refused = asked(program, line)
    assert (refused.returncode, refused.stdout) == (126, "")
    assert "this run's key is not for" in refused.stderr


def test_plain_words_may_stand_where_a_line_is_known_around_them(program: Path):
    assert asked(program, "printf '<%s>' /lists/send.below-3 hot 4 | tr a-z A-Z").stdout == (
        "</LISTS/SEND.BELOW-3><HOT><4>"
    )


@pytest.mark.parametrize(
    "line",
    [
        "echo --snapshot=0000 -f /etc/cron.d/x bj",
        "echo --snapshot=../x bj",
        "printf '<%s>' /lists/../../etc/shadow | tr a-z A-Z",
    ],
)
def test_a_plain_word_is_no_option_and_no_way_out_of_a_folder(program: Path, line: str):
    assert asked(program, "echo --snapshot=0003-1B-1 bj").returncode == 0
    assert asked(program, line).returncode == 126


@given(st.text(max_size=20), st.sampled_from([*"$`;&|<>(){}*?'\"\\\n!~#=,"]), st.text(max_size=20))
def test_no_other_word_may(tmp_path_factory: pytest.TempPathFactory, before: str, odd: str, after: str):
    words = (before + odd + after).replace("\0", "")
    program = tmp_path_factory.getbasetemp() / "gate"
    program.write_text(gate(["true"], [AROUND]))
    assert asked(program, words.join(AROUND[:2])).returncode == 126


def test_what_bash_reads_at_its_start_by_ssh_gets_into_no_answer(program: Path):
    """A login shell that is not bash counts no levels, so that bash takes itself for the one that sshd started."""
    (program.parent / ".bashrc").write_text("echo '*** production ***'\n")
    line = " ".join(map(quote, [*LOCAL, "cat"]))
    program.write_text(gate([f"cd / && {line}"]))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"asked")
        ours.shutdown(socket.SHUT_WR)
        told = subprocess.run(
            ["dash", "-c", f"bash {program}"],
            env={
                "SSH_ORIGINAL_COMMAND": f"cd / && {line}",
                "SSH_CLIENT": "192.0.2.2 1 22",
                "HOME": str(program.parent),
                "PATH": os.environ["PATH"],
            },
            stdin=theirs.fileno(),
            capture_output=True,
            text=True,
            check=True,
        )
    assert told.stdout == "asked"


# as rsync 3.1 to 3.5 send them
READING = (
    "rsync --server --sender -lHogDtpAXre.LsfxCIvu --timeout=600 . /spool/",
    "rsync --server --sender -logDtprHAXe.iLsfxCIvu --timeout=600 . /spool/",
    "rsync --server --sender -logDtpAXrIe.iLsfxCIvu . /nowhere/ga*",
    "rsync --server --sender -lHogDtpAXIRe.LsfxCIvu --timeout=600 --files-from=- --from0 . /",
    "rsync --server --sender -lHogDtpAXcRe.LsfxCIvu --delete-missing-args --files-from=- --from0 . /",
)


@pytest.mark.parametrize("line", READING)
def test_rsync_may_read(program: Path, line: str):
    assert asked(program, line).stdout == "".join(f"<{word}>" for word in line.split()[1:])


def test_a_glob_of_a_path_is_expanded_as_ssh_does_it(program: Path):
    there = str(program.parent / "gat*")
    program.write_text(gate([], (), [there]))
    told = asked(program, f"rsync --server --sender -logDtpre.iLsfxCIvu . {there}")
    assert told.stdout.endswith(f"<.><{program}>")


@pytest.mark.parametrize(
    "words",
    [
        "--server -logDtpre.LsfxCIvu . /spool/",
        "--server --sender --daemon .",
        "--server --daemon .",
        "--daemon",
        "--server --sender -slogDtpre.LsfxCIvu",
        "--server --sender -slogDtpre.LsfxCIvu . /spool/",
        "--server --sender -s . /spool/",
        "--server --sender -logDtpr . /spool/",
        "--server --sender -logDtpre . /spool/",
        "--server --sender -logDtpre.LsfxCIvu /spool/",
        "--server --sender -logDtpre.LsfxCIvu . /spool/ /etc/shadow",
        "--server --sender -logDtpre.LsfxCIvu . /spool/../etc",
        "--server --sender -logDtpre.LsfxCIvu . /spool",
        "--server --sender -logDtpre.LsfxCIvu . $(touch${IFS}made)",
        "--server --sender -logDtpre.LsfxCIvu . /spool/;touch${IFS}made",
        "--server --sender -logDtpre.LsfxCIvu . -s /spool/",
        "--server --sender -logDtpre.LsfxCIvu --files-from=/etc/shadow . /",
        "--server --sender -logDtpre.LsfxCIvu -e sh . /spool/",
        "-e sh --server --sender -logDtpre.LsfxCIvu . /spool/",
        "--sender --server -logDtpre.LsfxCIvu . /spool/",
    ],
)
def test_any_other_rsync_is_refused(program: Path, words: str):
    refused = asked(program, f"rsync {words}")
    assert (refused.returncode, refused.stdout) == (126, "")
    assert not (program.parent / "made").exists()


def manual() -> set[str]:
    """Every option that rsync tells of, those with a value with one, and the opposites."""
    told = subprocess.run(["rsync", "--help"], capture_output=True, text=True, check=True).stdout
    found: set[str] = set(re.findall(r"^-\w\b", told, re.MULTILINE))
    for name, value in re.findall(r"(--[\w-]+)(=\w+)?", told):
        found |= {name, f"--no-{name[2:]}"} if not value else {f"{name}=1", f"{name}=/etc/shadow"}
    return found


HIDDEN = {"--remove-sent-files", "--server", "--sender", "--daemon", "--config=/x", "--protect-args", "--no-s", "--secluded-args", "--log-format=%i", "--dparam=log file=/x", "--list-only", "--qsort", "--iconv=.,.", "-s", "-M--log-file=/x", "-VV", "-@-1"}  # fmt: skip


@pytest.mark.skipif(not shutil.which("rsync"), reason="no rsync")
def test_of_all_options_of_rsync_only_those_pass_that_the_run_uses(program: Path):
    tried = sorted(manual() | HIDDEN)
    assert len(tried) > 150
    line = "rsync --server --sender -logDtpre.LsfxCIvu {} . /spool/"
    passed = {option for option in tried if asked(program, line.format(option)).returncode == 0}
    assert passed == {"--from0", "--delete-missing-args"}


def test_of_all_letters_only_those_pass_that_the_run_uses(program: Path):
    line = "rsync --server --sender -{}e.LsfxCIvu . /spool/"
    tried = string.ascii_letters + string.digits + "@"
    passed = {letter for letter in tried if asked(program, line.format(letter)).returncode == 0}
    assert passed == set(LETTERS)


# where sshd looks for root's keys


def told_by(
    tmp_path: Path, sshd: str, line: str = keys_file("192.0.2.1")
) -> subprocess.CompletedProcess[str]:
    (tmp_path / "sshd").write_text(f"#!/bin/sh\n{sshd}\n")
    (tmp_path / "sshd").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = ["bash", "-o", "pipefail", "-c", line]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("configured", "file"),
    [
        (".ssh/authorized_keys .ssh/authorized_keys2", "/root/.ssh/authorized_keys"),
        ("/etc/ssh/keys/%u", "/etc/ssh/keys/root"),
        ("%h/keys", "/root/keys"),
        ("/k/100%%", "/k/100%"),
    ],
)
def test_the_file_of_keys_is_the_one_that_sshd_tells(tmp_path: Path, configured: str, file: str):
    assert told_by(tmp_path, f"echo 'port 22'; echo 'authorizedkeysfile {configured}'").stdout == f"{file}\n"


@pytest.mark.parametrize(
    ("sshd", "says"),
    [
        ("echo authorizedkeysfile none", "AuthorizedKeysFile none"),
        ("echo 'sshd_config line 7: Bad option' >&2; exit 255", "line 7"),
    ],
)
def test_where_there_is_none_it_is_said_why(tmp_path: Path, sshd: str, says: str):
    told = told_by(tmp_path, sshd)
    assert (told.returncode, told.stdout) == (1, "") or told.returncode == 255
    assert says in told.stderr


@pytest.mark.parametrize(
    ("listens", "port"),
    [
        (["0.0.0.0:22", "[::]:22"], "22"),
        (["[::]:2222"], "2222"),
        (["198.51.100.1:22", "192.0.2.1:2200", "192.0.2.11:2201"], "2200"),
    ],
)
def test_the_target_s_ssh_goes_where_the_origin_s_sshd_listens_and_knows_its_keys(
    tmp_path: Path, listens: list[str], port: str
):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    key = (tmp_path / "other.pub").read_text()
    (tmp_path / "other.pub").unlink()
    says = [f"listenaddress {place}" for place in listens]
    says += [f"hostkey {tmp_path}/other", "hostkey /etc/ssh/that_is_missing"]
    lines = "".join(f"echo '{one}'\n" for one in says)
    told = told_by(tmp_path, lines, host("192.0.2.1"))
    assert told.stdout.split()[:3] == [port, *key.split()[:2]]
    folder = tmp_path / "run"
    write = write_ssh_config(str(folder), "old", "192.0.2.1")
    subprocess.run(["bash", "-c", write], input=told.stdout, text=True, check=True)
    seen = subprocess.run(
        ["ssh", "-G", "-F", folder / "ssh_config", "old"], capture_output=True, text=True, check=True
    ).stdout
    assert {f"port {port}", "hostname 192.0.2.1", "stricthostkeychecking true"} <= set(seen.splitlines())
    known = ["ssh-keygen", "-F", "192.0.2.1", "-f", folder / "known_hosts"]
    assert key.split()[1] in subprocess.run(known, capture_output=True, text=True, check=True).stdout


def test_an_sshd_that_listens_elsewhere_is_named(tmp_path: Path):
    told = told_by(tmp_path, "echo 'listenaddress 198.51.100.1:22'", host("192.0.2.1"))
    assert (told.returncode, told.stdout) == (1, "")
    assert "does not listen on 192.0.2.1: ListenAddress" in told.stderr
