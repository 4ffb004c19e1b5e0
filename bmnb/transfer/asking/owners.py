"""Tell to whom the files of trees belong, and to whom their access lists give access.

Runs on a server as root, with its Python from 3.5 on, so it imports nothing of this project:

    owners.py TREE...     the users and groups of the files
    owners.py             all users and groups of this server

Prints a JSON line for each: "user" or "group", its number, its name, empty where this server knows none.
"""

import grp
import json
import os
import pwd
import struct
import sys
from typing import Iterator, Sequence, Tuple

ACCESS_LISTS = ("system.posix_acl_access", "system.posix_acl_default")
ENTRY = struct.Struct("<HHI")
"""Of an access list, after four bytes of version: tag, permissions, number (linux/posix_acl_xattr.h)."""
SORTS = {2: "user", 8: "group"}

Owner = Tuple[str, int]


def files(tree: str) -> Iterator[str]:
    """The tree itself and all below it; of links those that lead nowhere else."""
    yield os.path.join(tree, "")
    for folder, folders, names in os.walk(tree):
        for name in folders + names:
            yield os.path.join(folder, name)


def owners(path: str) -> Iterator[Owner]:
    found = os.stat(path) if path.endswith("/") else os.lstat(path)
    yield "user", found.st_uid
    yield "group", found.st_gid
    for name in os.listxattr(path, follow_symlinks=path.endswith("/")):
        if name in ACCESS_LISTS:
            for tag, _, number in ENTRY.iter_unpack(os.getxattr(path, name)[4:]):
                if tag in SORTS:
                    yield SORTS[tag], number


def named(owner: Owner) -> str:
    """The name of a user or group; nothing where this server knows none."""
    sort, number = owner
    try:
        return pwd.getpwuid(number).pw_name if sort == "user" else grp.getgrgid(number).gr_name
    except KeyError:
        return ""


def all_owners(trees: Sequence[str]) -> Iterator[Owner]:
    for tree in trees:
        for path in files(tree) if os.path.isdir(tree) else ():
            try:
                yield from owners(path)
            except FileNotFoundError:  # users are at work
                continue


def of_this_server() -> Iterator[Tuple[str, int, str]]:
    for user in pwd.getpwall():
        yield "user", user.pw_uid, user.pw_name
    for group in grp.getgrall():
        yield "group", group.gr_gid, group.gr_name


def main() -> None:
    trees = sys.argv[1:]
    found = (
        [(*owner, named(owner)) for owner in sorted(set(all_owners(trees)))] if trees else of_this_server()
    )
    for one in found:
        print(json.dumps(one))


if __name__ == "__main__":
    main()
