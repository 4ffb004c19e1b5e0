"""What JupyterLab saves of a form is its static text."""

from bmnb.saving import WIDGET, without_widgets


def test_a_widget_with_static_text_is_saved_as_that_text():
    form = {"data": {"text/html": "<p>form</p>", WIDGET: {"model_id": "1"}}}
    bare = {"data": {WIDGET: {"model_id": "2"}}}
    model = {"type": "notebook", "content": {"cells": [{"outputs": [form, bare]}, {}]}}
    without_widgets(model=model, path="a.ipynb", contents_manager=None)
    assert form["data"] == {"text/html": "<p>form</p>"}
    assert bare["data"] == {WIDGET: {"model_id": "2"}}


def test_other_files_are_left_alone():
    without_widgets(model={"type": "file", "content": "text"})
    without_widgets(model={"type": "notebook", "content": None})
