"""The seal: whatever is changed in a run's folder after it is found and named."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bmnb.errors import BmnbError, InputError
from bmnb.journal import Journal
from bmnb.seal import after_seal, problems, seal

FILES = ["notebook.ipynb", "tables/steps.csv", "report.html", "logs/one.log", "SHA256SUMS"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    journal = Journal(folder / "journal.jsonl")
    head = journal.write("opened", procedure="changing-distributions")
    for name in FILES[:-1]:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"content of {name}")
    (folder / "report.html").write_text(f'<code data-line="1" id="head">{head["sha256"]}</code>')
    return folder


def key(folder: Path) -> Path:
    path = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", path], check=True)
    return path


def signers(key: Path) -> Path:
    path = key.with_name("signers")
    path.write_text(f"me@example.org {key.with_suffix('.pub').read_text()}")
    return path


def test_a_sealed_run_holds_and_anyone_can_check_it(run: Path):
    seal(run)
    assert list(problems(run)) == []
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=run, check=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_changed_byte_in_any_file_is_found(run: Path, data: st.DataObject):
    if not (run / "SHA256SUMS").exists():
        seal(run)
    name = data.draw(st.sampled_from(FILES))
    whole = (run / name).read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    (run / name).write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
    found = list(problems(run))
    (run / name).write_bytes(whole)
    assert any(name in one for one in found)


def test_a_missing_and_a_foreign_file_are_found(run: Path):
    seal(run)
    (run / "tables" / "steps.csv").rename(run / "tables" / "other.csv")
    assert list(problems(run)) == [
        "tables/steps.csv: missing",
        "tables/other.csv: does not belong to the run",
    ]


def test_a_report_of_another_run_is_found_without_a_seal(run: Path):
    (run / "report.html").write_text(f'<code data-line="1" id="head">{"0" * 64}</code>')
    assert list(problems(run)) == ["report.html: made from another journal"]


def test_a_journal_cut_at_its_end_is_found(run: Path):
    seal(run)
    first = (run / "journal.jsonl").read_bytes().splitlines(keepends=True)[0]
    (run / "journal.jsonl").write_bytes(first)
    assert list(problems(run)) == ["journal.jsonl: the line of the seal is missing"]


def test_a_changed_journal_is_refused(run: Path):
    seal(run)
    path = run / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"changing", b"updating"))
    with pytest.raises(BmnbError, match="line 1"):
        list(problems(run))


def test_a_run_that_went_on_after_its_seal_says_how_far(run: Path):
    assert after_seal(run) is None
    seal(run)
    assert after_seal(run) == 0
    Journal(run / "journal.jsonl").write("opened")
    assert after_seal(run) == 1


def test_a_signature_holds_and_breaks_with_the_sums(run: Path, tmp_path: Path):
    mine = key(tmp_path)
    seal(run, mine)
    assert list(problems(run, signers(mine))) == []
    (run / "SHA256SUMS").write_text("")
    assert any("SHA256SUMS.sig" in found for found in problems(run))


def test_a_signature_of_somebody_else_is_found(run: Path, tmp_path: Path):
    (tmp_path / "other").mkdir()
    seal(run, key(tmp_path / "other"))
    assert any("SHA256SUMS.sig" in found for found in problems(run, signers(key(tmp_path))))


def test_a_key_that_is_not_there_is_an_error(run: Path):
    with pytest.raises(InputError, match="ssh-keygen"):
        seal(run, run / "no-key")
