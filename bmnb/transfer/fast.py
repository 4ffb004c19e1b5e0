"""Command lines of the fast engine: its programs on the servers, and the connection they share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from bmnb.bluemind.paths import ADDED_CONFIGURATION, CONFIGURATION, POSTFIX_MAPS
from bmnb.steps import Gauge, Result, Row
from bmnb.transfer import configuration, databases, files, naming, replication
from bmnb.transfer.access import LOGIN, SIDE_BY_SIDE, Around, socket, ssh
from bmnb.transfer.programs import carry_database, carry_files, cipher, postgres, rows
from bmnb.transfer.programs import replication as replicating

PROGRAMS = Path(__file__).with_name("programs")

MOST = SIDE_BY_SIDE
"""Streams at a time, unless told otherwise; where fewer bring as much, these are fewer."""


def probe(folder: str, origin: str, replicate: bool, names: Sequence[str]) -> str:
    """A line that finds out on both servers which parts the fast engine can do, and prints them."""
    return f"""rm -f {folder}/fast-*
able() {{ {PYTHON} && {_on(folder, origin)} {quote(PYTHON)}; }}
gnu() {{ {GNU} && {_on(folder, origin)} {quote(GNU)}; }}
new() {{ {POSTGRESQL} && {_on(folder, origin)} {quote(POSTGRESQL)}; }}
able && gnu && touch {folder}/fast-files && echo files
able && {postgres.START_UNIT} && new && touch {folder}/fast-databases && echo databases
{_probe_replication(folder, origin, names) if replicate else "true"}"""


def _probe_replication(folder: str, origin: str, names: Sequence[str]) -> str:
    there = f"{_on(folder, origin)} {quote(replication.on_origin(names))}"
    here = replication.on_target(names)
    return f"""[ -e {folder}/fast-databases ] || exit 0
there=$({there}) && here=$({here}) || exit
[ -n "$there$here" ] || touch {folder}/fast-replication
echo "replication: $there${{here:+, }}$here"
"""


PYTHON = "python3 -c 'import sys; sys.exit(sys.version_info < (3, 7))'"
# tar has the warning failed-read from 1.30 on
TAR = "tar --warning=no-failed-read --version | grep -q GNU"
GNU = f"find --version | grep -q GNU && {TAR} && sort --version | grep -q GNU"
POSTGRESQL = f"test $({databases.SERVER_VERSION}) -ge 100000"


def read_probe(result: Result) -> Row:
    """`replication` says what speaks against it, where it was wanted."""
    found = result.stdout.splitlines()
    row = {f"{part} by engine": "fast" if part in found else "literal" for part in ("files", "databases")}
    for line in found:
        if line.startswith("replication: "):
            against = line.partition(": ")[2].strip(", ")
            row["replication"] = f"no: {against}" if against else "yes"
    return row


def measure_ciphers(folder: str, origin: str, limit: int) -> str:
    """A line for the target that writes the fastest cipher into the run's ssh configuration, and prints it."""
    on_origin = f"{_limited(folder, limit)}{_on(folder, origin, own=True)}"
    return f"python3 {_programs(folder)}/cipher.py {folder}/ssh_config {quote(SOURCE)} {on_origin}"


SOURCE = f"python3 -c {quote(cipher.SOURCE)}"


def read_ciphers(result: Result) -> Row:
    """What was measured, the cipher that is taken first."""
    told = json.loads(result.stdout)
    return {"cipher": "; ".join(told["measured"]) if told["cipher"] else "OpenSSH's own choice"}


def copy_trees(
    folder: str, origin: str, trees: tuple[str, ...], live: bool, streams: int, limit: int = 0
) -> str:
    """A line for the target; at most so many `streams`, 0 for the usual. `limit` is in MB a second; 0 is none."""
    return _carry(folder, origin, trees, live, f"--most {streams or MOST}", _jobs(streams), limit)


def copy_overlooked(folder: str, origin: str, trees: tuple[str, ...], streams: int) -> str:
    """A line for the target that looks at all of the stopped origin, whatever its journal of changes names."""
    options = f"--most {streams or MOST} {carry_files.EVERYWHERE}"
    return _carry(folder, origin, trees, False, options, _jobs(streams), 0)


def _carry(
    folder: str, origin: str, trees: tuple[str, ...], live: bool, options: str, jobs: str, limit: int
) -> str:
    services = "hot" if live else "cold"
    return (
        f"{_carry_files(folder)} carry {_lists(folder)} {jobs} {services} {' '.join(trees)} "
        f"{options} --ssh {_limited(folder, limit)}{_on(folder, origin, own=live)}"
    )


