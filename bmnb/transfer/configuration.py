"""Copying configuration files, with ownership by name and modes as on the origin."""

import posixpath
from collections import Counter
from shlex import quote

from bmnb.bluemind.paths import ADDED_CONFIGURATION, CONFIGURATION
from bmnb.steps import Result, Verdict

PATHS = " ".join(dict.fromkeys((*CONFIGURATION, *ADDED_CONFIGURATION)))
SAVED = f"{PATHS} /etc/postfix/*"
"""Files of the target's own that what is copied may replace."""

RSYNC = "rsync -aAX --copy-links --ignore-times --modify-window=-1"
"""Every file is copied, as scp does: those that both servers' installers wrote in the same second, at the
same size, would count as equal. As with scp, a link comes as what it leads to."""


def exists(path: str) -> str:
    """A line that ends with 1 where no file matches the path, which may hold a glob."""
    return f"compgen -G {quote(path)} > /dev/null"


def copy(origin: str, path: str) -> str:
    """One line of the document's list: a folder's contents, files by glob, or one file.

    A folder's contents are copied as the folder, since a glob leaves out names that begin with a dot.
    """
    folder, name = posixpath.split(path)
    if name == "*":
        return f"mkdir -p {folder} && {RSYNC} root@{origin}:{read_there(path)} {folder}/"
    if "*" in name:
        return f"{RSYNC} 'root@{origin}:{path}' {folder}/"
    return f"mkdir -p {folder} && {RSYNC} root@{origin}:{path} {path}"


def read_there(path: str) -> str:
    """The path by which rsync reads it on the origin."""
    return path.removesuffix("*") if path.endswith("/*") else path


def save(folder: str) -> str:
    """Save the target's own files once, before the first of them is overwritten."""
    archive = _saved(folder)
    return f"""umask 077; mkdir -p {folder}; test -f {archive} && exit 0
shopt -s nullglob dotglob; files=()
for path in {SAVED}; do [ ! -e "$path" ] || files+=("$path"); done
tar -czPf {archive}.new -- "${{files[@]}}" && mv {archive}.new {archive}"""


def restore(folder: str) -> str:
    """Put the target's own files back, and take away what came beside them."""
    archive = _saved(folder)
    return f"""[ -f {archive} ] || exit 0
tar -tzf {archive} > /dev/null && shopt -s nullglob dotglob && rm -rf -- {PATHS} && tar -xzPf {archive}"""


def changes(folder: str) -> str:
    """A line that prints each file of which the target's own differs from what was copied, and how."""
    return f"""set -e; shopt -s nullglob dotglob; own=$(mktemp -d); trap 'rm -rf "$own"' EXIT
tar -xzf {_saved(folder)} -C "$own" 2> /dev/null; here=({SAVED})
{{ find "$own" -type f -printf '/%P\\n'; find "${{here[@]}}" -type f 2> /dev/null; }} | sort -u |
while read -r file; do
  if [ ! -e "$own$file" ]; then echo "new $file"
  elif [ ! -e "$file" ]; then echo "gone $file"
  elif ! cmp -s "$own$file" "$file"; then echo "overwritten $file"
  fi
done; echo end"""


def what_changed(told: Result) -> Verdict:
    """Holds where it was compared: it is for a person to read. Files are named, their contents are not shown."""
    found = [line.split(" ", 1) for line in told.stdout.splitlines()[:-1]]
    counts = Counter(change for change, _ in found)
    seen = ", ".join(f"{number} {change}" for change, number in counts.items()) or "nothing changed"
    items = tuple({"server": told.host, "change": change, "what": what} for change, what in found)
    return Verdict(told.ok and told.stdout.endswith("end\n"), seen, items)


def _saved(folder: str) -> str:
    return f"{folder}/target-configuration.tar.gz"


def rebuild_map(path: str) -> str:
    """Make a Postfix map from its -flat file: the format of .db files differs between distributions."""
    name = posixpath.basename(path).removesuffix(".db")
    return f"cd /etc/postfix && postmap {name}-flat && mv {name}-flat.db {name}.db"


CONFIGURE_NGINX = "/usr/share/bm-client-access/bin/configure-nginx.sh"
