"""What Jupyter's server takes out of a notebook before it saves it."""

import nbformat

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
