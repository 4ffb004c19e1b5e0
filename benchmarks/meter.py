"""What a server of the lab used between two moments: processor time, memory, bytes on its cable."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

from bmnb.lab.server import Server

GROUPS = Path("/sys/fs/cgroup")
SAMPLE_SECONDS = 0.2


class Meter:
    """Measures a server while it is open; the server's processes are put into groups of their own first."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cpu_seconds = 0.0
        self.peak_mib = 0.0
        self.sent_bytes = 0
        self._idle_mib = 0.0
        self._end = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Meter:
        for kind in ("cpuacct", "memory"):
            self._gather(GROUPS / kind / self.server.machine)
        self._idle_mib = self._mib()
        self._cpu, self._sent = self._read_cpu(), self._read_sent()
        self._sampler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._sampler.join()
        self.cpu_seconds = self._read_cpu() - self._cpu
        self.sent_bytes = self._read_sent() - self._sent

    def _gather(self, group: Path) -> None:
        group.mkdir(exist_ok=True)
        for listed in (GROUPS / "systemd" / self.server.machine).rglob("cgroup.procs"):
            for pid in listed.read_text().split():
                if Path("/proc", pid).exists():
                    (group / "cgroup.procs").write_text(pid)

    def _read_cpu(self) -> float:
        return int((GROUPS / "cpuacct" / self.server.machine / "cpuacct.usage").read_text()) / 1e9

    def _read_sent(self) -> int:
        return int(Path(f"/sys/class/net/vb-{self.server.machine}/statistics/rx_bytes").read_text())

    def _mib(self) -> float:
        """Memory of the processes, without files that the kernel keeps at hand."""
        stat = (GROUPS / "memory" / self.server.machine / "memory.stat").read_text()
        return sum(int(line.split()[1]) for line in stat.splitlines() if line.startswith("rss ")) / 2**20

    def _sample(self) -> None:
        while not self._end.wait(SAMPLE_SECONDS):
            self.peak_mib = max(self.peak_mib, self._mib() - self._idle_mib)
