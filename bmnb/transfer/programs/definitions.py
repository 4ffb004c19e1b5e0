"""What defines the tables, indexes, functions and rights of a database; compared with the same server's own."""

from .postgres import Session

USERS = 16384  # the first oid that is not the system's own
LASTING = "NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_')"
OF_LASTING = f"NOT IN (SELECT oid FROM pg_class WHERE NOT relnamespace {LASTING})"
CATALOGS = [
    # without what VACUUM and ANALYZE write there
    f"""SELECT oid, relname, relnamespace, reltype, relowner, relkind, relpersistence, relispartition, relacl,
      reloptions, relpartbound::text FROM pg_class WHERE oid >= {USERS} AND relnamespace {LASTING}""",
    # of a temporary table and what belongs to it nothing lasts
    *(
        f"SELECT * FROM pg_{name} WHERE {oid} >= {USERS} AND {table} {OF_LASTING}"
        for name, oid, table in (
            *(("attribute", "attrelid", "attrelid"), ("attrdef", "adrelid", "adrelid")),
            *(("constraint", "oid", "conrelid"), ("index", "indexrelid", "indrelid")),
            *(("inherits", "inhrelid", "inhrelid"), ("partitioned_table", "partrelid", "partrelid")),
            *(("sequence", "seqrelid", "seqrelid"), ("trigger", "oid", "tgrelid")),
            *(("rewrite", "oid", "ev_class"), ("policy", "polrelid", "polrelid")),
        )
    ),
    *(
        f"SELECT * FROM pg_{name} WHERE oid >= {USERS} AND {namespace} {LASTING}"
        for name, namespace in (
            *(("type", "typnamespace"), ("proc", "pronamespace"), ("operator", "oprnamespace")),
            *(("opclass", "opcnamespace"), ("collation", "collnamespace"), ("namespace", "oid")),
        )
    ),
    *(
        f"SELECT * FROM pg_{name} WHERE {oid} >= {USERS}"
        for name, oid in (
            *(("enum", "oid"), ("extension", "oid"), ("description", "objoid"), ("cast", "oid")),
            *(("statistic_ext", "stxrelid"), ("event_trigger", "oid"), ("default_acl", "oid")),
        )
    ),
    "SELECT * FROM pg_namespace WHERE nspname = 'public'",
    # but for our own
    "SELECT * FROM pg_publication WHERE pubname !~ '^bmnb_'",
    "SELECT r.* FROM pg_publication_rel r JOIN pg_publication p ON p.oid = prpubid WHERE pubname !~ '^bmnb_'",
]


def definitions(session: Session, row_hash: str) -> str:
    """Sums of the rows of the catalogs that define what the user has made."""
    sums = (f"(SELECT sum({row_hash}) FROM ({rows}) bmnb_row)" for rows in CATALOGS)
    return " ".join(session.rows(f"SELECT {', '.join(sums)}")[0])
