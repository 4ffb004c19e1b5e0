"""The index: which runs there are, where each stands, and the way to its notebook."""

from pathlib import Path

from bmnb.index import procedures, runs
from bmnb.journal import Journal
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.procedures.changing_distributions.phases import SWITCHING
from bmnb.start import new


def shown(folder: Path) -> str:
    return str(runs(str(folder)).to_html())


def test_a_run_that_has_not_begun_is_listed_with_a_link(tmp_path: Path):
    folder = new(PROCEDURE, "Example & Son", tmp_path)
    assert f'<a href="{folder / "notebook.ipynb"}">{folder.name}</a>' in shown(tmp_path)


def test_a_run_tells_its_phase_last_action_and_downtime(tmp_path: Path):
    folder = new(PROCEDURE, "Example", tmp_path)
    journal = Journal(folder / "journal.jsonl")
    journal.write("opened", procedure=PROCEDURE.name, settings={})
    journal.write("step started", step="stop-services", title="", phase="cold-synchronization")
    journal.write("started", action="stop-services/2", title="stop BlueMind", unit="a")
    journal.write("done", action="stop-services/2", title="stop <b>BlueMind", seconds=1, seen="")
    under_way = shown(tmp_path)
    assert "Cold synchronization" in under_way
    assert "stop &lt;b&gt;BlueMind: done" in under_way
    assert "0:00:00 …" in under_way

    last = next(step for step in reversed(PROCEDURE.steps) if step.phase is SWITCHING)
    journal.write("step done", step=last.name)
    assert "0:00:00 …" not in shown(tmp_path)


def test_every_procedure_has_its_notebook(tmp_path: Path):
    assert "changing-distributions.ipynb" in procedures().to_string()
