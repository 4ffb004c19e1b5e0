"""Results as tables that a person reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

pd.set_option("display.max_colwidth", None)
pd.set_option("display.max_rows", 500)
pd.set_option("display.width", 200)


def table(rows: Iterable[Mapping[str, Any]], columns: list[str] | None = None) -> pd.DataFrame:
    """A table with a row a mapping; cells without a value are empty, whole numbers stay whole."""
    frame = pd.DataFrame([dict(row) for row in rows], columns=columns, dtype=object)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame.fillna("")


def save(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write rows as CSV, a table without rows as an empty file."""
    path.parent.mkdir(exist_ok=True)
    pd.DataFrame([dict(row) for row in rows], dtype=object).to_csv(path, index=False)