def relied_on_journal(folder: str) -> str:
    return f"test -e {_lists(folder)}/{carry_files.PARTIAL}"


def keep_journal(folder: str, trees: tuple[str, ...]) -> str:
    """A line for the origin that begins its journal of changes, if it doesn't go on and Linux offers one."""
    unit, watched = _journal_unit(folder), " ".join(trees)
    program = "python3 -m programs.change_journal"
    return f"""cd {folder} || exit
against=$({program} against {watched} 2>&1 | tail -n 1)
[ -z "$against" ] || {{ echo "no: $against"; exit 0; }}
if systemctl is-active --quiet {unit}; then echo "goes on"; exit 0; fi
{postgres.RUN_UNIT} --unit={unit} --working-directory={folder} -p Type=notify \
  -p MemoryMax=256M {program} watch {_lists(folder)} {watched} && echo begun"""


def read_journal(result: Result) -> Row:
    return {"journal of changes": result.stdout.strip()}


def end_journal(folder: str) -> str:
    unit = _journal_unit(folder)
    return f"if systemctl is-active --quiet {unit}; then systemctl stop {unit} || exit; fi"


def tables(folder: str, origin: str, database: str) -> Gauge:
    """Which table is dumped, or restored, where a database is copied as a whole."""
    dumped = databases.table_under_way(database)
    restored = databases.table_under_way(databases.imported(database))
    return Gauge(at=f"{_on(folder, origin)} {quote(dumped)}; {restored}")


def copy_rows(
    folder: str, origin: str, database: str, streams: int, limit: int = 0, replicate: bool = False
) -> str:
    """A line for the target; `limit` as of the files, and together with them."""
    option = f"$(test ! -e {folder}/fast-replication || echo --replicate) " if replicate else ""
    return (
        f"cd {folder} && python3 -m programs.carry_database {option}{database} {databases.imported(database)} "
        f"{folder}/databases/{database} {_jobs(streams)} -- {_limited(folder, limit)}{_on(folder, origin)}"
    )


def read_told(result: Result) -> Row:
    """The numbers that a program prints, in its last line."""
    return {name: value for name, value in _told(result).items() if name != PARTS}


def read_parts(result: Result) -> list[Row]:
    """What it tells there of each tree or table; one that an earlier release has put there tells nothing of it."""
    parts: list[Row] = _told(result).get(PARTS, [])
    return parts


PARTS = "parts"


