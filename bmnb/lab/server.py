"""One server of the lab: layers of files mounted over each other, booted with systemd-nspawn."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bmnb.errors import BmnbError
from bmnb.lab import cgroups
from bmnb.lab.host import call, succeeds
from bmnb.lab.network import remove_link

BOOT_SECONDS = 300.0
"""A restart waits for this machine's disk, and systemd up to 90 s for a process that does not end."""
# With --keep-unit nspawn ends with 133 when the machine wants to be booted again.
SUPERVISOR = """
for group in $CONTROL_GROUPS; do mkdir -p "$group" && echo $$ > "$group/cgroup.procs" || exit 1; done
until "$@"; [ $? -ne 133 ]; do :; done
"""
EXEC_SECONDS = 5.0
"""Linux shows no command line of a process that is just being replaced by another program (execve)."""
POWER_OFF_SECONDS = 60.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Server:
    """A server in `place`, on a bridge, over read-only layers (the topmost first).

    `machine` names it on this machine; its end of the cable here is called `vb-` and that name. With `handles` its
    folders have some, as on a disk of its own: by them Linux tells of changes (fanotify). Its layers can't be copied
    then, nor be mounted again while Linux still holds an earlier mount of them. It boots and ends by so many seconds
    `slower` than others at most.
    """

    name: str
    machine: str
    place: Path
    bridge: str
    address: str
    layers: tuple[Path, ...]
    handles: bool = False
    slower: float = 0.0

    @property
    def root(self) -> Path:
        return self.place / "root"

    @property
    def upper(self) -> Path:
        return self.place / "upper"

    def mount(self) -> None:
        for part in ("root", "upper", "work"):
            (self.place / part).mkdir(parents=True, exist_ok=True)
        lower = ":".join(map(str, self.layers))
        options = f"lowerdir={lower},upperdir={self.upper},workdir={self.place / 'work'}"
        options += ",index=on,nfs_export=on" if self.handles else ""
        if not self._is_mounted():
            call("mount", "-t", "overlay", "overlay", "-o", options, self.root)

    def unmount(self) -> None:
        while self._is_mounted():
            call("umount", self.root)

    def start(self) -> None:
        """Boot, and wait until ssh and systemd are there."""
        if self._nspawn():
            raise BmnbError(f"{self.machine} runs already")
        with (self.place / "console.log").open("ab") as console:
            # in a session of its own, so that it outlives this process
            subprocess.Popen(
                [
                    *("bash", "-c", SUPERVISOR, f"supervisor-{self.machine}"),
                    "systemd-nspawn",
                    "--quiet",
                    f"--directory={self.root}",
                    f"--machine={self.machine}",
                    "--register=no",
                    "--keep-unit",
                    "--boot",
                    "--private-network",
                    f"--network-bridge={self.bridge}",
                    "--console=read-only",
                    "--capability=CAP_NET_ADMIN,CAP_NET_RAW",
                    # nspawn keeps it from containers, a server has it
                    "--system-call-filter=fanotify_init fanotify_mark open_by_handle_at",
                ],
                env={**os.environ, "CONTROL_GROUPS": " ".join(map(str, cgroups.folders(self.machine)))},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        self.wait()

    def wait(self) -> None:
        """Wait until systemd has started everything. Raise BmnbError with the console's last lines where it has not."""
        patience = BOOT_SECONDS + self.slower
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self._state() in ("running", "degraded"):
                return
            if self._is_off() and not _wait(lambda: not self._is_off(), EXEC_SECONDS):
                raise BmnbError(f"{self.machine} is off, and was to boot:\n{self._last_lines()}")
            time.sleep(POLL_SECONDS)
        raise BmnbError(f"{self.machine} did not boot within {patience:.0f} s:\n{self._last_lines()}")

    def _last_lines(self) -> str:
        return "\n".join((self.place / "console.log").read_text(errors="replace").splitlines()[-5:])

    @property
    def leader(self) -> int | None:
        """The process here that is the server's first; None where the server is off."""
        nspawn = self._nspawn()
        for child in _descendants(nspawn) if nspawn else []:
            if _inner_pid(child) == 1:
                return child
        return None

    def run(self, script: str, timeout: float = 600.0) -> subprocess.CompletedProcess[str]:
        """Run a script inside as root, past its network and ssh; its exit status is the caller's matter."""
        leader = self.leader
        if leader is None:
            raise BmnbError(f"{self.machine} is off")
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
        }
        return subprocess.run(
            ["nsenter", f"--target={leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "bash", "-s"],
            input=script,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env={**environment, "LC_ALL": "C.UTF-8"},
            check=False,
        )

    def must(self, script: str, timeout: float = 600.0) -> str:
        """Run a script inside and return its output. Raise BmnbError where it fails."""
        done = self.run(script, timeout)
        if done.returncode != 0:
            last = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-10:])
            raise BmnbError(f"{self.machine}: exit status {done.returncode}\n{last}\n$ {script}")
        return done.stdout

    def restart(self, how: str = "systemctl reboot") -> None:
        """Have it restart; it comes up again then, and need not be there yet. Raise BmnbError where it stays."""
        before = self.leader
        self.run(how)
        patience = BOOT_SECONDS + self.slower
        if not _wait(lambda: self.leader not in (None, before), patience):
            raise BmnbError(f"{self.machine} did not restart within {patience:.0f} s")

    def power_off(self) -> None:
        """Shut down in order."""
        self._end(signal.SIGTERM)

    def cut_power(self) -> None:
        """End the server at once, as a power cut does."""
        leader = self.leader
        if leader:
            os.kill(leader, signal.SIGKILL)
        self._end(signal.SIGKILL)

    def link(self, state: str) -> None:
        """Pull the cable (`down`) or put it back (`up`)."""
        call("ip", "link", "set", f"vb-{self.machine}", state)

    def _end(self, how: signal.Signals) -> None:
        supervisor = self._supervisor()
        if supervisor:
            os.kill(supervisor, signal.SIGKILL)
        nspawn = self._nspawn()
        if nspawn:
            os.kill(nspawn, how)
        if nspawn and not _wait(lambda: self._nspawn() is None, POWER_OFF_SECONDS + self.slower):
            os.kill(nspawn, signal.SIGKILL)
            _wait(lambda: self._nspawn() is None, 10.0)
        remove_link(f"vb-{self.machine}")
        # a process that waits for the disk ends when it has been served
        if not _wait(lambda: cgroups.remove(self.machine), POWER_OFF_SECONDS):
            raise BmnbError(f"processes of {self.machine} do not end: see its control group")

    def _state(self) -> str:
        # systemd answers neither at first nor while it goes down, and may be gone at any moment
        try:
            return self.run("timeout 20 systemctl is-system-running --wait; true", 30.0).stdout.strip()
        except subprocess.TimeoutExpired:
            return "no answer"
        except BmnbError:
            return "off"

    def _is_off(self) -> bool:
        return self._supervisor() is None and self._nspawn() is None

    def _is_mounted(self) -> bool:
        return succeeds(["mountpoint", "-q", str(self.root)])

    def _supervisor(self) -> int | None:
        return find(lambda words: f"supervisor-{self.machine}" in words)

    def _nspawn(self) -> int | None:
        return find_nspawn(self.machine)


def find_nspawn(machine: str) -> int | None:
    """The nspawn process of a machine, known by its command line."""
    return find(lambda words: words[0].endswith("systemd-nspawn") and f"--machine={machine}" in words)


def find(fits: Callable[[Sequence[str]], bool]) -> int | None:
    """The first process here whose command line fits."""
    for process in Path("/proc").glob("[0-9]*"):
        words = _command_line(process)
        if words and fits(words):
            return int(process.name)
    return None


def _command_line(process: Path) -> Sequence[str]:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _descendants(pid: int) -> list[int]:
    try:
        children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return children + [below for child in children for below in _descendants(child)]


def _inner_pid(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    numbers = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
    return int(numbers[-1]) if len(numbers) > 1 else 0


def _wait(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(POLL_SECONDS)
    return holds()
