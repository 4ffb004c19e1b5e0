"""What runs beside BlueMind on the origin is found before it is in the way, or missing."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from bmnb.steps import Result
from bmnb.transfer import beside, guards
from bmnb.transfer.asking import asked

TREES = ("/var/spool/bm-docs", "/var/spool/cyrus")


def run(line: str) -> Result:
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True)
    return Result("origin", line, done.returncode, done.stdout, done.stderr)


def said(**facts: Any) -> Result:
    return Result("server", "", 0, json.dumps(facts))


@pytest.fixture
def cron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of jobs in the place of all others."""
    (tmp_path / "opt").mkdir()
    monkeypatch.setattr(beside, "JOBS", f"{tmp_path}/cron.d/*")
    monkeypatch.setattr(beside, "SCRIPTS", f"{tmp_path}/opt/[a-z]+")
    (tmp_path / "cron.d").mkdir()
    return tmp_path / "cron.d" / "job"


@pytest.mark.parametrize(
    "job",
    [
        "* * * * * root touch /var/spool/bm-docs/alive",
        "0 2 * * * root rsync -a /var/spool/ backup:",
        "0 2 * * * root tar -czf /srv/spool.tgz /var/spool",
        "0 2 * * * root find '/var/spool/cyrus' -name x -delete",
    ],
)
def test_a_job_that_works_in_a_tree_is_named_and_not_shown(cron: Path, job: str):
    cron.write_text(f"{job} --password=secret\n")
    found = beside.none(run(beside.jobs(TREES)))
    assert (found.holds, found.seen) == (False, str(cron))


@pytest.mark.parametrize(
    "job",
    [
        "# touch /var/spool/bm-docs/alive",
        "* * * * * root touch /var/spool/anacron/alive",
        "* * * * * root touch /var/spool_old/x",
        "",
    ],
)
def test_any_other_job_is_let_alone(cron: Path, job: str):
    cron.write_text(f"{job}\n")
    assert beside.none(run(beside.jobs(TREES))).holds


def test_a_job_s_script_is_read_too(cron: Path):
    script = cron.parent.parent / "opt/backup"
    cron.write_text(f"0 2 * * * root {script}\n")
    script.write_text("#!/bin/sh\ncp -a /var/spool/cyrus /backup\n")
    assert beside.none(run(beside.jobs(TREES))).seen == str(script)


def test_a_program_that_has_a_file_of_a_tree_open_is_told(tmp_path: Path):
    watched = tmp_path / "watched"
    watched.touch()
    with subprocess.Popen(["tail", "-F", watched]) as program:
        while not (told := beside.none(run(beside.programs([str(tmp_path)]))).seen).endswith(
            f"tail -F {watched}"
        ):
            assert told == "none"
            time.sleep(0.01)
        program.kill()


def test_what_is_asked_on_the_origin_must_listen_on_the_target():
    origin = said(
        asked={"localhost:8891": "main.cf: smtpd_milters", "localhost:9": "x", "localhost:24": "y"},
        listens=["localhost:8891", "localhost:24"],
    )
    verdict = beside.all_listen(origin, said(asked={}, listens=["localhost:24"]))
    assert verdict.seen == "localhost:8891, named in main.cf: smtpd_milters"
    assert beside.all_listen(origin, said(asked={}, listens=["localhost:24", "localhost:8891"])).holds


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("inet:localhost:8891, inet:[::1]:8892", ["localhost:8891", "localhost:8892"]),
        ("smtp:[127.0.0.1]:10024", ["localhost:10024"]),
        ("check_policy_service inet:127.0.0.1:smtp", ["localhost:25"]),
        ("unix:/run/opendkim/socket", ["/run/opendkim/socket"]),
        ("check_policy_service unix:private/dovecot", ["/queue/private/dovecot"]),
        ("check_policy_service unix:private/spf", []),
        ("127.0.0.0/8, [::1]/128", []),
        ("inet:filter.example.org:8891", []),
    ],
)
def test_local_services_are_found_however_they_are_written(
    monkeypatch: pytest.MonkeyPatch, value: str, found: list[str]
):
    answers = {"-nx": f"name = {value}\n", "-M": "spf unix - n n - 0 spawn\n", "-xh": "/queue\n"}
    monkeypatch.setattr(asked, "ask", lambda *command: answers.get(command[1], ""))
    assert list(asked.asked(())) == found


def test_nginx_asks_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asked, "ask", lambda *command: "")
    (tmp_path / "own.conf").write_text("# http://localhost:1\nproxy_pass http://127.0.0.1:3000;\n")
    assert asked.asked([f"{tmp_path}/*"]) == {"localhost:3000": f"{tmp_path}/own.conf"}


def test_what_cannot_be_written_is_named(tmp_path: Path):
    for name in ("tree/folder", "etc"):
        (tmp_path / name).mkdir(parents=True)
    fixed = tmp_path / "etc/main.cf"
    fixed.touch()
    (tmp_path / "tree/link").symlink_to("/nowhere")
    line = guards.unwritable([f"{tmp_path}/tree", f"{tmp_path}/absent"], [f"{tmp_path}/etc/*"])
    assert beside.none(run(line)).holds
    subprocess.run(["chattr", "+i", fixed], check=True)
    try:
        assert beside.none(run(line)).seen == str(fixed)
    finally:
        subprocess.run(["chattr", "-i", fixed], check=True)
