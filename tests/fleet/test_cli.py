"""The commands of `bmnb fleet` themselves."""

import json
import subprocess
import sys
from pathlib import Path

import yaml
from click.testing import CliRunner, Result

from bmnb.cli import main
from bmnb.fleet.store import Store
from tests.fleet.conductor import entry, inventory


def bmnb(*words: object) -> Result:
    return CliRunner().invoke(main, ["fleet", *map(str, words)])


def fleet(folder: Path, **states: str) -> Store:
    store = Store(folder)
    store.make()
    for place, (name, state) in enumerate(states.items()):
        store.add(name, place=place, source="", settings="{}", wishes=json.dumps({}), state=state)
    return store


def test_nothing_is_made_where_the_input_is_wrong(tmp_path: Path):
    source = inventory(tmp_path, entry("a"), entry("a"))
    refused = bmnb("run", "changing-distributions", source, "--runs", tmp_path / "runs")
    assert (refused.exit_code, (tmp_path / "runs").exists()) == (2, False)
    wrong = bmnb("run", "changing-distributions", source, "--through", "hot")
    assert wrong.exit_code == 2
    assert "hot-synchronization" in wrong.output


def test_one_fleet_command_at_a_time(tmp_path: Path):
    source = inventory(tmp_path, entry("a"))
    with fleet(tmp_path / "runs").alone():
        refused = bmnb("run", "changing-distributions", source, "--runs", tmp_path / "runs")
    assert refused.exit_code == 2
    assert "another fleet command is at work" in refused.output


def test_a_folder_of_runs_has_one_fleet(tmp_path: Path):
    fleet(tmp_path / "runs").tell(procedure="updating-bluemind")
    source = inventory(tmp_path, entry("a"))
    refused = bmnb("run", "changing-distributions", source, "--runs", tmp_path / "runs")
    assert refused.exit_code == 2
    assert "has a fleet of updating-bluemind" in refused.output


def test_stop_reaches_the_fleet_command_through_its_state(tmp_path: Path):
    store = fleet(tmp_path, a="started", b="planned", c="done")
    with store.alone():
        assert "asked to end: a\n" in bmnb("stop", "a", "--runs", tmp_path).output
        assert [one.stop for one in store.clients()] == [1, 0, 0]
        assert "asked to end: a, b\n" in bmnb("stop", "--runs", tmp_path).output
        assert [one.stop for one in store.clients()] == [1, 1, 0]
    assert bmnb("stop", "nobody", "--runs", tmp_path).exit_code == 2


def test_the_output_of_a_real_run_is_kept_and_says_why(tmp_path: Path):
    one = {"client": "real", "origin": "no-such-server-1.invalid", "target": "no-such-server-2.invalid"}
    (tmp_path / "real.yaml").write_text(yaml.safe_dump({**one, "ssh_config": str(tmp_path / "none")}))
    failed = bmnb("run", "changing-distributions", tmp_path / "real.yaml", "--runs", tmp_path / "runs")
    assert failed.exit_code == 1, failed.output
    client = Store(tmp_path / "runs").client("real")
    assert client.why.startswith("ConnectionFailed: no-such-server-1.invalid")
    assert (Path(client.folder) / "report.html").exists()
    assert "Prerequisites" in (tmp_path / "runs/fleet/clients/real.log").read_text()
    assert "real: ConnectionFailed" in bmnb("status", "--runs", tmp_path / "runs").output


def test_a_plan_for_a_client_is_done_without_its_servers(tmp_path: Path):
    one = {"client": "plan", "origin": "no-such-server-1.invalid", "target": "no-such-server-2.invalid"}
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump({**one, "dry_run": True}))
    done = bmnb("run", "changing-distributions", tmp_path / "plan.yaml", "--runs", tmp_path / "runs")
    assert done.exit_code == 0, done.output
    assert (Path(Store(tmp_path / "runs").client("plan").folder) / "notebook.ipynb").exists()


def test_the_command_is_small_while_its_runs_are_under_way():
    modules = "bmnb.cli, bmnb.fleet.cli, bmnb.fleet.conduct, bmnb.fleet.engine, bmnb.fleet.notices"
    asked = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert not {"pandas", "matplotlib", "nbconvert", "nbformat", "papermill"} & set(loaded.stdout.split())