def _told(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return told


def carry_configuration(folder: str, origin: str, added: bool) -> str:
    """Save the target's own files, then bring the document's list in one stream, folders as folders."""
    named = f" && ( {naming.copy(folder, origin, added)} )" if added else ""
    return f"""( {configuration.save(folder)} ) &&
{unpack_configuration(folder, origin, added)}{named}"""


def unpack_configuration(folder: str, origin: str, added: bool) -> str:
    put = f"tar --extract --preserve-permissions --same-owner {KEPT}"
    return f"{_on(folder, origin)} {quote(_configuration(added))} | {put}"


def reach(folder: str, origin: str) -> str:
    """A line that holds where the origin is in the target's reach, by a connection of its own."""
    return f"{_on(folder, origin, own=True)} {quote(LOGIN)} < /dev/null"


KEPT = "--acls --xattrs --xattrs-include='*' --absolute-names"


def _configuration(added: bool) -> str:
    """The line that packs it on the origin."""
    copied = [path for path in CONFIGURATION if path not in POSTFIX_MAPS]
    listed = (*copied, *(ADDED_CONFIGURATION if added else ()))
    # a folder of the target may be a link, which stays one
    paths = " ".join(f"{path[:-1]}." if path.endswith("/*") else path for path in listed)
    return (
        f'shopt -s nullglob; found=(); for path in {paths}; do [ ! -e "$path" ] || found+=("$path"); done; '
        f'tar --create --format=posix --dereference {KEPT} -- "${{found[@]}}"'
    )


def lines_there(folder: str, trees: tuple[str, ...], added: bool, names: Iterable[str]) -> Iterator[str]:
    """The lines that the origin does for this engine, as they stand."""
    yield from (PYTHON, GNU, POSTGRESQL, SOURCE, postgres.START, _configuration(added), rows.line(folder))
    for database in names:
        yield postgres.psql(database)
        # whatever an earlier pass with another setting may have left
        yield replicating.end_on_origin(database)
    yield from map(files.has_something, trees)


def lines_of_replication(folder: str, names: Sequence[str]) -> Iterator[str]:
    """Those that it does for logical replication."""
    yield replication.on_origin(names)
    for database in names:
        yield postgres.psql(replicating.walsender(database))
        yield replicating.guard(database, _programs(folder))


def line_around_of_replication(folder: str) -> Around:
    return Around(f"{replicating.join(_programs(folder))} ", "", PATH)


PATH, SNAPSHOT = "A-Za-z0-9./_-", "0-9A-F-"
"""Signs of one word: with a blank, it could be followed by another option."""


def lines_around(folder: str, names: Iterable[str]) -> Iterator[Around]:
    """How the other lines begin and end that the origin does for this engine."""
    listed = f"cat {_lists(folder)}/"
    for command in ("scan", "choose", "trust"):
        yield Around(f"{_carry_files(folder, carry_files.GENTLY)} {command} {_lists(folder)} ", "")
    for command in ("scan", "choose", "sums"):
        yield Around(f"{_carry_files(folder)} {command} {_lists(folder)} ", "")
    yield Around(listed, "")
    for source in carry_files.SOURCES.values():
        yield Around(f"set -o pipefail; {listed}", f" | {source}")
    for database in names:
        first, last = carry_database.dump("|", database).split("|")
        yield Around(first, last, SNAPSHOT)


def rebuild_maps(aliases: bool) -> str:
    """Make Postfix's maps from their -flat files, those that came."""
    lines = [
        f"[ ! -e {path.replace('.db', '-flat')} ] || ( {configuration.rebuild_map(path)} ) || exit 1"
        for path in POSTFIX_MAPS
    ]
    return "\n".join([*lines, *(["newaliases || exit", naming.MAKE_MAPS] if aliases else [])])


def end_replication(end: Callable[[str], str], names: Sequence[str]) -> str:
    """A line that leaves nothing of it on a server, whatever is there; `end` does so for a database."""
    lines = "\n".join(f'! grep -qx {name} <<< "$there" || (\n{end(name)}\n) || exit' for name in names)
    return f"""{postgres.START_UNIT} && version=$({databases.SERVER_VERSION}) || exit
[ "$version" -ge 100000 ] || exit 0
there=$({databases.named(names)}) || exit
{lines}"""


def open_line(folder: str, origin: str) -> str:
    """Keep one connection to the origin open, in a unit of its own; where it breaks, ssh makes new ones.

    An ssh that was killed leaves its socket, and the next one would not listen.
    """
    unit = _line_unit(folder)
    return f"""systemctl stop {unit} 2> /dev/null; rm -f {socket(folder)}
{postgres.RUN_UNIT} --unit={unit} {ssh(folder)} -o ControlMaster=yes -N root@{origin}
check="{ssh(folder)} -O check root@{origin}"
for tick in $(seq 100); do $check 2> /dev/null && exit 0; sleep 0.1; done; $check"""


def close_line(folder: str) -> str:
    return f"systemctl stop {_line_unit(folder)} 2> /dev/null; true"


LISTS = ("files", "databases")


def forget(folder: str) -> str:
    """End the journal of changes; remove what the programs keep on a server, and the dump of one that was killed."""
    kept = _of(folder, ("programs", *LISTS, "sums", "fast-*", "limit"))
    return f"{end_journal(folder)}\nrm -rf {kept} {carry_database.kept_dump('*')}"


def _of(folder: str, names: Iterable[str]) -> str:
    return " ".join(f"{folder}/{name}" for name in names)


def _on(folder: str, origin: str, own: bool = False) -> str:
    """ssh to the origin: over the open connection where there is one, or one of its own for a bulk stream."""
    return f"{ssh(folder)} {'-o ControlPath=none ' if own else ''}root@{origin}"


def _limited(folder: str, limit: int) -> str:
    return f"python3 {folder}/programs/limited.py {folder}/limit {limit * 1_000_000} " if limit else ""


def _programs(folder: str) -> str:
    return f"{folder}/programs"


def _carry_files(folder: str, gently: Iterable[str] = ()) -> str:
    return f"cd {folder} && {' '.join((*gently, 'python3'))} -m programs.carry_files"


def _lists(folder: str) -> str:
    return f"{folder}/files"


def _line_unit(folder: str) -> str:
    return f"bmnb-line-{folder.rsplit('/', 1)[-1]}.service"


def _journal_unit(folder: str) -> str:
    return f"bmnb-changes-{folder.rsplit('/', 1)[-1]}.service"


def _jobs(streams: int) -> str:
    """As many as the target has processors, up to four, unless told."""
    return str(streams) if streams else "$(n=$(nproc); echo $((n < 4 ? n : 4)))"
