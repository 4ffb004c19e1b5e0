"""Folders that Outlook made in the inbox under 4.0: virtual ones, which an update to 4.1 deletes.

They stand in t_mapi_folders (interface IMapiFoldersMgmt), the parent being the inbox's container.
"""

from __future__ import annotations

import json
from collections import Counter

from bmnb.steps import Result, Verdict

_PSQL = "runuser -u postgres -- psql -XAtq"

LIST = f"""cd /
{_PSQL} -c "SELECT json_build_array('user', i.uid, u.login) FROM t_domain_user u JOIN t_container_item i ON i.id = u.item_id" bj
{_PSQL} bj-data <<'END'
SELECT to_regclass('t_mapi_folders') IS NOT NULL AS there \\gset
\\if :there
SELECT json_build_array('folder', c.owner, f.display_name) FROM t_mapi_folders f JOIN t_container c ON c.uid = f.container_uid
  JOIN t_container p ON p.uid = f.parent_container_uid
  WHERE p.container_type = 'mailbox_records' AND p.name = 'INBOX' ORDER BY c.owner, f.display_name;
\\endif
END"""
"""A line that prints user, UID, LOGIN and folder, UID, NAME, each as a line of JSON."""


def by_user(told: Result) -> Verdict:
    """None may be left; an item a folder, by the user's login."""
    rows = [json.loads(line) for line in told.stdout.split("\n") if line]
    logins = {row[1]: row[2] for row in rows if row[0] == "user"}
    items = sorted((logins.get(row[1], row[1]), row[2]) for row in rows if row[0] == "folder")
    if not told.ok or not logins:
        return Verdict.unmade(told.stderr.strip() or "no user is listed")
    users = Counter(user for user, _ in items)
    seen = f"{len(items)} folders: " + ", ".join(f"{number} of {user}" for user, number in users.items())
    folders = tuple({"user": user, "folder": folder} for user, folder in items)
    return Verdict(not items, seen if items else "none", folders)


def note(folder: str) -> str:
    """Write down which there are, before anybody moves one."""
    return f"umask 077; mkdir -p {folder} && ({LIST}\n) > {folder}/virtual-folders"


def note_moved(folder: str) -> str:
    """Write down those that are not there any more, with all users."""
    return f"""now=$({LIST}
) || exit 1
LC_ALL=C comm -23 <(LC_ALL=C sort {folder}/virtual-folders) <(grep -v '^\\["user"' <<< "$now" | LC_ALL=C sort) > {folder}/virtual-folders-moved"""


def any_moved(folder: str) -> str:
    return f"[ -e {folder}/virtual-folders-moved ] && grep -q '^\\[\"folder\"' {folder}/virtual-folders-moved"


def show_moved(folder: str) -> str:
    return f"cat {folder}/virtual-folders-moved"


def read_moved(told: Result) -> str:
    found = by_user(told)
    return "; ".join(f"{one['user']}: {one['folder']}" for one in found.items)
