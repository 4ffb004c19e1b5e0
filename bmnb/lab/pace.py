"""Servers as slow as real ones: BlueMind stops and starts in minutes, and a boot takes its time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SLOWEST = "bm-core"
"""All services stop and start side by side, so that one that is slow makes BlueMind so."""

BOOT = "slow-boot.service"


@dataclass(frozen=True)
class Pace:
    """Seconds that the services take to stop, and to start, and seconds by which a boot is longer."""

    service: int = 0
    boot: int = 0

    @property
    def slower(self) -> float:
        """At most so much longer takes a boot with all services, or a shutdown of them."""
        return self.boot + self.service

    def give(self, root: Path) -> None:
        """Make the server with these files, which is off, as slow."""
        units = root / "etc/systemd/system"
        if self.service:
            folder = units / f"{SLOWEST}.service.d"
            folder.mkdir()
            (folder / "pace.conf").write_text(
                f"[Service]\nExecStartPre=/bin/sleep {self.service}\nExecStop=/bin/sleep {self.service}\n"
                "TimeoutSec=infinity\n"
            )
        if self.boot:
            (units / BOOT).write_text(
                "[Unit]\nDescription=a boot as long as a real one's\nDefaultDependencies=no\n"
                "Before=sysinit.target network-pre.target\n\n"
                f"[Service]\nType=oneshot\nExecStart=/bin/sleep {self.boot}\n"
            )
            wanted = units / "sysinit.target.wants"
            wanted.mkdir(exist_ok=True)
            (wanted / BOOT).symlink_to(f"../{BOOT}")


AT_ONCE = Pace()
"""A lab's own."""
