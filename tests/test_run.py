"""One step of a run: what it tells where several of its actions go wrong at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bmnb import run as interpreter
from bmnb.errors import ActionFailed, ConnectionFailed
from bmnb.run import Run
from bmnb.steps import Command, Phase, Procedure, Result, Together, step
from tests.fakes import FakeSettings, World, settings


@step("Copy", Phase("Cold"))
def copy(_: Any) -> Iterator[Any]:
    yield Together((Command("b", "files", "files"), Command("b", "rows", "rows")))


def test_a_lost_connection_does_not_hide_what_failed_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def lose(host: str, line: str) -> None:
        if line == "files":
            raise ConnectionFailed("b: the connection was lost")

    world = World(answers={"rows": [Result("b", "rows", None)]}, before_effect=lose)
    monkeypatch.setattr(interpreter, "Servers", world.servers)
    run = Run(Procedure("Fake", FakeSettings, (copy,)), settings(tmp_path), show=lambda table: None)
    with pytest.raises(ActionFailed) as failed:
        run(copy)
    assert "rows (b): it did not end: killed, or the server restarted" in str(failed.value)
    assert "- b: the connection was lost" in str(failed.value)
