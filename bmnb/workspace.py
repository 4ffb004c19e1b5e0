"""How JupyterLab shows a run: its notebook, and beside it the report once there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bmnb.folders import NOTEBOOK

REPORT = "report.html"


def address(run: Path) -> str:
    """Where JupyterLab, over the folder of the runs, shows a run. Both halves are kept as a person last had them."""
    notebook = f"/tree/{quote(f'{run.name}/{NOTEBOOK}')}"
    if not (run / REPORT).exists():
        return f"/lab{notebook}"
    name = f"bmnb-{run.name}"
    _arrange(name, run.name)
    return f"/lab/workspaces/{quote(name)}{notebook}"


def _arrange(name: str, run: str) -> None:
    """Write JupyterLab's own workspace of this name, unless it has the report in it already."""
    from jupyterlab.commands import get_workspaces_dir  # type: ignore[import-untyped]
    from jupyterlab_server.workspaces_handler import WorkspacesManager

    kept = WorkspacesManager(get_workspaces_dir())
    report = f"htmlviewer:{run}/{REPORT}"
    if report not in kept.load(name)["data"]:
        kept.save(name, json.dumps(side_by_side(name, run, report)))


def side_by_side(name: str, run: str, report: str) -> dict[str, Any]:
    """A workspace as JupyterLab keeps it, the notebook on the left, in front."""
    notebook = f"notebook:{run}/{NOTEBOOK}"
    halves = [{"type": "tab-area", "currentIndex": 0, "widgets": [one]} for one in (notebook, report)]
    dock = {"type": "split-area", "orientation": "horizontal", "sizes": [0.6, 0.4], "children": halves}
    return {
        "data": {
            "layout-restorer:data": {"main": {"dock": dock, "current": notebook}},
            notebook: {"data": {"path": f"{run}/{NOTEBOOK}", "factory": "Notebook"}},
            report: {"data": {"path": f"{run}/{REPORT}", "factory": "HTML Viewer"}},
        },
        "metadata": {"id": name},
    }
