"""The command line: what each command takes from the person's own configuration, and what it says of this machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from bmnb import cli
from bmnb.cli import main
from bmnb.settings import read

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BMNB_RUNS", "BMNB_LANG", "BMNB_SSH_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def configure(tmp_path: Path, text: str) -> None:
    place = tmp_path / "config" / "bmnb"
    place.mkdir(parents=True)
    (place / "config.yaml").write_text(text)


def call(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, words)
    return done.exit_code, done.output


def test_a_new_run_lies_where_the_person_keeps_runs_and_speaks_their_language(tmp_path: Path):
    configure(tmp_path, f"runs: {tmp_path}/nights\nlanguage: fr\nssh_config: ~/clients/ssh\n")
    assert call("new", "changing-distributions", "--client", "Example")[0] == 0
    [folder] = (tmp_path / "nights").glob("*-example-changing-distributions")
    assert read(folder / "client.yaml") == {
        "client": "Example",
        "language": "fr",
        "ssh_config": "~/clients/ssh",
    }
    assert "Synchronisation à chaud" in nbformat.writes(nbformat.read(folder / "notebook.ipynb", 4))


def test_a_variable_goes_before_the_file_and_an_option_before_both(tmp_path, monkeypatch):
    configure(tmp_path, "runs: in-file\n")
    monkeypatch.setenv("BMNB_RUNS", str(tmp_path / "in-variable"))
    call("new", "changing-distributions", "--client", "One")
    call("new", "changing-distributions", "--client", "Two", "--runs", "in-option")
    assert [path.parent.name for path in sorted(tmp_path.glob("*/*-one-*"))] == ["in-variable"]
    assert [path.parent.name for path in sorted(tmp_path.glob("*/*-two-*"))] == ["in-option"]


def test_a_parameter_of_a_client_is_refused_in_the_persons_file(tmp_path: Path):
    configure(tmp_path, "origin: mail.example.org\n")
    code, said = call("new", "changing-distributions", "--client", "Example")
    assert code == 2
    assert f"{tmp_path}/config/bmnb/config.yaml: origin cannot be set there" in said
    assert not (tmp_path / "runs").exists()


def test_a_client_file_tells_its_procedure(tmp_path: Path):
    values = read_plan("origin: o\ntarget: t\naddress: 192.0.2.1\n", tmp_path)
    assert cli.procedure_of(values, tmp_path / "client.yaml").name == "changing-distributions"
    (tmp_path / "client.yaml").write_text("client: Example\n")
    code, said = call("check", "-f", "client.yaml")
    assert code == 2
    assert "do not tell the procedure: bmnb check PROCEDURE" in said


def read_plan(text: str, tmp_path: Path) -> dict[str, object]:
    (tmp_path / "client.yaml").write_text(f"client: Example\n{text}")
    return read(tmp_path / "client.yaml")


def test_a_check_names_the_server_that_is_not_reached_and_leaves_no_run(tmp_path: Path):
    (tmp_path / "ssh").write_text("")
    read_plan(
        f"origin: o.invalid\ntarget: t.invalid\naddress: 192.0.2.1\nssh_config: {tmp_path}/ssh\n", tmp_path
    )
    code, said = call("check", "changing-distributions", "-f", "client.yaml")
    assert code in (1, 3)
    assert "o.invalid" in said
    assert not (tmp_path / "runs").exists()


def test_a_run_is_opened_in_the_jupyter_of_this_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    called: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, words: called.append(words))
    call("new", "changing-distributions", "--client", "Example")
    [folder] = (tmp_path / "runs").glob("*-example-*")
    call("open", str(folder))
    call("open", "runs")
    run, runs = called
    assert run[:4] == [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={tmp_path}/runs"]
    assert run[4] == f"--LabApp.default_url=/lab/tree/{folder.name}/notebook.ipynb"
    assert not any("default_url" in word for word in runs)


def test_a_run_that_has_a_report_is_opened_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    called: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, words: called.append(words))
    monkeypatch.setenv("JUPYTERLAB_WORKSPACES_DIR", str(tmp_path / "workspaces"))
    call("new", "changing-distributions", "--client", "Example")
    [folder] = (tmp_path / "runs").glob("*-example-*")
    (folder / "report.html").write_text("<h1>Report</h1>")
    call("open", str(folder))
    name = f"bmnb-{folder.name}"
    assert called[0][4] == f"--LabApp.default_url=/lab/workspaces/{name}/tree/{folder.name}/notebook.ipynb"
    [kept] = (tmp_path / "workspaces").iterdir()
    written = json.loads(kept.read_text())
    shown = {one["data"]["path"] for key, one in written["data"].items() if "factory" in one.get("data", {})}
    assert shown == {f"{folder.name}/notebook.ipynb", f"{folder.name}/report.html"}

    written["as the person"] = "left it"
    kept.write_text(json.dumps(written))
    call("open", str(folder))
    assert "left it" in kept.read_text()


def test_a_home_that_takes_no_files_is_told_before_jupyter_fails_in_it(tmp_path: Path, monkeypatch):
    (tmp_path / "runs").mkdir()
    monkeypatch.setenv("HOME", "/dev/null")
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "XDG_RUNTIME_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "execv", lambda program, words: pytest.fail("it was begun"))
    code, said = call("open", "runs")
    assert code == 2
    assert "JupyterLab keeps its own files in /dev/null/" in said


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(shell: str):
    code, said = call("completion", shell)
    assert code == 0
    assert "_BMNB_COMPLETE" in said


def test_the_doctor_says_what_fits_and_what_to_do_where_not(monkeypatch: pytest.MonkeyPatch):
    code, said = call("doctor", "--json")
    rows = {row["what"]: row for row in json.loads(said)}
    assert rows["Python"]["fits"]
    assert code == 0
    monkeypatch.setenv("PATH", "/nonexistent")
    code, said = call("doctor", "--json")
    rows = {row["what"]: row for row in json.loads(said)}
    assert code == 1
    assert rows["ssh"] == {
        "what": "ssh",
        "found": "not there",
        "fits": False,
        "need": "needed",
        "otherwise": "install OpenSSH's client",
    }


def test_windows_is_told_what_to_do_in_one_sentence():
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.platform = 'win32'; import bmnb.cli"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "bmnb runs on Linux and macOS, and on Windows in WSL2: `wsl --install`, then install bmnb there"
    ]


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", code]
    given = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=given)


HELP = "import sys; from click.testing import CliRunner; from bmnb.cli import main; CliRunner().invoke(main, ['-h'])"


def test_help_loads_what_it_shows_alone():
    loaded = set(python(f"{HELP}; print(*sys.modules)").stdout.split())
    heavy = {"pandas", "IPython", "nbformat", "paramiko", "distributed", "babel", "sqlite3"}
    assert "bmnb.fleet.cli" in loaded
    assert not heavy & loaded
    assert not [name for name in loaded if name.startswith("bmnb.procedures.")]


def test_help_takes_less_than_three_tenths_of_a_second_of_the_processor():
    code = f"{HELP}; import time; print(time.process_time())"
    assert min(float(python(code).stdout) for _ in range(3)) < 0.3


def test_a_python_without_sqlite_has_all_but_fleets():
    without = "import sys, importlib.util as u; f = u.find_spec; sys.modules['_sqlite3'] = None; sys.modules['sqlite3'] = None"
    call = f"{without}; u.find_spec = lambda name: None if name == '_sqlite3' else f(name); from bmnb.cli import main; main(sys.argv[1:] or {{}})"
    assert python(call.format(["-h"])).returncode == 0
    fleet = python(call.format(["fleet", "status"]))
    assert fleet.returncode == 2
    assert "was built without SQLite" in fleet.stderr
    assert "Traceback" not in fleet.stderr
    assert "SQLite in Python" in python(call.format(["doctor"])).stdout


NO_PROGRAM_READS = {
    "completion": "a shell's program",
    "open": "becomes JupyterLab",
    "lab ssh": "becomes ssh",
    "unlock": "its exit status tells all",
    **dict.fromkeys(("lab down", "lab save", "lab restore"), "its exit status tells all"),
    **dict.fromkeys(("fleet run", "fleet stop"), "`fleet status --json` tells"),
}


def test_what_a_program_may_read_is_told_as_json():
    known = {}
    for name in main.list_commands(None):
        command = main.get_command(None, name)
        below = getattr(command, "commands", None)
        known |= {f"{name} {one.name}": one for one in below.values()} if below else {name: command}
    without = {name for name, one in known.items() if "as_json" not in [param.name for param in one.params]}
    assert without == set(NO_PROGRAM_READS)


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A client file whose servers refuse each connection at once."""
    (tmp_path / "ssh").write_text("Host *\n  HostName 127.0.0.1\n  Port 1\n")
    read_plan(f"origin: o\ntarget: t\naddress: 192.0.2.1\nssh_config: {tmp_path}/ssh\n", tmp_path)
    return tmp_path / "client.yaml"


