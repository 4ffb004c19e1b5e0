"""The documentation site: `make docs`. The reference is made from the code, the notebooks are shown as committed."""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))

import reference  # noqa: E402

from bmnb import __version__  # noqa: E402

project = "bmnb"
version = release = __version__
extensions = ["myst_nb", "sphinx_click"]
html_theme = "furo"
html_title = f"bmnb {version}"
exclude_patterns = ["_build", "jupyter_execute"]
# the notebooks' committed outputs are tests of their own
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# tables of the notebooks are HTML, which the other builders leave out
suppress_warnings = ["mystnb.unknown_mime_type", "misc.highlighting_failure"]


def setup(app):
    app.connect("builder-inited", make_pages)


def make_pages(app):
    """Write the reference, and put the notebooks where Sphinx finds them."""
    made = HERE / "made"
    shutil.rmtree(made, ignore_errors=True)
    (made / "notebooks").mkdir(parents=True)
    for notebook in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
        shutil.copyfile(notebook, made / "notebooks" / notebook.name)
    for name, text in reference.pages().items():
        (made / f"{name}.md").write_text(text, encoding="utf-8")
