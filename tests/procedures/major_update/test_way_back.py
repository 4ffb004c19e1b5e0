"""Before a major update's packages are put back, somebody must know what has become of the databases."""

from pathlib import Path

import pytest

from bmnb import run as interpreter
from bmnb.bluemind import next_major
from bmnb.errors import Stopped
from bmnb.procedures.major_update import PROCEDURE, Settings
from bmnb.procedures.major_update.update import undo_major_upgrade
from bmnb.run import Run
from bmnb.steps import Phase, Result, Step
from tests.fakes import FakeServers, World

UNDO = Step("Undo: Update the packages", Phase("Rollback"), undo_major_upgrade)


def test_where_postgresql_does_not_answer_a_person_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    world = World()
    monkeypatch.setattr(interpreter, "Servers", lambda *_: FakeServers(world))
    world.answers = {next_major.POSTGRESQL_AWAY: [Result("", "", 0)]}
    run = Run(PROCEDURE, Settings(runs=str(tmp_path), dry_run=False), show=lambda table: None)
    with pytest.raises(Stopped, match="PostgreSQL does not answer"):
        run.do(UNDO, UNDO.name)
    run.close()
    assert not world.effects


def test_the_price_of_each_phase_is_said():
    assert [phase.title for phase in PROCEDURE.phases if not (phase.back and phase.price)] == []


def test_only_the_maintenance_is_downtime_and_its_way_back_names_the_databases():
    [downtime] = [phase for phase in PROCEDURE.phases if phase.downtime]
    assert "once PostgreSQL or the setup wizard has changed them" in downtime.back
    assert "until PostgreSQL or the setup wizard has changed the databases" in Settings().way_back
    assert Settings(keep_packages=False).way_back == "the way back is the backup"