def test_a_check_that_could_not_be_made_does_not_fit(nowhere: Path):
    done = CliRunner().invoke(main, ["check", "changing-distributions", "-f", str(nowhere), "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert told["fits"] is False
    assert "Connection refused" in told["why"]
    assert "ConnectionFailed" in done.stderr


def test_a_run_its_report_and_its_way_back_are_told_as_json(nowhere: Path, tmp_path: Path):
    def told(*words: str) -> dict[str, object]:
        return json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)

    ran = told("run", "changing-distributions", "-f", str(nowhere))
    assert ran["exit"] == 1
    assert Path(str(ran["notebook"])).exists()
    assert Path(str(told("report", str(ran["run"]))["report"])).exists()
    assert told("rollback", str(ran["run"]), "--dry-run")["actions"] == []
    assert told("new", "changing-distributions", "--client", "Other")["run"]
    assert told("index")["notebooks"] == ["runs/00-index.ipynb", "runs/fleet.ipynb"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("runs: [a\nlanguage", "configuration {}: while parsing"),
        ('runs = "x"\n', "configuration {}: expected lines like `language: fr`"),
        ("runs: 5\n", "{}: runs: 5 is not of type str"),
        ("language: xx\n", "{}: language: 'xx' is not one of en, fr"),
        ("- runs\n", "configuration {}: expected lines like"),
    ],
)
@pytest.mark.parametrize("command", [("doctor",), ("plan", "changing-distributions"), ("fleet", "status")])
def test_a_wrong_configuration_is_told_by_its_place(text: str, told: str, command, tmp_path: Path):
    configure(tmp_path, text)
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 2
    assert told.format(tmp_path / "config/bmnb/config.yaml") in done.stderr
    assert call("-h")[0] == 0


