"""HTML of the notebook, made fit to stand inside the report."""

from __future__ import annotations

import re

import bleach

PROSE = ("p", "br", "hr", "em", "strong", "b", "i", "s", "code", "pre", "ul", "ol", "li", "blockquote")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
TABLE = (
    "table",
    "caption",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "th",
    "td",
    "div",
    "span",
    "progress",
    "details",
    "summary",
)
ATTRIBUTES = {"th": ["scope", "colspan", "rowspan"], "td": ["colspan", "rowspan"]}
OPAQUE = re.compile(r"<(style|script|svg|iframe|button|select)\b.*?</\1>", re.DOTALL | re.IGNORECASE)
ANCHOR = re.compile(r"(?:¶|&#182;|&para;)(?=<)")


def clean(html: str) -> str:
    """Only text, headings two levels deeper, lists and tables; no link, script, style or picture."""
    kept = bleach.clean(
        ANCHOR.sub("", OPAQUE.sub("", html)),
        tags={*PROSE, *HEADINGS, *TABLE},
        attributes=ATTRIBUTES,
        strip=True,
    )
    return re.sub(r"<(/?)h([1-4])\b", lambda found: f"<{found[1]}h{int(found[2]) + 2}", kept)


def cells(row: str) -> list[str]:
    """The cells of a table's row in Markdown, without their marks for code and emphasis."""
    return [
        re.sub(r"\\([|*_`])", r"\1", re.sub(r"(?<!\\)[`*]", "", cell)).strip()
        for cell in re.split(r"(?<!\\)\|", row)[1:-1]
    ]
