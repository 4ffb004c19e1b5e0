"""Folders that Outlook made in the inbox under 4.0: virtual ones, which an update to 4.1 deletes.

They stand in t_mapi_folders (interface IMapiFoldersMgmt), the parent being the inbox's container.
"""

from __future__ import annotations

from collections import defaultdict

from bmnb.steps import Result, Verdict

_PSQL = "runuser -u postgres -- psql -XAtq -F '\t'"

LIST = f"""cd /
{_PSQL} -c "SELECT 'user', i.uid, u.login FROM t_domain_user u JOIN t_container_item i ON i.id = u.item_id" bj
{_PSQL} bj-data <<'END'
SELECT to_regclass('t_mapi_folders') IS NOT NULL AS there \\gset
\\if :there
SELECT 'folder', c.owner, f.display_name FROM t_mapi_folders f JOIN t_container c ON c.uid = f.container_uid
  JOIN t_container p ON p.uid = f.parent_container_uid
  WHERE p.container_type = 'mailbox_records' AND p.name = 'INBOX' ORDER BY 2, 3;
\\endif
END"""
"""A line that prints user, UID, LOGIN and folder, UID, NAME, separated by tabs."""

ANY = f"{{\n{LIST}\n}} | grep -q ^folder"


def by_user(told: Result) -> Verdict:
    """Always holds where the databases answer: what follows from it is for a person to decide."""
    rows = [line.split("\t") for line in told.stdout.splitlines()]
    logins = {row[1]: row[2] for row in rows if row[0] == "user"}
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row[0] == "folder":
            found[logins.get(row[1], row[1])].append(row[2])
    number = sum(map(len, found.values()))
    told_users = "; ".join(f"{user}: {', '.join(names)}" for user, names in sorted(found.items()))
    if not told.ok or not logins:
        return Verdict(False, told.stderr.strip() or "no user is listed")
    return Verdict(True, f"{number} folders of {len(found)} users: {told_users}" if found else "none")
