"""What docs/fleet.md shows is read by the programs it is meant for."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from bmnb.cli import main
from bmnb.fleet.inventory import gather
from bmnb.procedures.changing_distributions import PROCEDURE
from tests.fleet.cluster import PAGE, blocks


def understood(line: str) -> None:
    """Parse a `bmnb` command line without running it. Raise UsageError where a word of it is unknown."""
    words = shlex.split(line)
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        command = command.get_command(context, words.pop(0)) or pytest.fail(line)
    command.make_context(command.name, words, parent=context)


def lines() -> list[str]:
    text = PAGE.read_text()
    found = re.findall(r"(?:^\$ |\.venv/bin/)bmnb (.*?)(?: >> .*)?$", text, re.MULTILINE)
    assert len(found) >= 6
    return found


@pytest.mark.parametrize("line", lines())
def test_every_command_is_one(line: str):
    understood(line)


def test_the_inventory_is_one(tmp_path: Path):
    (tmp_path / "clients").mkdir()
    second = {"client": "Second", "origin": "mail.second.example", "target": "new.second.example"}
    (tmp_path / "clients/second.yaml").write_text(yaml.safe_dump(second))
    (tmp_path / "inventory.yaml").write_text(blocks("yaml")[0])
    found = gather(PROCEDURE, [str(tmp_path / "inventory.yaml")])
    assert [(one.name, one.wishes.priority) for one in found.all] == [
        ("first", 0),
        ("second", 5),
        ("third", 0),
    ]
    assert found.notices.to == ["ops@example.org"]


def test_systemd_takes_the_units(tmp_path: Path):
    program = tmp_path / "bmnb"
    program.touch(mode=0o755)
    for block in blocks("ini"):
        name, text = block.removeprefix("# ").split("\n", 1)
        text = text.replace("/srv/migrations/.venv/bin/bmnb", str(program)).replace(
            "=/srv/migrations", f"={tmp_path}"
        )
        (tmp_path / name).write_text(text)
        done = subprocess.run(
            ["systemd-analyze", "verify", str(tmp_path / name)], capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
    when = re.findall(r"OnCalendar=(.*)", "".join(blocks("ini")))
    assert subprocess.run(["systemd-analyze", "calendar", *when], capture_output=True).returncode == 0


def test_cron_s_line_has_its_five_fields():
    (line,) = blocks("cron")
    fields = line.split()[:5]
    limits = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
    assert all(
        field == "*" or low <= int(field) <= high for field, (low, high) in zip(fields, limits, strict=True)
    )
    assert line.split()[5] == "cd"
