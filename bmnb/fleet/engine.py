"""Dask places the jobs of a fleet, on this machine or on a cluster; it keeps nothing that is needed later."""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import dask
from distributed import Client, Future, KilledWorker, LocalCluster
from distributed.security import Security

from bmnb.errors import BmnbError, InputError
from bmnb.fleet.work import Job, Lost, Outcome, allow, ask_to_stop, work

# Dask runs the task of a worker that died 3 times more, and moves tasks between workers, unless told not to
RULES = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    "distributed.comm.timeouts.connect": "10s",
    # it looks at itself many times a second, which takes 3 % of a core for as long as a run lasts
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    # pages with logs and names, for any user of this machine
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
HERE = "127.0.0.1:0"
GONE = (
    "the scheduler is gone: runs that are under way go on where they are\n"
    "  → start it again, with its workers, then the same command: it goes on from here"
)
NO_SCHEDULER = Lost("the scheduler is gone")
# what the scheduler's end makes of a question that is under way: a cancelled task, or a cancelled future
CUT = (OSError, TimeoutError, asyncio.CancelledError, concurrent.futures.CancelledError)
CLOSE_SECONDS = 2.0


@dataclass(frozen=True)
class Cluster:
    """A scheduler's address and the files that TLS needs; an empty address is this machine alone."""

    scheduler: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = ""


class Engine:
    """Runs jobs side by side: a worker has a slot for each of its threads."""

    def __init__(self, slots: int, cluster: Cluster, place: Path) -> None:
        self.place, self._slots = str(place), slots
        self._futures: dict[str, Future[Any]] = {}
        self._at: dict[str, str] = {}
        self._news = threading.Event()
        dask.config.set(RULES)
        self._own = None if cluster.scheduler else _local(slots)
        self._client = Client(self._own) if self._own else _connect(cluster)
        self.shared = self._own is not None or self._is_shared(place)

    def free(self) -> int:
        """How many more jobs there is room for. Raise BmnbError where the scheduler is gone."""
        slots = self._slots if self._own else sum(self._ask(self._client.nthreads).values())
        return int(slots) - len(self._futures)

    def machines(self) -> dict[str, int]:
        """How many more jobs each machine has room for, by its name."""
        slots, free = self._ask(self._client.nthreads), Counter[str]()
        for address, name in self._names().items():
            free[name] += slots.get(address, 0)
        free.subtract(Counter(self._at.values()))
        return {name: free[name] for name in self._names().values()}

    def _names(self) -> dict[str, str]:
        return dict(self._ask(self._client.run, socket.gethostname, on_error="ignore"))

    def submit(self, job: Job, machine: str = "") -> None:
        """Run a job; on this machine only where one is named. It may be started, though it was once stopped."""
        at = [address for address, name in self._names().items() if name == machine] if machine else None
        self._at[job.name] = machine
        self._everywhere(allow, self.place, job.name)
        key = f"{job.name}-{uuid4().hex[:8]}"
        future = self._client.submit(work, job, key=key, pure=False, retries=0, workers=at)
        future.add_done_callback(lambda _: self._news.set())
        self._futures[job.name] = future

    def ended(self) -> Iterator[tuple[str, Outcome | Lost]]:
        """The jobs that have ended since, each once."""
        for name, future in list(self._futures.items()):
            if future.done() or self._client.status != "running":
                del self._futures[name], self._at[name]
                yield name, _outcome(future)

    def stop(self, names: list[str]) -> None:
        """Ask the runs of these jobs to end in order, wherever they are."""
        self._everywhere(ask_to_stop, self.place, names)

    def wait(self, seconds: float) -> None:
        """Wait until a job has ended, so long at the most."""
        self._news.wait(seconds)
        self._news.clear()

    def close(self) -> None:
        self._client.close(timeout=CLOSE_SECONDS)
        if self._own:
            self._own.close()

    def _everywhere(self, do: Any, *words: Any) -> None:
        if self.shared:
            do(*words)
        else:
            self._ask(self._client.run, do, *words, on_error="ignore")

    def _ask(self, ask: Callable[..., Any], *words: Any, **options: Any) -> Any:
        try:
            if self._client.status == "running":
                return ask(*words, **options)
        except CUT as error:
            raise BmnbError(GONE) from error
        raise BmnbError(GONE)

    def _is_shared(self, place: Path) -> bool:
        """Whether every worker sees the fleet's folder, as a file in it with a name of our own tells."""
        token = place / f"seen-{uuid4().hex}"
        token.touch()
        try:
            return all(self._client.run(token.exists).values())
        finally:
            token.unlink()


def _local(slots: int) -> LocalCluster:
    return LocalCluster(
        n_workers=1,
        threads_per_worker=slots,
        processes=False,
        protocol="inproc://",
        memory_limit=0,
        dashboard_address=HERE,
        worker_dashboard_address=HERE,
        scheduler_kwargs={"dashboard": False},
        silence_logs=50,
    )


def _connect(cluster: Cluster) -> Client:
    """Connect to a scheduler. Raise InputError where it must not be used, BmnbError where it is out of reach."""
    url = urlsplit(cluster.scheduler)
    if url.scheme == "tcp":
        # whoever reaches the port has their code run: on the loopback address each user of this machine does
        raise InputError(f"--scheduler {cluster.scheduler}: only tls:// is used, on this machine too")
    if url.scheme != "tls" or not url.port:
        raise InputError(f"--scheduler {cluster.scheduler}: expected an address like tls://10.0.0.5:8786")
    if not all((cluster.ca, cluster.certificate, cluster.key)):
        raise InputError("--scheduler tls://... needs --tls-ca, --tls-cert and --tls-key")
    security = Security(
        tls_ca_file=cluster.ca,
        tls_client_cert=cluster.certificate,
        tls_client_key=cluster.key,
        require_encryption=True,
    )
    try:
        client = Client(
            cluster.scheduler,
            security=security,
            timeout="15s",
            set_as_default=False,
        )
    except (OSError, TimeoutError) as error:
        raise BmnbError(f"the scheduler {cluster.scheduler} cannot be reached: {error}") from error
    try:
        _check(client)
    except BmnbError:
        client.close()
        raise
    return client


def _check(client: Client) -> None:
    """Raise InputError where scheduler and workers are not as a fleet needs them."""
    try:
        client.get_versions(check=True)
    except ValueError as error:
        raise InputError(f"scheduler, workers and this machine have other versions:\n{error}") from error
    failures, stealing = client.run_on_scheduler(_rules)
    if failures != 0 or stealing:
        raise InputError(
            "the scheduler would run a lost client's run again by itself, or move it\n"
            "  → start it with DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=0 and"
            " DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING=False"
        )
    if not client.scheduler_info()["workers"]:
        raise InputError("the scheduler has no worker")


def _rules(dask_scheduler: Any) -> tuple[int, bool]:
    return dask_scheduler.allowed_failures, "stealing" in dask_scheduler.extensions


def _outcome(future: Future[Any]) -> Outcome | Lost:
    if future.status == "finished":
        return _fetched(future)
    error = future.exception() if future.status == "error" else None
    if error is None:
        return NO_SCHEDULER
    if isinstance(error, KilledWorker):
        return Lost(f"its worker {error.last_worker.address} is gone")
    return Outcome(1, f"{type(error).__name__}: {error}", "")


def _fetched(future: Future[Any]) -> Outcome | Lost:
    try:
        found: Outcome = future.result()
    # a job's end is told first and its outcome fetched afterwards; the scheduler may end in between
    except CUT:
        return NO_SCHEDULER
    return found
