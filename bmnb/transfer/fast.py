"""Command lines of the fast engine: its programs on the servers, and the connection they share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from bmnb.bluemind.paths import ADDED_CONFIGURATION, CONFIGURATION, POSTFIX_MAPS
from bmnb.steps import Gauge, Result, Row
from bmnb.transfer import configuration, databases
from bmnb.transfer.access import ssh

PROGRAMS = Path(__file__).with_name("programs")


def programs(folder: str) -> Iterator[tuple[str, str]]:
    """The programs that run on the servers: a line that puts one there, and the program, which is its input."""
    for one in sorted(PROGRAMS.glob("*.py")):
        yield f"mkdir -p {folder}/programs && cat > {folder}/programs/{one.name}", one.read_text()


def probe(folder: str, origin: str) -> str:
    """A line that finds out on both servers which parts the fast engine can do, and prints them."""
    return f"""rm -f {folder}/fast-*
able() {{ {PYTHON} && {_on(folder, origin)} {quote(PYTHON)}; }}
gnu() {{ {GNU} && {_on(folder, origin)} {quote(GNU)}; }}
new() {{ {POSTGRESQL} && {_on(folder, origin)} {quote(POSTGRESQL)}; }}
able && gnu && touch {folder}/fast-files && echo files
able && systemctl start postgresql && new && touch {folder}/fast-databases && echo databases
true"""


PYTHON = "python3 -c 'import sys; sys.exit(sys.version_info < (3, 7))'"
# tar has the warning failed-read from 1.30 on
TAR = "tar --warning=no-failed-read --version | grep -q GNU"
GNU = f"find --version | grep -q GNU && {TAR} && sort --version | grep -q GNU"
POSTGRESQL = f"test $({databases.SERVER_VERSION}) -ge 100000"


def read_probe(result: Result) -> Row:
    found = result.stdout.split()
    return {f"{part} by engine": "fast" if part in found else "literal" for part in ("files", "databases")}


def carry_files(
    folder: str, origin: str, trees: tuple[str, ...], live: bool, streams: int, limit: int = 0
) -> str:
    """A line for the target. `limit` is in MB a second over the line; 0 is none."""
    program, lists = f"{folder}/programs/carry_files.py", f"{folder}/files"
    services = "hot" if live else "cold"
    return (
        f"python3 {program} carry {lists} {_jobs(streams)} {services} {' '.join(trees)} "
        f"--ssh {_limited(folder, limit)}{_on(folder, origin, own=live)}"
    )


def tables(folder: str, origin: str, database: str) -> Gauge:
    """Which table is dumped, or restored, where a database is copied as a whole."""
    dumped = databases.table_under_way(database)
    restored = databases.table_under_way(databases.imported(database))
    return Gauge(at=f"{_on(folder, origin)} {quote(dumped)}; {restored}")


def carry_database(folder: str, origin: str, database: str, streams: int, limit: int = 0) -> str:
    """A line for the target; `limit` as of the files, and together with them."""
    program = f"{folder}/programs/carry_database.py"
    return (
        f"python3 {program} {database} {databases.imported(database)} {folder}/databases/{database} "
        f"{_jobs(streams)} -- {_limited(folder, limit)}{_on(folder, origin)}"
    )


def read_told(result: Result) -> Row:
    """The numbers that a program prints, in its last line."""
    row: Row = json.loads(result.stdout.splitlines()[-1])
    return row


def carry_configuration(folder: str, origin: str, added: bool) -> str:
    """Save the target's own files, then bring the document's list in one stream, folders as folders."""
    copied = [path for path in CONFIGURATION if path not in POSTFIX_MAPS]
    paths = " ".join(path.removesuffix("/*") for path in (*copied, *(ADDED_CONFIGURATION if added else ())))
    options = "--acls --xattrs --xattrs-include='*' --absolute-names"
    source = (
        f'shopt -s nullglob; found=(); for path in {paths}; do [ ! -e "$path" ] || found+=("$path"); done; '
        f'tar --create --format=posix {options} -- "${{found[@]}}"'
    )
    return f"""( {configuration.save(folder)} ) &&
{_on(folder, origin)} {quote(source)} | tar --extract --preserve-permissions --same-owner {options}"""


def rebuild_maps(aliases: bool) -> str:
    """Make Postfix's maps from their -flat files, those that came."""
    lines = [
        f"[ ! -e {path.replace('.db', '-flat')} ] || ( {configuration.rebuild_map(path)} ) || exit 1"
        for path in POSTFIX_MAPS
    ]
    return "\n".join([*lines, *(["newaliases"] if aliases else [])])


def open_line(folder: str, origin: str) -> str:
    """Keep one connection to the origin open, in a unit of its own; where it breaks, ssh makes new ones."""
    unit = _line_unit(folder)
    return f"""systemctl stop {unit} 2> /dev/null
systemd-run --quiet --collect --unit={unit} {ssh(folder)} {CIPHERS} -o ControlMaster=yes -o ControlPath={_socket(folder)} -N root@{origin}
check="{ssh(folder)} -o ControlPath={_socket(folder)} -O check root@{origin}"
for tick in $(seq 100); do $check 2> /dev/null && exit 0; sleep 0.1; done; $check"""


def close_line(folder: str) -> str:
    return f"systemctl stop {_line_unit(folder)} 2> /dev/null; true"


def forget(folder: str) -> str:
    """Remove what the programs keep on a server."""
    return f"rm -rf {folder}/programs {folder}/files {folder}/databases {folder}/fast-* {folder}/limit"


def _on(folder: str, origin: str, own: bool = False) -> str:
    """ssh to the origin: over the open connection where there is one, or one of its own for a bulk stream."""
    return f"{ssh(folder)} {CIPHERS} -o ControlPath={'none' if own else _socket(folder)} root@{origin}"


# with AES in the processor a third faster than OpenSSH's own first choice, which stays the last
CIPHERS = "-c aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,chacha20-poly1305@openssh.com"


def _limited(folder: str, limit: int) -> str:
    return f"python3 {folder}/programs/limited.py {folder}/limit {limit * 1_000_000} " if limit else ""


def _socket(folder: str) -> str:
    return f"{folder}/line"


def _line_unit(folder: str) -> str:
    return f"bmnb-line-{folder.rsplit('/', 1)[-1]}.service"


def _jobs(streams: int) -> str:
    """As many as the target has processors, up to four, unless told."""
    return str(streams) if streams else "$(n=$(nproc); echo $((n < 4 ? n : 4)))"
