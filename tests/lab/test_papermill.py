"""papermill alone executes the notebook, here onto the newest Debian, whose network is netplan's."""

from pathlib import Path

import nbformat
import papermill
import pytest

from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.start import template
from tests.lab.migration import journal, values

pytestmark = pytest.mark.lab
OPTIONS = {"target": "trixie", "target_network": "netplan"}


def test_papermill_alone_migrates_and_leaves_the_report(lab: Lab, tmp_path: Path):
    out = tmp_path / "out.ipynb"
    papermill.execute_notebook(str(template(PROCEDURE)), str(out), values(lab, tmp_path), progress_bar=False)
    assert unexpected(lab) == []
    assert journal(tmp_path)[-1]["event"] == "finished"
    book = nbformat.read(out, 4)
    shown = {
        cell.source.splitlines()[-1]: "".join(str(one) for one in cell.outputs)
        for cell in book.cells
        if cell.cell_type == "code"
    }
    assert "over" in shown["runbook.phases()"]
    assert "HTTPS 443" in shown["runbook.downtime()"]
    assert "PostgreSQL 13 to 17" in shown["runbook(procedure.prerequisites)"]
    assert sum("papermill alone" in output for output in shown.values()) == 1
    token = lab.origin.must("cat /etc/bm/bm-core.tok").strip()
    kept = [out, *(path for path in tmp_path.rglob("*") if path.is_file())]
    assert {"report.html", "journal.jsonl"} <= {path.name for path in kept}
    assert [path.name for path in kept if token.encode() in path.read_bytes()] == []
    configured = lab.target.must("cat /etc/netplan/*.yaml")
    assert configured.index(f"{lab.origin.address}/24") < configured.index(f"{lab.target.address}/24")


def test_waiting_mail_has_moved_and_the_origin_stays_away(lab: Lab):
    assert lab.target.must("postqueue -j | wc -l").strip() == "5"
    lab.origin.restart()
    lab.origin.wait()
    assert lab.origin.address not in lab.origin.must("ip -o -4 addr")
    assert "bm-core.service is stopped." in lab.origin.must("bmctl status")
