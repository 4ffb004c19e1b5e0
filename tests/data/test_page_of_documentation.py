"""The page on a run's data: its questions are answered as it says, and its list of columns is the schema."""

import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bmnb import report
from bmnb.data.schema import STEP, TABLES
from tests.report import synthetic

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "data.md").read_text()
RUN = "runs/2026-01-31-example-changing-distributions"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The names that the page's code leaves, done in its order, beside such a run."""
    place = tmp_path_factory.mktemp("page")
    report.write(synthetic.run(place / RUN))
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
            exec(code, names)  # noqa: S102
        yield names
    shutil.rmtree(place)


def test_five_questions_are_answered(answers: dict[str, Any]):
    assert len(re.findall(r"^\*\*.*\?\*\*", PAGE, re.MULTILINE)) == 5
    assert answers["total"] == 1_000_000 * 50_000
    assert list(answers["now"].index) == ["/var/spool/cyrus", "/var/spool/sieve", "/var/spool/postfix"]
    assert len(answers["shorter"]) == 4
    assert answers["moved"].tolist()[:2] == [0.1, 0.05]
    assert answers["largest"].iloc[0] == 3 * 4
    assert len(answers["different"]) == len(answers["failed"]) == 0
    assert len(answers["compared"]) == 2 * 26
    assert 0 < len(answers["slowest"]) <= 10
    assert answers["slowest"]["duration"].is_monotonic_decreasing


def test_what_is_said_of_pandas_holds(answers: dict[str, Any]):
    passes = answers["passes"]
    assert passes.plot(x="began", y="line bytes") is not None
    assert "line bytes" in passes.to_csv()
    pd.testing.assert_frame_equal(answers["again"], answers["runbook"].data("files"))
    both = pd.concat([passes, passes])
    assert both.dtypes.equals(passes.dtypes)


def test_the_page_lists_every_table_with_every_column_and_its_type():
    told = dict(re.findall(r"^\| (.+?) \| (.+) \|$", PAGE, re.MULTILINE))
    for name, columns in {**{f"`{name}`": one for name, one in TABLES.items()}, "a step": STEP}.items():
        types = (part.split(": ") for part in told[name].split("; "))
        found = {column: dtype for listed, dtype in types for column in re.findall("`(.+?)`", listed)}
        assert found == {column: kind.dtype for column, kind in columns.items()}
