"""PostgreSQL of two Debian releases side by side: files of the lab's images, and no server is booted for it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bmnb.lab import images

# all is in a namespace of its own: with its first process everything ends, and nothing stays mounted
SET_UP = r"""
mount -t tmpfs tmpfs /mnt
for side in origin target; do
  cd /mnt && mkdir $side $side.upper $side.work
  mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/$side.upper,workdir=/mnt/$side.work" $side; shift
  mount -t proc proc $side/proc
  mount --rbind /dev $side/dev && mount -t tmpfs tmpfs $side/dev/shm
done
mkdir target/origin && mount --rbind origin target/origin
for side in origin target; do
  chroot $side bash -ec '
    rm -rf /var/lib/postgresql/* /etc/postgresql/* && cd /usr/lib/postgresql && version=$(echo *)
    pg_createcluster --locale en_US.UTF-8 $version main -- --no-sync
    printf "%b\n" fsync=off wal_level=logical "listen_addresses=\x27\x27" shared_buffers=64MB >> /etc/postgresql/$version/main/postgresql.conf
    pg_ctlcluster --skip-systemctl-redirect $version main start
    cd / && runuser -u postgres -- psql -qc "CREATE ROLE bj LOGIN SUPERUSER"
  ' > /dev/null &
done
wait -n; wait -n
echo ready
exec sleep infinity
"""


@dataclass(frozen=True)
class Side:
    """The files of one release with its PostgreSQL running; lines are done there as root."""

    process: int
    name: str

    def must(self, line: str, text: str = "") -> str:
        enter = ["nsenter", f"--target={self.process}", "--mount", "--pid", "--ipc"]
        command = [*enter, "chroot", f"/mnt/{self.name}", "bash", "-c", line]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{line[:300]} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def sql(self, script: str, database: str) -> str:
        """What the script selects, however short the time that the database itself grants a statement."""
        psql = f"cd / && PGOPTIONS='-c statement_timeout=0' runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d '{database}'"
        return self.must(psql, script)


ORIGIN_FROM_TARGET = ("chroot", "/origin", "bash", "-c")
"""The command that runs a line on the origin, in the place of ssh."""


@contextmanager
def clusters(origin: str, target: str) -> Iterator[tuple[Side, Side]]:
    """Both, with a role bj, and no database yet."""
    lower = [str(images.base(release, print)) for release in (origin, target)]
    apart = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--propagation=private"]
    command = [*apart, "bash", "-euc", SET_UP, "bash", *lower]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        try:
            assert running.stdout.readline() == "ready\n"
            children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
            yield Side(int(children[0]), "origin"), Side(int(children[0]), "target")
        finally:
            running.kill()
