"""Servers on which somebody lies in wait: links and pipes, an environment of systemd's own, a name that a terminal obeys.

One story on one small lab, told with both engines; then the target is put back to how it was before.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bmnb import report
from bmnb.lab import Lab
from bmnb.lab.compare import compare
from tests.lab.test_faults import Story

pytestmark = pytest.mark.lab
OPTIONS = {"messages": 200, "rows": 1_000, "users": 8}

HOSTILE = r"""useradd -m mallory
echo 'echo a greeting' > /root/speaks
systemctl set-environment BASH_ENV=/root/speaks TAR_OPTIONS=--totals RSYNC_RSH=false
printf 'PRETTY_NAME="Debian \033[2J<img src=x onerror=alert(1)>"\n' >> /etc/os-release
mkdir /root/precious; echo mine > /root/precious/file"""

NAMES = "db.sql bj.dump bj-data.dump bmnb bmnb-bj.dump dumps.key lock lock.guard head end out err programs units key"
IN_TMP = f"""for place in /tmp /var/tmp /dev/shm; do cd $place
  for name in {NAMES}; do runuser -u mallory -- ln -s /root/precious/file $name; runuser -u mallory -- mkfifo $name.new $name.tmp; done
done"""
OURS_IN_TMP = "find /tmp /var/tmp /dev/shm -xdev -user root -type f -newer /root/precious/file"
PRECIOUS = "cd /root/precious; ls; cat file; stat -c %U:%a . file"

IN_WORK = """install -d -o mallory /var/lib/bmnb; cd /var/lib/bmnb
for name in lock.guard lock.new head units; do runuser -u mallory -- ln -s /root/precious/file $name; done"""

IN_TREES = r"""cd /var/spool/cyrus/data
mapfile -t found < <(find . -type f -name '1.' -links 1 | sort | sed -n '1p; 2p; $p'); (( ${#found[@]} == 3 )) || exit 1
rm "${found[0]}" "${found[1]}"; ln -s /root/precious/file "${found[0]}"; mkfifo "${found[1]}"
here=$(dirname "${found[2]}"); mv "$here" "$here.aside"; ln -s /root/precious "$here"
"""
"""On the target between two passes: two messages and a folder, as whoever owns the spool could do."""


@pytest.fixture(scope="module")
def runs(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    lab.origin.must("systemctl stop bmnb-writer; mv /etc/default/bmnb-writer /root/")
    for server in lab.servers:
        server.must(HOSTILE)
        server.must(IN_TMP)
    return tmp_path_factory.mktemp("planted")


def precious(lab: Lab) -> set[str]:
    return {server.must(PRECIOUS) for server in lab.servers}


UNTOUCHED = {"file\nmine\nroot:755\nroot:644\n"}


def test_where_another_user_owns_the_folder_of_runs_nothing_is_begun(lab: Lab, runs: Path):
    lab.target.must(IN_WORK)
    said = Story(lab, runs / "before", {"engine": "fast"}).go("key-authentication")
    assert "others than root can put things in place of what lies in /var/lib/bmnb" in said
    assert precious(lab) == UNTOUCHED
    lab.target.must("rm -r /var/lib/bmnb")


@pytest.mark.parametrize("engine", ["fast", "literal"])
def test_what_is_planted_between_two_passes_is_replaced_and_not_followed(lab: Lab, runs: Path, engine: str):
    story = Story(lab, runs / engine, {"engine": engine})
    story.unlock()
    assert story.go("hot-synchronization") == ""
    lab.target.must(IN_TREES)
    assert story.go("hot-synchronization", again=True) == ""
    assert precious(lab) == UNTOUCHED
    found = [one for one in compare(lab.origin.must, lab.target.must) if "/var/spool/cyrus" in one.name]
    assert found == []
    assert {server.must(OURS_IN_TMP) for server in lab.servers} == {""}
    page = report.write(story.latest).read_text()
    assert "onerror" in page
    assert "\x1b" not in page
    assert "<img src=x" not in page
    if engine == "fast":
        story.assert_rolled_back(story.roll_back())
        story.restart_target()


@pytest.mark.parametrize(
    ("engine", "gone"),
    [("literal", "/var/lib/bmnb/units /var/lib/bmnb/lock /var/lib/bmnb/head"), ("fast", "/var/lib/bmnb")],
    ids=["as a snapshot had it", "removed"],
)
def test_a_target_that_was_put_back_is_not_gone_on_with_and_the_way_back_is_open(
    lab: Lab, runs: Path, engine: str, gone: str
):
    """The first run is that of the test before, the other one a new one."""
    story = Story(lab, runs / engine, {"engine": engine})
    assert story.go("hot-synchronization") == ""
    lab.target.must(f"rm -r {gone}")
    said = story.go("hot-synchronization", again=True)
    assert "target has no trace of “" in said
    assert "go back with bmnb rollback" in said
    story.assert_rolled_back(story.roll_back())
    story.restart_target()
