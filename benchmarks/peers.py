"""Peers on the same data, each with its own part of a downtime alone: no checks, nothing that can be resumed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.meter import Meter
from benchmarks.migration import TREES, Case, changed, line_between, prepared, row
from bmnb.bluemind.paths import DATABASES, ini
from bmnb.lab import Lab, compare
from bmnb.lab.host import CACHE, call
from bmnb.lab.server import Server

JOBS = "$(nproc)"
TUNNEL_PORT = 15432
OWN = "-h localhost -U bj"
ORIGIN = f"-h localhost -p {TUNNEL_PORT} -U bj"


def synchronize(lab: Lab) -> None:
    """Each tree by one rsync, with the options of Ansible's module `synchronize`."""
    for tree in TREES:
        if (lab.origin.root / tree[1:]).is_dir():
            options = "--delay-updates --compress --archive --delete"
            lab.target.must(f"rsync {options} origin:{tree}/ {tree}/", timeout=3600)


def fpsync(lab: Lab) -> None:
    """Each tree by several rsyncs, which the origin starts; with -E they delete, and may not be told to.

    Its own options have --numeric-ids, but the servers number accounts differently.
    """
    for tree in TREES:
        if (lab.origin.root / tree[1:]).is_dir():
            options = "-o -lptgoDH"
            lab.origin.must(f"fpsync -E -n {JOBS} {options} {tree}/ root@target:{tree}/", timeout=3600)


def pg_dump(lab: Lab) -> None:
    """Dumped as a directory and restored, both by several processes, both databases side by side."""
    side_by_side(
        lab,
        lambda name: (
            f"pg_dump -Fd -Z0 -j {JOBS} {ORIGIN} -f /var/tmp/{name} {name} && {empty(name)} && "
            f"pg_restore -j {JOBS} --exit-on-error {OWN} -d {name} /var/tmp/{name}"
        ),
    )


def pgcopydb(lab: Lab) -> None:
    """Tables and indexes copied by several processes, both databases side by side."""
    side_by_side(
        lab,
        lambda name: (
            f"{empty(name)} && pgcopydb clone --dir /var/tmp/{name} --table-jobs {JOBS} --index-jobs {JOBS} "
            f"--source 'host=localhost port={TUNNEL_PORT} user=bj dbname={name}' "
            f"--target 'host=localhost user=bj dbname={name}' > /var/tmp/{name}.log 2>&1"
        ),
    )


def empty(name: str) -> str:
    create = f"createdb {OWN} -E UTF8 -l en_US.UTF-8 -T template0 {name}"
    return f'dropdb {OWN} {name} && {create} && psql {OWN} -Xqc "ALTER DATABASE \\"{name}\\" SET timezone TO \'GMT\'" {name}'


def side_by_side(lab: Lab, line: Callable[[str], str]) -> None:
    starts = "\n".join(f"( {line(name)} ) & started+=($!)" for name in DATABASES)
    lab.target.must(
        f'started=()\n{starts}\nfor one in "${{started[@]}}"; do wait $one || exit; done', timeout=3600
    )


PEERS = {"synchronize": synchronize, "fpsync": fpsync, "pg_dump -Fd": pg_dump, "pgcopydb": pgcopydb}


def measure(case: Case, number: int) -> Iterator[dict[str, Any]]:
    """Yield the row of one peer; files come after a hot pass of its own."""
    work = PEERS[case.variant]
    of_files = work in (synchronize, fpsync)
    with Lab(f"fstb-{os.getpid()}", print) as lab:
        prepared(lab, case)
        lab.target.must("bmctl stop; systemctl start postgresql")
        let_in(lab)
        for peer, package, server in ((pgcopydb, "pgcopydb", lab.target), (fpsync, "fpart", lab.origin)):
            if work is peer:
                install(server, package)
        with line_between(lab, case.line):
            if of_files:
                work(lab)
            changed(lab, case, number)
            lab.origin.must("bmctl stop; systemctl start postgresql")
            tunnel(lab)
            began = time.monotonic()
            with Meter(lab.origin) as origin, Meter(lab.target) as target:
                work(lab)
            seconds = round(time.monotonic() - began, 2)
        sides = lab.origin.must, lab.target.must
        found = compare.files(*sides, TREES) if of_files else compare.databases(*sides)
        print(*found[:10], sep="\n")
        measured = row("files" if of_files else "databases", seconds, origin, target)
        yield {**case.common(number), **measured, "differences": len(found)}


def let_in(lab: Lab) -> None:
    """Each server's root logs in on the other with the lab's key; the target has both passwords of bj."""
    folder = lab.ssh_config.parent
    for server in (lab.origin, lab.target):
        ssh = server.root / "root/.ssh"
        for name in ("key", "known_hosts"):
            (ssh / name).write_bytes((folder / name).read_bytes())
            (ssh / name).chmod(0o600)
        (ssh / "config").write_text(lab.ssh_config.read_text().replace(str(folder), "/root/.ssh"))
    passwords = ((TUNNEL_PORT, lab.origin), (5432, lab.target))
    (lab.target.root / "root/.pgpass").write_text(
        "".join(
            f"localhost:{port}:*:bj:{server.must(ini('password')).strip()}\n" for port, server in passwords
        )
    )
    lab.target.must("chmod 600 /root/.pgpass")


def tunnel(lab: Lab) -> None:
    lab.target.must(
        f"ssh -fN -o ExitOnForwardFailure=yes -L {TUNNEL_PORT}:localhost:5432 origin > /dev/null 2>&1"
    )


def install(server: Server, package: str) -> None:
    """Unpack the package of this machine's Debian; the server has what it needs."""
    folder = CACHE / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob(f"{package}_*.deb")):
        call("sh", "-c", f"cd {folder} && apt-get download {package}")
    [file] = folder.glob(f"{package}_*.deb")
    call("dpkg", "-x", file, server.root)
