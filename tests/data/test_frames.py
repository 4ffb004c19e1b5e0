"""Tables as DataFrames and as files: typed, and the same when they are read again."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from bmnb.data.frames import frame, read, save
from bmnb.data.schema import KNOWN, STEP, TABLES, Columns, Kind, with_others

WHOLE = st.integers(-(2**63), 2**63 - 1)
PARIS = timezone(timedelta(hours=1))
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20) | st.sampled_from(
    ["NA", "NaN", "nan", "None", "null", "True", "0", "-1.50", " ", "\r", "\n", '"', ",", "a\r\nb", "é", "\0"]
)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    **dict.fromkeys((Kind.COUNT, Kind.BYTES), WHOLE),
    **dict.fromkeys((Kind.REAL, Kind.RATE), st.floats(allow_nan=False)),
    **dict.fromkeys((Kind.WORD, Kind.NAME, Kind.SAID, Kind.TEXT), TEXTS),
    Kind.FLAG: st.booleans(),
    Kind.MOMENT: st.datetimes(
        datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.sampled_from([UTC, PARIS])
    ).map(lambda one: one.replace(microsecond=one.microsecond // 1000 * 1000)),
    Kind.DURATION: st.integers(0, 10**9).map(lambda milliseconds: milliseconds / 1000),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[Columns, pd.DataFrame]:
    columns = draw(st.sampled_from([*TABLES.values(), STEP]))
    row = st.fixed_dictionaries({}, optional={name: VALUES[kind] for name, kind in columns.items()})
    return columns, frame(draw(st.lists(row, max_size=5)), columns)


@given(tables())
def test_a_table_that_is_read_from_its_file_is_the_table(tmp_path_factory: pytest.TempPathFactory, made):
    columns, table = made
    path = tmp_path_factory.mktemp("tables") / "one.csv"
    save(table, path)
    assert_frame_equal(read(path, columns), table)


@pytest.mark.parametrize("name", TABLES)
def test_every_column_has_the_type_of_its_kind_also_where_nothing_is_in_it(name: str):
    columns = TABLES[name]
    for table in (frame([], columns), frame([{}], columns)):
        assert {column: str(dtype) for column, dtype in table.dtypes.items()} == {
            column: kind.dtype for column, kind in columns.items()
        }
        assert table.isna().all(axis=None)


def test_nothing_is_na_and_zero_is_not():
    columns = {"files": Kind.COUNT, "duration": Kind.DURATION, "seen": Kind.SAID, "same": Kind.FLAG}
    table = frame([{"files": 0, "duration": 0.0, "seen": "", "same": False}, {"files": None}], columns)
    assert table.isna().values.tolist() == [[False, False, True, False], [True, True, True, True]]
    assert table["files"].sum() == 0


def test_numbers_durations_and_moments_are_reckoned_with():
    columns = {"bytes": Kind.BYTES, "duration": Kind.DURATION, "began": Kind.MOMENT}
    began = datetime(2026, 1, 31, 21, tzinfo=PARIS)
    table = frame([{"bytes": 5, "duration": 1.5, "began": began}, {"bytes": 7, "duration": 2}], columns)
    assert table["bytes"].sum() == 12
    assert table["duration"].sum() == timedelta(seconds=3.5)
    assert table["began"][0] == datetime(2026, 1, 31, 20, tzinfo=UTC)


def test_what_is_beside_the_columns_comes_after_them_and_is_what_its_values_are():
    rows: list[dict[str, object]] = [{"status": "done", "new": 1, "bytes": ""}, {"odd": "x", "new": 2.5}]
    columns = with_others({"status": Kind.WORD}, rows)
    assert columns == {"status": Kind.WORD, "new": Kind.REAL, "bytes": KNOWN["bytes"], "odd": Kind.TEXT}


def test_a_table_is_there_as_parquet(tmp_path: Path):
    table = frame([{"tree": "/var/spool/cyrus", "bytes": 5}], TABLES["files"])
    save(table, tmp_path / "files.parquet")
    kept = pd.read_parquet(tmp_path / "files.parquet")
    assert {str(name): str(kept[name].dtype) for name in ("tree", "bytes", "began")} == {
        "tree": "category",
        "bytes": "Int64",
        "began": "datetime64[ns, UTC]",
    }