def test_a_wrong_variable_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BMNB_LANG", "xx")
    assert "BMNB_LANG: language: 'xx' is not one of" in CliRunner().invoke(main, ["doctor"]).stderr


def test_a_configuration_of_comments_alone_sets_nothing(tmp_path: Path):
    configure(tmp_path, "# runs: ~/migrations\n")
    assert call("doctor")[0] == 0


def test_a_folder_of_runs_in_the_home_is_that_of_the_home_for_all_there_is(tmp_path: Path, monkeypatch):
    configure(tmp_path, "runs: ~/migrations\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    call("new", "changing-distributions", "--client", "Example")
    assert (tmp_path / "home/migrations/00-index.ipynb").exists()
    assert not (tmp_path / "~").exists()
    assert f"no fleet in {tmp_path}/home/migrations" in CliRunner().invoke(main, ["fleet", "status"]).stderr


def test_a_folder_of_runs_that_is_missing_is_made_and_one_that_is_none_is_told(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("BMNB_RUNS", str(tmp_path / "not/yet"))
    assert call("new", "changing-distributions", "--client", "Example")[0] == 0
    assert (tmp_path / "not/yet").is_dir()
    (tmp_path / "file").touch()
    monkeypatch.setenv("BMNB_RUNS", str(tmp_path / "file"))
    done = CliRunner().invoke(main, ["new", "changing-distributions", "--client", "Example"])
    assert (done.exit_code, done.stderr) == (1, f"{tmp_path}/file: File exists\n")
    rows = {row["what"]: row for row in json.loads(CliRunner().invoke(main, ["doctor", "--json"]).stdout)}
    assert not rows["folder of the runs"]["fits"]


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", r"trouv\xe9 \u2192"), ("iso8859-1", r"trouvé \u2192"), ("utf-8", "trouvé →")],
)
def test_letters_that_the_terminal_lacks_are_shown_as_their_codes(encoding: str, shown: str):
    code = "from bmnb.plain import say; say('trouvé →')"
    given = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=given).stdout
    assert said.decode(encoding) == f"{shown}\n"
