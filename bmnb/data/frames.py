"""Rows as a plain DataFrame with typed columns, and as a file of which it can be read again."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from bmnb.data.schema import (
    BYTES,
    COUNT,
    DURATION,
    FLAG,
    MOMENT,
    NAME,
    RATE,
    REAL,
    SAID,
    TEXT,
    WORD,
    Columns,
    Kind,
)
from bmnb.errors import InputError
from bmnb.files import private_folder, replace_text

# whichever packages are beside pandas
STRINGS = pd.StringDtype("python")


def frame(rows: Iterable[Mapping[str, Any]], columns: Columns) -> pd.DataFrame:
    """A row a mapping, with these columns alone; what is absent, None or empty is NA."""
    listed = list(rows)
    return pd.DataFrame(
        {
            name: series([_there(row.get(name)) for row in listed], kind, AS[kind])
            for name, kind in columns.items()
        },
        index=pd.RangeIndex(len(listed)),
    )


def save(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, or as Parquet by the path's suffix.

    Raise InputError where the package for Parquet is not installed.
    """
    private_folder(path.parent)
    if path.suffix == ".csv":
        replace_text(path, text(table))
        return
    try:
        table.to_parquet(path, index=False)
    except ImportError as error:
        raise InputError("tables as Parquet need pyarrow: pip install 'bmnb[parquet]'") from error


def text(table: pd.DataFrame) -> str:
    """A table as CSV: durations in seconds, moments in UTC to the millisecond, nothing where there is NA."""
    lines = _Lines()
    writer = csv.writer(lines, lineterminator=_Lines.ENDS)
    writer.writerow(table)
    writer.writerows(zip(*(_written(table[name]) for name in table), strict=True))
    return "".join(lines)


class _Lines(list[str]):
    """Lines that end as on Unix, and quote whatever might be taken for an end: csv quotes what it ends lines with."""

    ENDS = "\r\n"

    def write(self, line: str) -> None:
        self.append(line.removesuffix(self.ENDS) + "\n")


def read(path: Path, columns: Columns) -> pd.DataFrame:
    """The table of a file that `save` has written as CSV; columns that are not named are left out."""
    cells = pd.read_csv(path, dtype=object, keep_default_na=False, na_filter=False)
    found = {name: [_there(one) for one in cells[name]] for name in columns if name in cells}
    return pd.DataFrame(
        {name: series(values, columns[name], READ[columns[name]]) for name, values in found.items()},
        index=pd.RangeIndex(len(cells)),
    )


def series(values: Sequence[Any], kind: Kind, one: Callable[[Any], Any]) -> pd.Series[Any]:
    """Values of a kind, made by `one`, and None for NA."""
    made = [None if value is None else one(value) for value in values]
    if kind in (WORD, NAME):
        # in the order in which they come, so that the same values are the same category
        known = pd.Index(list(dict.fromkeys(value for value in made if value is not None)), dtype=STRINGS)
        return pd.Series(pd.Categorical(made, categories=known))
    if kind is MOMENT:
        return pd.Series(pd.to_datetime(pd.Series(made, dtype=object), utc=True)).dt.as_unit("ns")
    if kind is DURATION:
        return pd.Series(pd.to_timedelta(pd.Series(made, dtype=object))).dt.as_unit("ns")
    return pd.Series(made, dtype=STRINGS if kind in (SAID, TEXT) else kind.dtype)


def _there(value: Any) -> Any:
    return None if value == "" else value


def _whole(value: Any) -> int | None:
    """A number that somebody has told; None where it is none."""
    try:
        return int(value)
    except ValueError:
        return None


def _real(value: Any) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _duration(seconds: Any) -> pd.Timedelta:
    return pd.Timedelta(round(1000 * float(seconds)), unit="ms")


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


AS: Mapping[Kind, Callable[[Any], Any]] = {
    **dict.fromkeys((COUNT, BYTES), _whole),
    **dict.fromkeys((REAL, RATE), _real),
    **dict.fromkeys((WORD, NAME, SAID, TEXT), str),
    FLAG: lambda value: value if isinstance(value, bool) else value == "yes",
    MOMENT: _moment,
    DURATION: _duration,
}
"""What a value of a row becomes."""

READ = {**AS, FLAG: lambda value: value == "True"}
"""What a cell of a file becomes."""


def _written(column: pd.Series[Any]) -> list[Any]:
    write = _moment_written if isinstance(column.dtype, pd.DatetimeTZDtype) else _value_written
    values = zip(column, column.isna(), strict=True)
    return ["" if nothing else write(value) for value, nothing in values]


def _moment_written(value: Any) -> str:
    return str(value.isoformat(timespec="milliseconds"))


def _value_written(value: Any) -> Any:
    return value.total_seconds() if isinstance(value, pd.Timedelta) else value
