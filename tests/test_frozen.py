"""What a run was begun with does not change under way: it is refused before a server is contacted."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from bmnb import headless, procedures
from bmnb import run as interpreter
from bmnb.errors import InputError
from bmnb.folders import folder_of
from bmnb.frozen import held, refuse_changes, reopen_changed, rests_on
from bmnb.journal import Journal
from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.run import Run, begin, reopen
from bmnb.steps import Procedure, singles
from tests.fakes import World

PAST_THE_FIRST_STEP = ("step done", {"step": "prerequisites"})


def begun(folder: Path, *events: tuple[str, dict[str, Any]], **given: Any) -> Settings:
    """The settings of a run that is in its folder."""
    settings = Settings(folder=str(folder), dry_run=False, **given)
    journal = Journal(folder / "journal.jsonl")
    journal.write("opened", procedure=PROCEDURE.name, version="1", settings=vars(settings))
    for event, facts in events:
        journal.write(event, **facts)
    return settings


CHANGES = {
    "origin": "other.domain.tld",
    "target": "other.domain.tld",
    "address": "192.0.2.99",
    "client": "Other",
    "carry_forgotten": False,
    "make_key": False,
    "ssh_config": "other/config",
    "switch": "by-hand",
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_what_steps_have_proven_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    world = World()
    monkeypatch.setattr(interpreter, "Servers", world.servers)
    settings = begun(tmp_path, PAST_THE_FIRST_STEP)
    run = Run(PROCEDURE, replace(settings, **{name: CHANGES[name]}), show=lambda table: None)
    with pytest.raises(InputError, match=rf"{name}: (.|\n)*begin a new run") as refused:
        run(PROCEDURE.steps[1])
    assert refused.value.exit_code == 2
    assert world.effects == []
    assert len(list(run.journal.events("opened"))) == 1, "the journal keeps what counts"


def test_until_a_step_is_done_everything_can_be_put_right(tmp_path: Path):
    settings = begun(tmp_path)
    refuse_changes(PROCEDURE, Journal(tmp_path / "journal.jsonl"), replace(settings, **CHANGES))


def test_the_way_out_that_a_remedy_names_stays_open(tmp_path: Path):
    settings = begun(tmp_path, PAST_THE_FIRST_STEP, engine="fast", database_copy="replication")
    journal = Journal(tmp_path / "journal.jsonl")
    refuse_changes(PROCEDURE, journal, replace(settings, database_copy="rows"))
    refuse_changes(PROCEDURE, journal, replace(settings, engine="literal", database_copy="rows"))


def test_the_literal_engine_has_prepared_nothing_for_the_fast_one(tmp_path: Path):
    settings = begun(tmp_path, PAST_THE_FIRST_STEP, engine="literal")
    with pytest.raises(InputError, match="engine: literal, now fast"):
        refuse_changes(PROCEDURE, Journal(tmp_path / "journal.jsonl"), replace(settings, engine="fast"))


def test_what_no_step_rests_on_may_change(tmp_path: Path):
    settings = begun(tmp_path, PAST_THE_FIRST_STEP)
    later = replace(settings, hot_passes=3, streams=2, known_empty=["/var/spool/bm-docs"], language="fr")
    refuse_changes(PROCEDURE, Journal(tmp_path / "journal.jsonl"), later)


def done(name: str) -> tuple[str, dict[str, Any]]:
    return "step done", {"step": name}


def command(name: str) -> tuple[str, dict[str, Any]]:
    return "started", {"action": f"{name}/1", "kind": "command", "line": "true"}


@pytest.mark.parametrize(
    ("name", "value", "rests"),
    [
        ("keep_reachable", True, ["prerequisites"]),
        ("keycloak_database", "sso", ["prerequisites", "key-authentication"]),
    ],
)
def test_what_rests_on_a_change_is_done_again_while_it_can_be(
    tmp_path: Path, name: str, value: Any, rests: list[str]
):
    without = {"keep_reachable": False}
    settings = begun(
        tmp_path, PAST_THE_FIRST_STEP, command("key-authentication"), done("key-authentication"), **without
    )
    journal = Journal(tmp_path / "journal.jsonl")
    later = replace(settings, **{name: value})
    refuse_changes(PROCEDURE, journal, later)
    assert name not in held(PROCEDURE, journal, settings)
    [said] = reopen_changed(PROCEDURE, journal, later)
    assert name in said
    assert journal.last("reopened")["steps"] == rests
    assert [
        name
        for name in ("prerequisites", "key-authentication")
        if not journal.standing("step done", step=name)
    ] == rests


def test_once_what_followed_has_changed_a_server_it_stays(tmp_path: Path):
    settings = begun(tmp_path, PAST_THE_FIRST_STEP, command("stop-target"))
    journal = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(InputError, match="keycloak_database: keycloak, now sso; on it rests “Prerequisites"):
        refuse_changes(PROCEDURE, journal, replace(settings, keycloak_database="sso"))
    assert "keycloak_database" in held(PROCEDURE, journal, settings)


def test_what_only_later_steps_rest_on_may_change_until_they_are_done(tmp_path: Path):
    through = [done(step.name) for step in PROCEDURE.steps[:14]]
    settings = begun(tmp_path, *through)
    journal = Journal(tmp_path / "journal.jsonl")
    refuse_changes(
        PROCEDURE, journal, replace(settings, my_networks="10.0.0.0/8", test_account="a@example.org")
    )
    for event, facts in (done("restart-target"), command("save-firewall"), done("verify-service")):
        journal.write(event, **facts)
    refuse_changes(PROCEDURE, journal, replace(settings, restart_target="never"))
    refuse_changes(PROCEDURE, journal, replace(settings, test_account="a@example.org"))
    journal.write("finished")
    with pytest.raises(InputError, match="test_account"):
        refuse_changes(PROCEDURE, journal, replace(settings, test_account="a@example.org"))


@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda one: one.name)
def test_every_setting_that_a_step_reads_has_its_rule(procedure: Procedure, tmp_path: Path):
    """Held once the step is past, unless the setting is declared free or has a way out."""
    settings = procedure.settings(folder=str(tmp_path))
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write("opened", procedure=procedure.name, version="1", settings=vars(settings))
    for step in procedure.steps:
        journal.write("step done", step=f"{step.name}.1" if step.passes else step.name)
    journal.write("finished")
    read = {name for step in procedure.steps for name in rests_on(step, settings)}
    about = {field.name: field.metadata for field in fields(settings)}
    loose = {name for name in read if about[name]["free"] or about[name]["becomes"]}
    assert read - held(procedure, journal, settings) == loose


@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda one: one.name)
def test_no_remedy_names_a_setting_that_may_not_change_any_more(procedure: Procedure, tmp_path: Path):
    settings = procedure.settings(folder=str(tmp_path))
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write("opened", procedure=procedure.name, version="1", settings=vars(settings))
    names = [field.name for field in fields(settings) if "_" in field.name]
    for step in procedure.steps:
        remedies = " ".join(getattr(one, "remedy", "") for one in singles(step.actions(settings)))
        fixed = held(procedure, journal, settings)
        assert [name for name in names if name in fixed and re.search(rf"\b{name}\b", remedies)] == [], (
            step.name
        )
        label = f"{step.name}.1" if step.passes else step.name
        journal.write("started", action=f"{label}/1", kind="command", line="true")
        journal.write("step done", step=label)


def test_a_value_of_an_earlier_release_is_what_it_means_now(tmp_path: Path):
    settings = Settings(folder=str(tmp_path), dry_run=False, restart_target="during")
    journal = Journal(tmp_path / "journal.jsonl")
    given = {**vars(settings), "restart_target": True}
    journal.write("opened", procedure=PROCEDURE.name, version="1", settings=given)
    for event, facts in (done("restart-target"), command("save-firewall")):
        journal.write(event, **facts)
    refuse_changes(PROCEDURE, journal, settings)
    assert reopen(tmp_path, procedures.ALL).settings.restart_target == "during"


def test_the_file_of_another_machine_may_lie_elsewhere(tmp_path: Path):
    here = tmp_path / "config"
    settings = begun(tmp_path, PAST_THE_FIRST_STEP, ssh_config="/home/of/a/colleague/config")
    journal = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(InputError, match="ssh_config"):
        refuse_changes(PROCEDURE, journal, replace(settings, ssh_config=str(here)))
    here.touch()
    refuse_changes(PROCEDURE, journal, replace(settings, ssh_config=str(here)))


def test_a_cell_that_begins_with_other_values_is_refused_at_once(tmp_path: Path):
    settings = begun(tmp_path, PAST_THE_FIRST_STEP)
    given = {**vars(settings), "address": "192.0.2.99"}
    with pytest.raises(InputError, match="address"):
        begin(PROCEDURE, given)
    begin(PROCEDURE, {**given, "dry_run": True})  # a plan touches nothing


def test_the_way_back_goes_by_what_was_proven(tmp_path: Path):
    settings = begun(tmp_path, PAST_THE_FIRST_STEP)
    typed = replace(settings, target="other.domain.tld")
    Journal(tmp_path / "journal.jsonl").write(
        "opened", procedure=PROCEDURE.name, version="1", settings=vars(typed)
    )
    assert reopen(tmp_path, procedures.ALL).settings.target == settings.target


def test_a_refused_client_file_does_not_take_the_place_of_the_run_s_own(tmp_path: Path):
    settings = begun(tmp_path, PAST_THE_FIRST_STEP)
    values = {**vars(settings), "target": "other.domain.tld"}
    with pytest.raises(InputError, match=r"target: targetsrv\.domain\.tld, now other\.domain\.tld"):
        headless.run(PROCEDURE, values, "client.yaml", print)
    assert not (tmp_path / "client.yaml").exists()


def test_two_clients_whose_names_are_written_alike_have_a_folder_each(tmp_path: Path):
    names = ("Müller GmbH", "Muller & GmbH")
    first, second = (Settings(client=name, runs=str(tmp_path)) for name in names)
    folder = folder_of(PROCEDURE, first)
    begun(folder, client=first.client)
    assert folder_of(PROCEDURE, second).name == f"{folder.name}.2"
    begun(folder_of(PROCEDURE, second), client=second.client)
    assert folder_of(PROCEDURE, first) == folder
    assert folder_of(PROCEDURE, second).name == f"{folder.name}.2"
