"""A Dask scheduler and workers as processes of their own, as docs/fleet.md says how to start them."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bmnb.fleet.engine import Cluster
from tests.fleet.hosts import LOOPBACK, Host

PAGE = Path(__file__).parents[2] / "docs" / "fleet.md"
DASK = [sys.executable, "-m", "dask"]
ENVIRONMENT = dict(os.environ)
RULES = {
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    "DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING": "False",
}


def blocks(language: str) -> list[str]:
    """The code of the page in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def certificates(folder: Path) -> dict[str, str]:
    """Make the certificates as the page says; return the options of scheduler and workers."""
    folder.mkdir(parents=True, exist_ok=True)
    script = next(one for one in blocks("sh") if "openssl" in one)
    subprocess.run(["bash", "-euc", script], cwd=folder, check=True, capture_output=True)
    return {
        "--tls-ca-file": str(folder / "ca.pem"),
        "--tls-cert": str(folder / "fleet.pem"),
        "--tls-key": str(folder / "fleet.key"),
    }


class Machines:
    """A scheduler and its workers; `tls` are the options of each.

    The scheduler is on the first host, the workers on the others in turn.
    """

    def __init__(
        self, folder: Path, tls: dict[str, str], rules: dict[str, str], hosts: Sequence[Host] = (LOOPBACK,)
    ) -> None:
        self.folder, self.tls, self.rules = folder, tls, rules
        self.host, self.places = hosts[0], hosts[1:] or hosts
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self.start_scheduler()

    @property
    def address(self) -> str:
        return self._at(self.host, self.port)

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.address, *self.tls.values())

    def start_scheduler(self) -> subprocess.Popen[bytes]:
        found = self._start(self.host, "scheduler", "--port", "0")
        self.port = self._said(r"Scheduler at:\s+\S+:(\d+)")
        return found

    def start_worker(self, slots: int = 1) -> subprocess.Popen[bytes]:
        host = self.places[len(self.workers) % len(self.places)]
        options = ["--nthreads", str(slots), "--no-nanny", "--memory-limit", "0"]
        worker = self._start(host, "worker", self.address, *options)
        self._said(r"Registered to:\s+(\S+)")
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        for one in [*self.workers, self.scheduler]:
            one.kill()
            one.wait()

    def _at(self, host: Host, port: str) -> str:
        return f"tls://{host.address}:{port}"

    def _start(self, host: Host, *words: str) -> subprocess.Popen[bytes]:
        tls = [word for pair in self.tls.items() for word in pair]
        self.log = self.folder / f"{words[0]}-{len(self.workers)}-{time.monotonic()}.log"
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [*host.enter, *DASK, *words, "--host", self._at(host, "0"), "--no-dashboard", *tls],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**ENVIRONMENT, **self.rules},
            )

    def _said(self, pattern: str) -> str:
        for _ in range(600):
            if found := re.search(pattern, self.log.read_text()):
                return found[1]
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())


@contextmanager
def machines(
    folder: Path,
    workers: int = 2,
    tls: dict[str, str] | None = None,
    rules: dict[str, str] = RULES,
    hosts: Sequence[Host] = (LOOPBACK,),
) -> Iterator[Machines]:
    up = Machines(folder, tls or certificates(folder / "tls"), rules, hosts)
    try:
        for _ in range(workers):
            up.start_worker()
        yield up
    finally:
        up.end()
