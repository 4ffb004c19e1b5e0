"""What a run was begun with does not change under way: it is refused before a server is contacted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bmnb import headless
from bmnb import run as interpreter
from bmnb.errors import InputError
from bmnb.folders import folder_of
from bmnb.frozen import refuse_changes
from bmnb.journal import Journal
from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.run import Run
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
    refuse_changes(Journal(tmp_path / "journal.jsonl"), replace(settings, **CHANGES))


def test_the_way_out_that_a_remedy_names_stays_open(tmp_path: Path):
    settings = begun(tmp_path, PAST_THE_FIRST_STEP, engine="fast", database_copy="replication")
    journal = Journal(tmp_path / "journal.jsonl")
    refuse_changes(journal, replace(settings, database_copy="rows"))
    refuse_changes(journal, replace(settings, engine="literal", database_copy="rows"))


def test_the_literal_engine_has_prepared_nothing_for_the_fast_one(tmp_path: Path):
    settings = begun(tmp_path, PAST_THE_FIRST_STEP, engine="literal")
    with pytest.raises(InputError, match="engine: literal, now fast"):
        refuse_changes(Journal(tmp_path / "journal.jsonl"), replace(settings, engine="fast"))


def test_what_no_step_rests_on_may_change(tmp_path: Path):
    settings = begun(tmp_path, PAST_THE_FIRST_STEP)
    later = replace(settings, hot_passes=3, test_account="a@example.org", language="fr")
    refuse_changes(Journal(tmp_path / "journal.jsonl"), later)


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
