"""What the browser tests share: a consultant's folder, JupyterLab over it, a page of Chromium."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.line import Line
from tests.browser.notebook import chromium, jupyterlab


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a consultant has it: the notebooks, and the folder of the runs."""
    root = tmp_path_factory.mktemp("work")
    shutil.copytree(Path("notebooks"), root / "notebooks")
    return root


@pytest.fixture(scope="module")
def line(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The line to a JupyterLab over the consultant's folder."""
    with jupyterlab(root, tmp_path_factory.mktemp("state")) as port:
        yield Line(port)


@pytest.fixture(scope="module")
def address(line: Line) -> str:
    return f"http://127.0.0.1:{line.port}"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as page:
        yield page


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: docs/images where they are asked for by BMNB_SHOTS."""
    folder = Path(os.environ.get("BMNB_SHOTS", tmp_path_factory.mktemp("shots")))
    folder.mkdir(exist_ok=True, parents=True)
    return folder
