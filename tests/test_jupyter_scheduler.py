"""jupyter-scheduler runs the notebooks as they are, from a real Jupyter server."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import nbformat
import pytest

from bmnb.start import NOTEBOOKS

TOKEN = "for-this-test"
ENVIRONMENTS = "jupyter_scheduler.environments.StaticEnvironmentManager"


class Server:
    """A Jupyter server on a folder of notebooks."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        options = [
            "--port",
            str(self.port),
            "--IdentityProvider.token",
            TOKEN,
            "--ServerApp.root_dir",
            str(folder),
        ]
        more = [
            "--allow-root",
            "--no-browser",
            "--SchedulerApp.db_url",
            f"sqlite:///{folder}/scheduler.sqlite",
        ]
        more += ["--Scheduler.staging_path", str(folder / "staging")]
        more += ["--SchedulerApp.environment_manager_class", ENVIRONMENTS]
        self.folder = folder
        self.log = (folder / "server.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options, *more],
            stdout=self.log,
            stderr=self.log,
            cwd=folder,
        )

    def ask(self, path: str, body: Any = None) -> Any:
        request = Request(
            f"http://127.0.0.1:{self.port}/scheduler/{path}",
            json.dumps(body).encode() if body else None,
            {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=30) as answer:
            return json.load(answer) if answer.status == 200 else None

    def wait(self) -> None:
        for _ in range(300):
            try:
                self.ask("runtime_environments")
            except URLError:
                time.sleep(0.2)
            else:
                return
        raise AssertionError("the server does not answer")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("jupyter")
    shutil.copytree(NOTEBOOKS, folder, dirs_exist_ok=True)
    server = Server(folder)
    try:
        server.wait()
        yield server
    finally:
        server.process.terminate()
        server.process.wait()
        server.log.close()


@pytest.mark.parametrize(
    ("name", "parameters", "shown"),
    [
        ("changing-distributions", {"origin": "'mail.first.example'"}, "mail.first.example"),
        ("fleet", {"runs": "'nowhere'"}, "clients"),
    ],
)
def test_a_notebook_runs_by_the_clock(server: Server, name: str, parameters: dict[str, str], shown: str):
    (environment,) = server.ask("runtime_environments")
    made = server.ask(
        "jobs",
        {
            "name": name,
            "input_uri": f"{name}.ipynb",
            "runtime_environment_name": environment["name"],
            "output_formats": ["ipynb"],
            "parameters": parameters,
        },
    )
    for _ in range(600):
        job = server.ask(f"jobs/{made['job_id']}")
        if job["status"] in ("COMPLETED", "FAILED"):
            break
        time.sleep(0.2)
    assert job["status"] == "COMPLETED", job
    (executed,) = (server.folder / "staging" / made["job_id"]).glob(f"{name}-*.ipynb")
    cells = [cell for cell in nbformat.read(executed, 4).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert any(shown in str(cell.outputs) for cell in cells)
