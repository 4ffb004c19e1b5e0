"""What two servers tell, alike but for what a test says."""

import json
from copy import deepcopy
from typing import Any

from bmnb.steps import Result

SERVER: dict[str, Any] = {
    "version": 130018,
    "roles": [{"name": "bj", "superuser": True, "password": "md5", "comment": None}],
    "members": None,
    "settings": [["bj", None, "TimeZone=GMT"]],
    "tablespaces": [["pg_default", ""], ["pg_global", ""]],
    "available": {"hstore": "1.8", "plpgsql": "1.0"},
    "collations": ["default", "C", "en_US.utf8"],
    "configured": {"shared_preload_libraries": "", "max_connections": "100"},
    "known": ["TimeZone", "work_mem", "search_path"],
    "databases": {
        name: {
            "owner": "bj",
            "encoding": "UTF8",
            "collate": "en_US.UTF-8",
            "ctype": "en_US.UTF-8",
            "provider": "c",
            "connection limit": -1,
            "tablespace": "pg_default",
            "comment": None,
            "rights": [["bj", "CONNECT", False], ["PUBLIC", "CONNECT", False]],
        }
        for name in ("bj", "bj-data", "postgres")
    },
}
DATABASE: dict[str, Any] = {
    "publications": [],
    "subscriptions": [],
    "extensions": {"plpgsql": "1.0"},
    "collations": None,
    "outgrown": [],
    "tablespaces": None,
}


def told(host: str = "origin", bj: dict[str, Any] | None = None, **server: Any) -> Result:
    """`bj` is what that database tells otherwise, `server` what its server does."""
    databases = [
        {**deepcopy(DATABASE), "database": "bj", **(bj or {})},
        {**deepcopy(DATABASE), "database": "bj-data"},
    ]
    lines = [{**deepcopy(SERVER), **server}, *databases]
    return Result(host, "", 0, "\n".join(map(json.dumps, lines)))


def with_database(**facts: Any) -> dict[str, Any]:
    """The server's word on its databases, where bj is otherwise."""
    found = deepcopy(SERVER["databases"])
    found["bj"].update(facts)
    return {"databases": found}
