"""The databases tell which way back it is: the kept packages, or the backup."""

from pathlib import Path
from typing import Any

import pytest

from bmnb import run as interpreter
from bmnb.bluemind import own_files, proofs, wizard
from bmnb.errors import Stopped
from bmnb.packages.tool import INSTALLED
from bmnb.procedures.updating_bluemind import PROCEDURE, Settings
from bmnb.procedures.updating_bluemind.going_back import undo_prepare, undo_upgrade
from bmnb.run import Run
from bmnb.steps import Phase, Result, Step, singles
from tests.fakes import FakeServers, World

UNDO = Step("Undo: Update the packages", Phase("Rollback"), undo_upgrade)
EVERYONE = list(Settings().everyone)


class Platform(FakeServers):
    """A platform whose core runs, whichever version of BlueMind it has."""

    def api(self, host: str, method: str, path: str, **_: Any) -> Any:
        return "CORE_STATE_RUNNING" if path.endswith("state") else {"softwareVersion": "4.9.9"}


def went_back(
    runs: Path, changed: bool, monkeypatch: pytest.MonkeyPatch, **answers: str
) -> tuple[World, Run]:
    """A run whose upgrade is to be undone, where the databases have changed or not."""
    settings = Settings(runs=str(runs), dry_run=False, answers=answers)
    world, folder = World(), settings.work
    monkeypatch.setattr(interpreter, "Servers", lambda *_: Platform(world))
    services = "bm-node.service is running.\n-- now\nbm-node.service is running.\n"
    world.answers = {
        wizard.databases_are("=", folder): [Result("", "", int(changed))],
        wizard.databases_are("!=", folder): [Result("", "", int(not changed))],
        f"({settings.tool.broken}) | grep -q .": [Result("", "", 1)],
        own_files.services(folder): [Result("", "", 0, services)],
        INSTALLED: [Result("", "", 0, "installed bm-node 4.9.9\n")],
        proofs.ask_external_url(settings.address): [Result("", "", 0, "200")],
    }
    return world, Run(PROCEDURE, settings, show=lambda table: None)


def hosts(world: World, words: str) -> list[str]:
    return sorted(host for host, line in world.effects if words in line)


def test_as_long_as_the_databases_are_as_before_packages_and_configuration_are_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    world, run = went_back(tmp_path, False, monkeypatch)
    run.do(UNDO, UNDO.name)
    run.close()
    for words in ("--allow-downgrades", "cp -aT", "bmctl restart"):
        assert hosts(world, words) == sorted(EVERYONE)


def test_once_they_have_changed_the_backup_is_asked_for_and_no_package_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    world, run = went_back(tmp_path, True, monkeypatch)
    with pytest.raises(Stopped, match="restore the full backup"):
        run.do(UNDO, UNDO.name)
    run.close()
    world, run = went_back(tmp_path, True, monkeypatch, **{"restore-backup": "snapshots, by the operator"})
    run.do(UNDO, UNDO.name)
    run.close()
    assert hosts(world, "--allow-downgrades") == hosts(world, "cp -aT") == []


@pytest.mark.parametrize("keep", [True, False])
def test_a_server_that_somebody_has_updated_goes_back_before_the_repositories_are_frozen(keep: bool):
    """BlueMind itself freezes them, and refuses to while its servers differ."""
    settings = Settings(keep_packages=keep)
    titles = [one.title for one in singles(undo_prepare(settings))]
    back = ["put former packages back where they are not as they were kept"] * len(EVERYONE) * keep
    assert titles == [*back, "BlueMind's state", "freeze the repositories on what is installed"]
