"""An extension of Jupyter's server: a saved notebook keeps the static HTML of its widgets alone, and no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

from bmnb import redact
from bmnb.files import private_folder
from bmnb.seal import JOURNAL

CHECKPOINTS = ".ipynb_checkpoints"
WIDGET = "application/vnd.jupyter.widget-view+json"


def without_widgets(model: dict[str, Any], **_: Any) -> None:
    """Take widgets out of a notebook before it is saved: without their kernel they read “model not found”."""
    if model["type"] != "notebook" or not model.get("content"):
        return
    for cell in model["content"]["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if WIDGET in data and "text/html" in data:
                del data[WIDGET]


def without_secrets(model: dict[str, Any], **_: Any) -> None:
    """Mask what looks like a secret in a notebook's outputs before it is saved; its cells are their author's."""
    if model["type"] != "notebook" or not model.get("content"):
        return
    for cell in model["content"]["cells"]:
        if "outputs" in cell:
            cell["outputs"] = nbformat.from_dict(redact.facts(cell["outputs"]))


def with_private_checkpoints(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:
    """Make the folder of a run's checkpoints for its owner alone: Jupyter makes one that everybody can read."""
    folder = Path(contents_manager.root_dir, path.strip("/")).parent
    if model["type"] == "notebook" and (folder / JOURNAL).exists():
        private_folder(folder / CHECKPOINTS).chmod(0o700)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "bmnb.saving"}]


def _load_jupyter_server_extension(server: Any) -> None:
    server.contents_manager.register_pre_save_hook(without_widgets)
    server.contents_manager.register_pre_save_hook(without_secrets)
    server.contents_manager.register_pre_save_hook(with_private_checkpoints)
