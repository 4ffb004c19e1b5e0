"""HTML and Markdown of the notebook, as they stand in the report."""

import pytest

from bmnb.report.clean import cells, clean


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ("<h2>Plan<a class='anchor' href='#Plan'>¶</a></h2>", "<h4>Plan</h4>"),
        ("<style scoped>p {color: red}</style><p style='x' title='y'>a</p>", "<p>a</p>"),
        ("<p onclick='x()'>see <a href='https://example.org'>it</a></p>", "<p>see it</p>"),
        ("a<script>alert(1)</script><img src='https://example.org/x.png'>", "a"),
    ],
)
def test_text_headings_and_tables_stay_and_nothing_else(html: str, kept: str):
    assert clean(html) == kept


def test_a_row_of_a_table_may_have_bars_in_its_cells():
    assert cells(r"| `cat db.sql \| psql` | *the same* | it goes on |") == [
        "cat db.sql | psql",
        "the same",
        "it goes on",
    ]
