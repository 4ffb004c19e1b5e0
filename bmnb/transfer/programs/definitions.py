"""What defines the tables, functions, rights and all else of a database; compared with the same server's own.

Every catalog that PostgreSQL has for a database counts, so that none is forgotten, but for what is named here.
"""

from typing import List

from .postgres import Session, hash_of_row, literal

NO_DEFINITION = {
    "pg_statistic": "what ANALYZE has found",
    "pg_statistic_ext_data": "what ANALYZE has found",
    "pg_largeobject": "rows of their own",
    "pg_subscription_rel": "is not carried over",
}
"""Catalogs that define nothing of what a copy is."""

NO_COLUMNS = {
    "pg_class": "relpages reltuples relallvisible relallfrozen relfilenode relfrozenxid relminmxid relhasindex relhasrules "
    "relhastriggers relhassubclass reltoastrelid",
    "pg_index": "indcheckxmin",
    "pg_attribute": "atthasmissing attmissingval",
}
"""Columns that VACUUM, ANALYZE and work on rows write to."""

_OURS = "EXISTS (SELECT FROM pg_publication p WHERE pubname ~ '^bmnb_' AND p.oid ="
NOT_COUNTED = {
    "pg_publication": "pubname ~ '^bmnb_'",
    "pg_publication_rel": f"{_OURS} bmnb_row.prpubid)",
    "pg_publication_namespace": f"{_OURS} bmnb_row.pnpubid)",
    "pg_largeobject_metadata": "lomacl IS NULL",
    "pg_depend": "EXISTS (SELECT FROM pg_class c WHERE c.oid = bmnb_row.classid AND relname ~ '^pg_(publication|subscription)')",
}
"""Rows that do not count: of our own publications; those of large objects come and go with them."""

IS_TEMPORARY = "IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_')"
OF_TEMPORARY = f"IN (SELECT oid FROM pg_class WHERE relnamespace {IS_TEMPORARY})"
TEMPORARY = " UNION ALL ".join(
    [
        f"SELECT oid FROM pg_namespace WHERE oid {IS_TEMPORARY}",
        *(
            f"SELECT oid FROM pg_{catalog} WHERE {column} {IS_TEMPORARY}"
            for catalog, column in (
                *(("class", "relnamespace"), ("type", "typnamespace"), ("proc", "pronamespace")),
                ("operator", "oprnamespace"),
            )
        ),
        *(
            f"SELECT oid FROM pg_{catalog} WHERE {column} {OF_TEMPORARY}"
            for catalog, column in (
                *(("attrdef", "adrelid"), ("constraint", "conrelid"), ("rewrite", "ev_class")),
                *(("trigger", "tgrelid"), ("policy", "polrelid"), ("statistic_ext", "stxrelid")),
            )
        ),
    ]
)
"""Of what these are, and of what belongs to them, nothing lasts."""

CATALOGS = """SELECT relname, string_agg('bmnb_row.' || quote_ident(attname), ', ' ORDER BY attnum) FILTER (WHERE NOT attname = ANY ({left_out})),
  string_agg('bmnb_row.' || quote_ident(attname), ', ') FILTER (WHERE atttypid IN ('oid'::regtype, 'regproc'::regtype))
FROM pg_class c JOIN pg_attribute ON attrelid = c.oid AND (attnum > 0 OR attname = 'oid') AND NOT attisdropped
WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND NOT relisshared AND relname <> ALL ({catalogs})
GROUP BY relname ORDER BY relname"""


def definitions(session: Session, oldest: int) -> str:
    """Sums of the rows of the catalogs; `oldest` as in `hash_of_row`."""
    left_out = _array([name for names in NO_COLUMNS.values() for name in names.split()])
    catalogs = session.rows(CATALOGS.format(left_out=left_out, catalogs=_array([*NO_DEFINITION])))
    sums = ", ".join(_sum(oldest, *catalog) for catalog in catalogs)
    told = session.rows(f"WITH temporary AS ({TEMPORARY}) SELECT {sums}")[0]
    return " ".join(told)


def _sum(oldest: int, catalog: str, columns: str, numbers: str) -> str:
    """The sum of the hashes of a catalog's rows; `numbers` are its columns that may name another object."""
    counted = [f"NOT ({NOT_COUNTED[catalog]})"] if catalog in NOT_COUNTED else []
    if numbers:
        counted.append(
            f"NOT (ARRAY[{numbers}]::oid[] && (SELECT coalesce(array_agg(oid), '{{}}') FROM temporary))"
        )
    where = f" WHERE {' AND '.join(counted)}" if counted else ""
    return f"(SELECT sum({hash_of_row(oldest, f'ROW({columns})')}) FROM pg_catalog.{catalog} bmnb_row{where})"


def _array(names: List[str]) -> str:
    return f"ARRAY[{', '.join(map(literal, names))}]::name[]"
