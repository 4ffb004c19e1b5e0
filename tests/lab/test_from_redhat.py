"""From a server of RedHat's family, old and with habits of its own, to Debian: NetworkManager, PGDG's PostgreSQL, rpm."""

from pathlib import Path

import pytest

from bmnb.lab import Lab, habits
from bmnb.lab.habits.families import HABITS
from tests.lab.conftest import SMALL
from tests.lab.migration import client_file, done, finish, opened

pytestmark = pytest.mark.lab
OPTIONS = {**SMALL, "origin": "bookworm", "origin_family": "redhat", "origin_network": "networkmanager"}


@pytest.fixture(scope="module", autouse=True)
def old(lab: Lab) -> None:
    habits.apply(lab, HABITS)


def test_versions_of_rpm_and_dpkg_are_the_same_ones(lab: Lab, tmp_path: Path):
    run = opened(lab, tmp_path, engine="fast")
    try:
        run(run.procedure.steps[0])
    finally:
        run.close()
    [same] = done(tmp_path, "same version of every bm-* package", "prerequisites")
    assert "packages, bm-core 4.9.3884" in same["seen"]


def test_it_moves_to_debian(lab: Lab, tmp_path: Path):
    for server in lab.servers:
        # the run before has left its lock for whoever goes on with it
        server.must("rm -rf /var/lib/bmnb")
    code, said = finish(client_file(lab, tmp_path, engine="fast"))
    assert code == 0, said
    assert done(tmp_path, "files are the same", "verify-copy")
    for habit in HABITS:
        habits.run(lab, {"origin": habit.comes.on_origin, "target": habit.comes.on_target})
    lab.target.must("systemctl is-active postfix bm-core postgresql")
