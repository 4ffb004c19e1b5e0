"""Find the files that a server's configuration names.

Runs on a server as root, with its Python from 3.5 on, so it imports nothing of this project:

    named.py there TREE... -- GLOB...    what is named on the origin and neither in a tree, nor a package's, nor among
                                         the files of the globs, which are copied; and its own files BESIDE these
    named.py here                        what the target has to compare with it
    named.py postfix GLOB...             of the former, each with NUL: files below /etc/postfix, by their path in it

The first two print a JSON object.
"""

import fnmatch
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from typing import Any, Dict, Iterator, List, Sequence, Tuple

POSTFIX = "/etc/postfix"
OWN = ("/etc", "/usr/local")
"""Where a server has files of its administrators, which are compared."""

INDEXED = {"hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb", "dbm": ".dir", "sdbm": ".dir"}
"""Types of maps that postmap makes of a text, with the ending of what it makes."""

BESIDE = {
    "nginx": ("/etc/nginx/conf.d/*", "/etc/nginx/sites-enabled/*"),
    "systemd": tuple(
        "/etc/systemd/system/{}.d/*.conf".format(unit)
        for unit in ("bm-*", "bluemind*", "postfix*", "postgresql*", "nginx*")
    ),
}
"""Files of an administrator's own by the program that reads them."""

INSTALLED = re.compile(r"(bm-.*|default)$")
"""Names of those that BlueMind and nginx' package write there."""

SOCKETS = ("unix", "inet", "fifo")
ELSEWHERE = re.compile(r"/(proc|sys|dev|run|tmp|var/(run|tmp|log|lock|cache|lib/postfix|spool/postfix))(/|$)")
MADE_BY_SYSTEM = re.compile(
    r"/(ca-certificates\.crt|ca-bundle(\.trust)?\.crt|tls-ca-bundle\.pem|ssl-cert-snakeoil\.\w+|resolv\.conf|hosts)$"
)
"""Each server has its own."""

PACKAGED = (
    *("command_directory", "daemon_directory", "data_directory", "meta_directory", "shlib_directory"),
    *("html_directory", "manpage_directory", "readme_directory", "sample_directory"),
    *("sendmail_path", "newaliases_path", "mailq_path"),
)
"""Parameters of main.cf by which a package of Postfix finds its own parts: each distribution's are other ones."""

LARGE = 1 << 18
"""Bytes from which on a file is not taken for one of configuration."""

NAMED = re.compile(r"(?<![\w./@$}-])(?:([a-z]+):)?(/[\w.@+%=~-]+(?:/[\w.@+%=~-]+)*)")
COMMENT = re.compile(r"^\s*(#|;|//).*$", re.MULTILINE)
CARRIED, FILE, FOLDER, INDEX = "carried", "file", "folder", "index alone"


def ask(*command: str) -> str:
    """What a program says; nothing where the server hasn't got it."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.decode(errors="surrogateescape")


def is_carried(path: str, globs: Sequence[str]) -> bool:
    for one in globs:
        folder, name = os.path.split(one)
        if path == folder or path.startswith(folder + "/") if name == "*" else fnmatch.fnmatch(path, one):
            return True
    return False


def texts(globs: Sequence[str]) -> Iterator[Tuple[str, str]]:
    """Each file of configuration and what it says; of Postfix's main.cf what counts."""
    lines = ask("postconf", "-nx").splitlines(True)
    yield POSTFIX + "/main.cf", "".join(one for one in lines if one.partition(" ")[0] not in PACKAGED)
    for path in sorted({path for one in globs for path in glob.glob(one)}):
        for file in [path] if os.path.isfile(path) else every_file(path):
            text = content(file)
            if file != POSTFIX + "/main.cf" and text:
                yield file, COMMENT.sub("", text)


def every_file(folder: str) -> Iterator[str]:
    for within, _, names in os.walk(folder):
        for name in sorted(names):
            yield os.path.join(within, name)


def content(path: str) -> str:
    """The text of a file; nothing where it is none."""
    if not os.path.isfile(path) or os.path.getsize(path) > LARGE:
        return ""
    with open(path, "rb") as file:
        read = file.read()
    return "" if b"\0" in read else read.decode(errors="surrogateescape")


def of_packages(paths: Sequence[str]) -> Dict[str, bool]:
    """Those of the paths that belong to a package."""
    if not paths:
        return {}
    if shutil.which("dpkg"):
        lines = ask("dpkg", "-S", *paths).splitlines()
        return {line.partition(": ")[2]: True for line in lines}
    return {path: not re.search("not owned", ask("rpm", "-qf", path)) for path in paths}


def beside() -> Iterator[Tuple[str, str]]:
    """The program, and each of its own files."""
    for program, globs in BESIDE.items():
        for path in sorted({path for one in globs for path in glob.glob(one)}):
            if os.path.isfile(path) and not INSTALLED.match(os.path.basename(path)):
                yield program, path


def kind_of(sort: str, path: str) -> str:
    if sort in INDEXED and not os.path.isfile(path):
        return INDEX if os.path.exists(path + INDEXED[sort]) else ""
    if os.path.isfile(path):
        return CARRIED if path.startswith(POSTFIX + "/") else FILE
    return FOLDER if os.path.isdir(path) and os.listdir(path) else ""


def named(trees: Sequence[str], globs: Sequence[str]) -> List[Dict[str, Any]]:
    own = list(beside())
    found = {path: {"item": path, "named in": program, "what": FILE} for program, path in own}
    for where, text in [*texts(globs), *((path, COMMENT.sub("", content(path))) for _, path in own)]:
        for sort, path in NAMED.findall(text):
            flat = sort in INDEXED and is_carried(path + "-flat", globs)
            in_tree = any(path == tree or path.startswith(tree + "/") for tree in trees)
            if sort in SOCKETS or flat or in_tree or ELSEWHERE.match(path) or is_carried(path, globs):
                continue
            kind = kind_of(sort, path)
            if kind and not MADE_BY_SYSTEM.search(path):
                found.setdefault(path, {"item": path, "named in": where, "what": kind})
    packaged = of_packages(sorted(found))
    return [one for path, one in sorted(found.items()) if not packaged.get(path)]


def types() -> List[str]:
    """The types of maps that main.cf names files for."""
    every = {sort for sort, _ in NAMED.findall(ask("postconf", "-nx"))}
    return sorted(every.intersection(ask("postconf", "-m").split()))


def digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]


def there(trees: Sequence[str], globs: Sequence[str]) -> Dict[str, Any]:
    found = named(trees, globs)
    sums = {one["item"]: digest(one["item"]) for one in found if one["what"] in (CARRIED, FILE)}
    return {"named": found, "sums": sums, "types": types()}


def here() -> Dict[str, Any]:
    every = [path for folder in OWN for path in every_file(folder) if os.path.isfile(path)]
    sums = {path: digest(path) for path in every if os.path.getsize(path) <= LARGE}
    return {"sums": sums, "types": ask("postconf", "-m").split()}


def main() -> None:
    command, *words = sys.argv[1:]
    if command == "postfix":
        for one in named((), words):
            if one["what"] == CARRIED:
                sys.stdout.buffer.write(os.fsencode(one["item"][len(POSTFIX) + 1 :]) + b"\0")
    elif command == "there":
        at = words.index("--")
        print(json.dumps(there(words[:at], words[at + 1 :])))
    else:
        print(json.dumps(here()))


if __name__ == "__main__":
    main()
