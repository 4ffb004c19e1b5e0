"""What Jupyter's server takes out of a notebook before it saves it."""

from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from jupyter_server.services.contents.filemanager import FileContentsManager

from bmnb import saving
from bmnb.saving import WIDGET, without_secrets, without_widgets


def model(output: object) -> dict[str, object]:
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell("run()", outputs=[output])]
    return {"type": "notebook", "content": book}


def test_a_widget_leaves_its_static_html():
    saved = model(
        nbformat.v4.new_output("display_data", {WIDGET: {"model_id": "1"}, "text/html": "<p>form</p>"})
    )
    without_widgets(saved)
    assert saved["content"].cells[0].outputs[0].data == {"text/html": "<p>form</p>"}


def test_a_secret_is_masked_in_what_was_printed():
    saved = model(nbformat.v4.new_output("stream", text="password: s3cr3t"))
    without_secrets(saved)
    assert saved["content"].cells[0].outputs[0].text == "password: [redacted]"


def test_other_files_stay_as_they_are():
    saved = {"type": "file", "content": "password: s3cr3t"}
    without_secrets(saved)
    assert saved["content"] == "password: s3cr3t"


@pytest.mark.parametrize("before", [None, 0o755])
def test_a_run_s_checkpoints_hold_no_secret_and_are_for_their_owner_alone(tmp_path: Path, before: int | None):
    """Jupyter copies the file as it was saved beside it, into a folder that it makes for everybody."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "journal.jsonl").touch()
    if before:
        (run / saving.CHECKPOINTS).mkdir(mode=before)
    contents = FileContentsManager(root_dir=str(tmp_path))
    saving._load_jupyter_server_extension(SimpleNamespace(contents_manager=contents))
    for _ in range(2):
        output = nbformat.v4.new_output("stream", text="password: s3cr3t")
        contents.save({**model(output), "format": "json"}, "/run/notebook.ipynb")
        contents.create_checkpoint("/run/notebook.ipynb")
    folder = run / saving.CHECKPOINTS
    assert folder.stat().st_mode & 0o777 == 0o700
    [kept] = folder.iterdir()
    assert "[redacted]" in kept.read_text()
    assert "s3cr3t" not in kept.read_text()


def test_checkpoints_of_other_notebooks_are_jupyter_s_matter(tmp_path: Path):
    contents = FileContentsManager(root_dir=str(tmp_path))
    saving.with_private_checkpoints({"type": "notebook"}, "/notebook.ipynb", contents)
    assert not (tmp_path / saving.CHECKPOINTS).exists()
