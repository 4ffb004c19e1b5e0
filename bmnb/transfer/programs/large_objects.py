"""Large objects: which there are and what they hold, and bringing one over, page by page.

One that was written in places has pages that are not there, or not whole, and reads as if they were full of zeros.
"""

from .postgres import Session

_PAGE = "(current_setting('block_size')::int / 4)"
_WHOLE = f"data || decode(repeat('00', {_PAGE} - length(data)), 'hex')"
_EMPTY = f"decode(repeat('00', {_PAGE}), 'hex')"

CONTENT = f"""(SELECT concat_ws(' ', coalesce(max(pageno::bigint * {_PAGE} + length(data)), 0),
    md5(string_agg(pageno || md5({_WHOLE}), ' ' ORDER BY pageno) FILTER (WHERE {_WHOLE} <> {_EMPTY})))
  FROM pg_largeobject WHERE loid = m.oid)"""
"""The size of a large object m, and a sum over what it reads as."""

LARGE_OBJECTS = (
    f"SELECT m.oid, quote_ident(pg_get_userbyid(m.lomowner)), {CONTENT} FROM pg_largeobject_metadata m"
)


def bring_large_object(origin: Session, target: Session, number: str, owner: str) -> None:
    """Make it anew, within a transaction of the target's; `owner` is quoted."""
    target.tell("CREATE TEMP TABLE bmnb_pages (pageno int, data bytea) ON COMMIT DROP")
    target.send([b"COPY pg_temp.bmnb_pages FROM STDIN;\n"])
    target.send(
        origin.lines(f"COPY (SELECT pageno, data FROM pg_largeobject WHERE loid = {number}) TO STDOUT")
    )
    target.send([b"\\.\n"])
    target.value(f"SELECT lo_create({number})")
    put = f"lo_put({number}, pageno::bigint * {_PAGE}, data)"
    target.value(f"SELECT count(*) FROM pg_temp.bmnb_pages, LATERAL {put}")
    target.tell(f"DROP TABLE pg_temp.bmnb_pages; ALTER LARGE OBJECT {number} OWNER TO {owner}")
