"""What `run.data` gives: plain DataFrames, the same in every language and in the files beside the report."""

import copy
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from bmnb import report
from bmnb.data.frames import read
from bmnb.data.schema import TABLES
from bmnb.errors import InputError
from bmnb.language import use
from bmnb.procedures import ALL, changing_distributions
from bmnb.run import Run, reopen
from tests.report import synthetic

PROCEDURE = changing_distributions.PROCEDURE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = synthetic.run(tmp_path_factory.mktemp("runs") / "2026-01-31-dupont-fils-changing-distributions")
    report.write(folder)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return reopen(folder, ALL)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_a_plain_one_and_that_of_its_file_in_every_language(run: Run, folder: Path, name: str):
    table = run.data(name)
    assert type(table) is pd.DataFrame
    assert list(table) == list(TABLES[name])
    with use("fr"):
        assert_frame_equal(run.data(name), table)
    assert_frame_equal(read(folder / "tables" / f"{name}.csv", TABLES[name]), table)


def test_each_tree_has_a_row_a_pass_and_each_table_of_a_database(run: Run):
    files = run.data("files")
    assert len(files[files["tree"] == "/var/spool/cyrus"]) == 4, "three hot passes and a cold one"
    assert files["bytes"].sum() == 4 * 1_000_000 * 50_000
    assert set(files["tree"]) == {*synthetic.TREES, "/var/spool/postfix"}
    databases = run.data("databases")
    assert databases.groupby(["step", "how"], observed=True)["table"].count().to_dict() == {
        ("Synchronize BlueMind data while the service is up", "changes"): 3 * 3 * 26,
        ("Synchronize the data again", "changes"): 3 * 26,
        ("Verify that nothing is missing", "compared"): 2 * 26,
    }
    assert databases.query("how == 'compared'")["same"].all()


def test_the_cold_pass_is_among_the_passes(run: Run):
    passes = run.data("passes")
    assert passes["pass"].tolist() == [1, 2, 3, pd.NA]
    assert passes["files"].tolist() == [1_000_000] * 4
    assert passes["duration"].notna().all()


def test_a_step_has_its_actions_with_what_they_counted(run: Run):
    table = run.data(changing_distributions.hot_synchronization)
    assert_frame_equal(table, run.data("hot-synchronization"))
    trees = table[table["action"] == "all trees"]
    assert trees["pass"].tolist() == [1, 2, 3]
    assert trees["files"].tolist() == [1_000_000] * 3
    assert str(table["files"].dtype) == "Int64"
    assert table["files"].isna().any(), "what counted no files has none"
    assert set(table["status"].cat.categories) <= {"done", "failed", "skipped", "started"}


def test_it_is_shown_in_the_language_in_use_with_units(run: Run):
    passes = run.data("passes")
    assert "<th" in passes._repr_html_()
    assert "50 GB" in passes._repr_html_()
    with use("fr"):
        shown = passes._repr_html_()
    assert "Synchroniser" in shown
    assert "50 Go" in shown
    assert "NaN" not in shown
    assert "NA&" not in shown


def test_what_pandas_makes_of_it_is_shown_by_pandas(run: Run):
    passes = run.data("passes")
    made = [
        passes.copy(),
        copy.deepcopy(passes),
        passes[passes["pass"] > 1],
    ]
    for one in (*made, passes.head(1), passes.assign(new=1), passes.sort_values("files"), passes[["files"]]):
        assert type(one) is pd.DataFrame
        assert "_repr_html_" not in vars(one)
        assert "50 GB" not in one._repr_html_()


def test_a_column_that_was_added_is_shown_too(run: Run):
    passes = run.data("passes")
    passes["<b>"] = [1, 2.5, None, 4]
    assert "&lt;b&gt;" in passes._repr_html_()
    assert "2.5" in passes._repr_html_()


def test_of_a_long_table_the_first_rows_are_shown(run: Run):
    commands = run.data("commands")
    longer = run.data("databases")
    assert longer._repr_html_().count("<tr>") == len(longer) + 1
    assert commands._repr_html_().count("<tr>") == min(500, len(commands)) + 1


@pytest.mark.parametrize("name", ["file", "passes ", "Files", "", "foo"])
def test_an_unknown_name_is_refused_with_those_that_there_are(run: Run, name: str):
    with pytest.raises(InputError) as refused:
        run.data(name)
    for known in (*TABLES, "hot-synchronization"):
        assert known in str(refused.value)
    assert ("did you mean 'files'" in str(refused.value)) is (name in ("file", "Files"))


def test_a_run_of_which_nothing_is_known_has_every_table_without_rows(tmp_path: Path):
    settings = changing_distributions.Settings(folder=str(tmp_path / "run"))
    run = Run(PROCEDURE, settings, show=lambda _: None)
    for name in (*TABLES, *PROCEDURE.steps):
        assert len(run.data(name)) == 0
        assert "<table>" in run.data(name)._repr_html_()
    assert list(run.data("files")) == list(TABLES["files"])
    assert run.data("files")["bytes"].sum() == 0
    assert not (tmp_path / "run").exists()
