"""A fleet whose runs are played by `fake_bmnb.py`."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bmnb.fleet.conduct import Conductor, Wish
from bmnb.fleet.engine import Cluster, Engine
from bmnb.fleet.inventory import gather
from bmnb.fleet.notices import Notifier
from bmnb.fleet.store import Client, Store
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.steps import slug

COMMAND = (sys.executable, "-S", str(Path(__file__).parent / "fake_bmnb.py"))


def entry(name: str, fake: str = "0", **more: Any) -> dict[str, Any]:
    """A client of an inventory; `fake` is what its run does, see `fake_bmnb.py`."""
    return {
        "client": name,
        "origin": f"{slug(name)}-origin",
        "target": f"{slug(name)}-target",
        "answers": {"fake": fake},
        **more,
    }


def inventory(folder: Path, *clients: dict[str, Any], **more: Any) -> Path:
    path = folder / "inventory.yaml"
    path.write_text(yaml.safe_dump({"ssh_config": "/nowhere", **more, "clients": list(clients)}))
    return path


class Played:
    """A fleet command on a folder of runs; what it says and what it would notify is kept."""

    def __init__(self, folder: Path, *clients: dict[str, Any], **more: Any) -> None:
        self.folder, self.source = folder, inventory(folder, *clients, **more)
        self.store = Store(folder / "runs")
        self.lines: list[str] = []
        self.notices: list[tuple[str, str]] = []
        self.ending = threading.Event()
        self.tell: Callable[[str], None] = self.lines.append

    def run(
        self,
        at_once: int = 2,
        through: str = "",
        cluster: Cluster | None = None,
        notify: bool = False,
        again: bool = False,
    ) -> int:
        self.store.make()
        engine = Engine(at_once, cluster or Cluster(), self.store.folder)
        members = gather(PROCEDURE, [str(self.source)])
        wish = Wish(through, at_once, COMMAND, again)
        try:
            with Notifier(members.notices, self.store) as notifier:
                hear = notifier if notify else lambda kind, client: self.notices.append((kind, client))
                return Conductor(
                    PROCEDURE,
                    members,
                    self.store,
                    engine,
                    wish,
                    lambda line: self.tell(line),
                    hear,
                    self.ending,
                ).run()
        finally:
            engine.close()

    def client(self, name: str) -> Client:
        return self.store.client(name)

    @property
    def states(self) -> dict[str, str]:
        return {one.name: one.state for one in self.store.clients()}

    def world(self, name: str) -> list[str]:
        """What was done on the client's servers, so to speak."""
        paths = list((self.folder / "runs").glob(f"????-??-??-{name}-*/world"))
        return paths[0].read_text().splitlines() if paths else []
