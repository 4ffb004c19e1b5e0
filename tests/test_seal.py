"""The seal: whatever is changed in a run's folder after it is found and named."""

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bmnb.cli import main
from bmnb.errors import BmnbError, InputError
from bmnb.journal import Journal
from bmnb.seal import HEAD, after_seal, problems, seal

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


def head(run: Path) -> str:
    """What the report of the run has on its first page."""
    return HEAD.search((run / "report.html").read_text())[2]


def forge(run: Path, *names: str) -> None:
    for name in names:
        (run / name).write_text((run / name).read_text() + " better")


def goes_on(run: Path) -> None:
    Journal(run / "journal.jsonl").write("note", text="all is well", file="")


def cut_before_the_seal(run: Path) -> None:
    """The journal as it was before it was sealed."""
    lines = (run / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (run / "journal.jsonl").write_bytes(lines[0])


def written_anew(run: Path) -> None:
    """A whole chain of its own, with another story."""
    (run / "journal.jsonl").unlink()
    first = Journal(run / "journal.jsonl").write("opened", procedure="updating-bluemind")
    text = (run / "report.html").read_text().replace(head(run), first["sha256"])
    (run / "report.html").write_text(text)


def changed_table_and_a_line(run: Path) -> None:
    forge(run, "tables/steps.csv")
    goes_on(run)


def changed_notebook_and_report_and_a_line(run: Path) -> None:
    forge(run, "notebook.ipynb", "report.html")
    goes_on(run)


def no_seal_no_sums_no_signature(run: Path) -> None:
    cut_before_the_seal(run)
    (run / "SHA256SUMS").unlink()
    (run / "SHA256SUMS.sig").unlink()
    forge(run, "notebook.ipynb")


def no_seal_though_signed(run: Path) -> None:
    cut_before_the_seal(run)
    (run / "SHA256SUMS").unlink()


def a_line_alone(run: Path) -> None:
    goes_on(run)


def sealed_again_by_nobody(run: Path) -> None:
    changed_table_and_a_line(run)
    seal(run)


def sealed_again_with_the_signature_of_before(run: Path) -> None:
    signature = (run / "SHA256SUMS.sig").read_bytes()
    changed_table_and_a_line(run)
    seal(run)
    (run / "SHA256SUMS.sig").write_bytes(signature)


def sealed_again_with_the_sums_of_before_too(run: Path) -> None:
    sums = (run / "SHA256SUMS").read_bytes()
    sealed_again_with_the_signature_of_before(run)
    (run / "SHA256SUMS").write_bytes(sums)


def sealed_again_by_somebody_else(run: Path) -> None:
    changed_table_and_a_line(run)
    (run.parent / "forger").mkdir()
    seal(run, key(run.parent / "forger"))


def no_signature_and_a_line(run: Path) -> None:
    (run / "SHA256SUMS.sig").unlink()
    goes_on(run)


def another_sum_for_a_changed_file_and_a_line(run: Path) -> None:
    forge(run, "logs/one.log")
    goes_on(run)
    sums = (run / "SHA256SUMS").read_text().splitlines(keepends=True)
    mended = f"{hashlib.sha256((run / 'logs/one.log').read_bytes()).hexdigest()}  logs/one.log\n"
    (run / "SHA256SUMS").write_text("".join(mended if "one.log" in line else line for line in sums))


def a_log_more_and_a_line(run: Path) -> None:
    (run / "logs" / "two.log").write_text("all is well")
    goes_on(run)


def a_table_less_and_a_line(run: Path) -> None:
    (run / "tables" / "steps.csv").unlink()
    goes_on(run)


def a_line_torn(run: Path) -> None:
    with (run / "journal.jsonl").open("a") as file:
        file.write('{"number": 3')


FORGERIES = [
    *(changed_table_and_a_line, changed_notebook_and_report_and_a_line, no_seal_no_sums_no_signature),
    *(no_seal_though_signed, a_line_alone, sealed_again_by_nobody, sealed_again_with_the_signature_of_before),
    *(sealed_again_with_the_sums_of_before_too, sealed_again_by_somebody_else, no_signature_and_a_line),
    *(another_sum_for_a_changed_file_and_a_line, a_log_more_and_a_line, a_table_less_and_a_line, a_line_torn),
]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_record_of_a_signed_run_is_found(run: Path, tmp_path: Path, forgery: Callable[[Path], None]):
    mine = key(tmp_path)
    seal(run, mine)
    verify = ["verify", str(run), "--signers", str(signers(mine))]
    assert CliRunner().invoke(main, verify).exit_code == 0
    forgery(run)
    assert CliRunner().invoke(main, verify).exit_code == 1


NEEDS_SIGNERS = (
    *(a_line_alone, no_seal_no_sums_no_signature, sealed_again_by_nobody, sealed_again_by_somebody_else),
)
"""What anyone could do who has no key: without a list of keys, or a head in print, nothing tells it apart."""


@pytest.mark.parametrize("forgery", [one for one in FORGERIES if one not in NEEDS_SIGNERS])
def test_most_forgeries_are_found_without_the_signers_too(
    run: Path, tmp_path: Path, forgery: Callable[[Path], None]
):
    seal(run, key(tmp_path))
    forgery(run)
    assert list(problems(run))


@pytest.mark.parametrize(
    "forgery", [a_line_alone, sealed_again_by_nobody, sealed_again_by_somebody_else, written_anew]
)
def test_a_printed_head_tells_without_a_signature(run: Path, tmp_path: Path, forgery: Callable[[Path], None]):
    seal(run)
    printed = head(run)
    assert list(problems(run, head=printed)) == []
    forgery(run)
    assert any(one.startswith("journal.jsonl: ") for one in problems(run, head=printed))


def test_a_sealed_continuation_holds(run: Path, tmp_path: Path):
    mine = key(tmp_path)
    seal(run, mine)
    goes_on(run)
    forge(run, "notebook.ipynb")
    seal(run, mine)
    assert list(problems(run, signers(mine))) == []


def test_a_head_of_before_says_from_which_line_on_the_run_went_on(run: Path):
    printed = head(run)
    seal(run)
    goes_on(run)
    seal(run)
    assert list(problems(run, head=printed)) == [
        "journal.jsonl: 1 lines were written after this head, from line 3 on"
    ]


def test_a_head_of_another_journal_is_found_and_what_is_none_is_refused(run: Path):
    assert list(problems(run, head="0" * 64)) == ["journal.jsonl: not the journal that had this head"]
    assert CliRunner().invoke(main, ["verify", str(run), "--head", head(run).upper()]).exit_code == 0
    assert CliRunner().invoke(main, ["verify", str(run), "--head", head(run)[:16]]).exit_code == 2


def test_whose_record_it_is_is_told(run: Path):
    assert "changing-distributions for nobody" in CliRunner().invoke(main, ["verify", str(run)]).output


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
