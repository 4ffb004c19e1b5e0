"""What the key authentication proves of logins that will come at once."""

import subprocess
from pathlib import Path

import pytest

from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.settings import make
from bmnb.steps import Check, singles


@pytest.mark.parametrize(("given", "number"), [({}, 8), ({"streams": 3}, 8), ({"streams": 16}, 19)])
def test_as_many_logins_are_tried_at_once_as_will_come(tmp_path: Path, given: dict[str, int], number: int):
    """Twice: streams that were asked for begin at once, and each of three databases logs in."""
    [step] = [one for one in PROCEDURE.steps if one.name == "key-authentication"]
    found = singles(step.actions(make(Settings, given)))
    check = next(one for one in found if one.title == "many logins at once, as copies need them")
    assert isinstance(check, Check)
    (tmp_path / "ssh").write_text(f"#!/bin/sh\necho login >> {tmp_path}/logins\n")
    (tmp_path / "ssh").chmod(0o755)
    subprocess.run(["bash", "-c", f"PATH={tmp_path}:$PATH\n{check.line}"], check=True)
    assert len((tmp_path / "logins").read_text().split()) == 2 * number
