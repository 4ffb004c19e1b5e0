"""The Containerfile's own steps, done in a Debian tree: they end with JupyterLab and bmnb for a user who is not root."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests import new_user
from tests.containerfile import FILE, RELEASE, ROOT, Container, packages, steps

pytestmark = pytest.mark.timeout(3600)  # Debian's packages are fetched within it, once
ASK = "import sys; from urllib.request import urlopen; print(urlopen(sys.argv[1], timeout=60).status)"


def test_a_step_may_go_over_several_lines():
    text = "# why\nFROM debian\n\nRUN one \\\n && two\nEXPOSE 1\n"
    assert steps(text) == [("FROM", "debian"), ("RUN", "one && two"), ("EXPOSE", "1")]


def test_no_step_names_a_server_of_packages_or_a_secret():
    assert not re.search(r"https?://|index-url|token|password", FILE.read_text(), re.IGNORECASE)


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """All steps done; Debian's packages are those of an earlier time, if there was one."""
    (base, image), (run, first), *others = steps(FILE.read_text())
    assert (base, image, run) == ("FROM", f"debian:{RELEASE}-slim", "RUN")
    with new_user.overlaid(packages(first), tmp_path_factory.mktemp("container")) as tree:
        new_user.reaching_out(tree)
        made = Container(tree)
        for instruction, value in others:
            made.do(instruction, value)
        yield made


@pytest.mark.install
def test_its_user_is_not_root_and_may_not_write_what_is_installed(container: Container):
    assert container.run("id -un").strip() == container.user == "consultant"
    assert container.run("find /opt/bmnb /usr/local/bin -writable ! -type l") == ""
    assert container.run("stat -c '%U %a' runs") == "consultant 700\n"


@pytest.mark.install
def test_a_run_is_planned_and_begun_by_that_user(container: Container):
    assert "rsync" in container.run("bmnb plan changing-distributions")
    container.run("bmnb new changing-distributions --client Example")
    assert container.run("ls runs").split()[-1].endswith("-example-changing-distributions")
    container.run("bmnb fleet --help")


@pytest.mark.install
def test_what_is_asked_of_a_machine_is_there(container: Container):
    container.run("for program in ssh ssh-keygen ssh-add chromium; do command -v $program; done")


@pytest.mark.install
def test_nothing_of_the_checkout_stays_but_what_is_installed(container: Container):
    assert container.run("ls -A /tmp") == ""
    assert container.run("python3 -c 'import sys; print(sys.version_info >= (3, 11))'") == "True\n"
    locked = pinned((ROOT / "requirements.lock").read_text())
    there = pinned(container.run("/opt/bmnb/bin/pip list --format=freeze"))
    # pip and what the bare environment has are not locked
    assert {one for one in there - locked if one[0] in dict(locked)} == set()


def pinned(text: str) -> set[tuple[str, str]]:
    """Packages with their versions, of which a lock file has several by Python and system."""
    return set(re.findall(r"^([\w.-]+)==([^ ;\n]+)", text, re.MULTILINE))


@pytest.mark.install
def test_jupyterlab_answers_at_the_port_that_is_told(container: Container):
    alone = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    lab = subprocess.Popen(
        [*alone, *container.words(*container.command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        address = new_user.address(lab)
        assert f":{container.ports[0]}/" in address
        there = ("nsenter", f"--net=/proc/{lab.pid}/ns/net", sys.executable, "-c", ASK)
        assert subprocess.check_output([*there, address], text=True) == "200\n"
    finally:
        new_user.end(lab)
