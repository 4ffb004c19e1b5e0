"""What a unit leaves on its server tells how it ended, also where the disk was full."""

import os
import subprocess
from pathlib import Path

import pytest

from bmnb.failure import failure
from bmnb.remote import units
from bmnb.remote.units import UnitState
from bmnb.steps import Result

NOT_ACTIVE = 'systemctl() { return 1; }\nsystemd-run() { "${@:3}"; }\n'
SMALL = "mount -t tmpfs -o size=64k none {work} && "


def bash(script: str, stdin: str = "") -> Result:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", NOT_ACTIVE + script],
        capture_output=True,
        text=True,
        input=stdin,
        check=False,
    )
    return Result("core", script, done.returncode, done.stdout, done.stderr)


def ended(work: Path, end: str) -> Path:
    place = Path(units.folder(str(work), "one"))
    place.mkdir(parents=True)
    for name in ("lock", "command", "out", "err"):
        (place / name).touch()
    (place / "end").write_text(end)
    return place


@pytest.mark.parametrize("end", ["", "0", "0 ", "\n", "garbage 1", "\0\0\0\0", "0 1.2; rm -rf /"])
def test_an_end_that_is_torn_is_no_end(tmp_path: Path, end: str):
    ended(tmp_path, end)
    assert bash(units.state(str(tmp_path), "one")).stdout == "lost\n"
    looked = units.seen("one", bash(units.look(str(tmp_path), "one", 1000)))
    assert (looked.state, looked.result) == (UnitState.LOST, None)


@pytest.mark.parametrize("end", ["7 1.234\n", "7 1.234" + 57 * " " + "\n"])
def test_a_whole_end_has_status_and_seconds(tmp_path: Path, end: str):
    ended(tmp_path, end)
    result = units.seen("one", bash(units.look(str(tmp_path), "one", 1000))).result
    assert result
    assert (result.exit, result.seconds) == (7, 1.234)


def on_a_small_disk(work: Path, command: str, then: str = "true") -> Result:
    """What is seen of a unit with this command on a file system of 64 kB, and after something else has been done."""
    line = f"{SMALL.format(work=work)} {{ {units.start(str(work), 'one')}\n{then}; cd /; {units.look(str(work), 'one', 1000)}\n}}"
    done = subprocess.run(
        ["unshare", "-m", "bash", "-o", "pipefail", "-c", NOT_ACTIVE + line],
        capture_output=True,
        text=True,
        input=command,
        check=False,
    )
    return Result("core", line, done.returncode, done.stdout, done.stderr)


def test_a_command_that_fills_the_disk_still_tells_how_it_ended(tmp_path: Path):
    looked = units.seen("one", on_a_small_disk(tmp_path, f"cat /dev/zero > {tmp_path}/full; exit 5"))
    assert looked.state is UnitState.ENDED
    assert looked.result
    assert looked.result.exit == 5
    assert f"no room is left on {tmp_path}" in failure(looked.result)


def test_where_the_end_was_not_to_be_written_the_file_system_is_named(tmp_path: Path):
    full = f"cat /dev/zero > {tmp_path}/full; : > {tmp_path}/units/one/end"
    looked = units.seen("one", on_a_small_disk(tmp_path, "true", full))
    assert looked.state is UnitState.LOST
    assert looked.result
    said = failure(looked.result)
    assert "it did not end" in said
    assert f"no room is left on {tmp_path}" in said


def test_a_command_that_does_not_fit_is_not_started(tmp_path: Path):
    said = on_a_small_disk(tmp_path, f"touch {tmp_path}.begun\n#{'x' * 100_000}\n")
    assert not Path(f"{tmp_path}.begun").exists()
    assert "No space left on device" in said.stderr
    assert str(tmp_path) in said.stderr


OF_SYSTEMD = """systemd-run() {
  env BASH_ENV="$PWD/speaks" LD_PRELOAD="" TAR_OPTIONS=--totals PGHOST=192.0.2.1 PATH=/nowhere "$(command -v "$3")" "${@:4}"
}
"""
"""As `systemctl set-environment` or DefaultEnvironment= give it to whatever systemd starts."""


def test_nothing_of_systemd_s_environment_gets_into_a_command(tmp_path: Path):
    (tmp_path / "speaks").write_text("echo a greeting")
    line = f"cd {tmp_path}; {OF_SYSTEMD}{units.start(f'{tmp_path}/work', 'one')}"
    assert bash(line, "env").stderr == ""
    told = units.seen("one", bash(units.look(f"{tmp_path}/work", "one", 1000))).result
    assert told
    got = dict(one.split("=", 1) for one in told.stdout.splitlines())
    assert got.keys() - {"PWD", "OLDPWD", "SHLVL", "_"} == {"HOME", "LC_ALL", "PATH"}
    assert got["PATH"] == os.environ["PATH"]


def test_a_command_that_runs_on_though_its_folder_was_removed_is_not_taken_for_one_never_started(
    tmp_path: Path,
):
    runs = "systemctl() { return 0; }\n"
    assert bash(runs + units.state(str(tmp_path), "one")).stdout == "running\n"
    looked = units.seen("one", bash(runs + units.look(str(tmp_path), "one", 1000)))
    assert (looked.state, looked.result) == (UnitState.RUNNING, None)
    assert bash(units.state(str(tmp_path), "one")).stdout == "absent\n"
