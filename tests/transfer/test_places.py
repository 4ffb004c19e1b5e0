"""Where trees lie, and which of the links in them and among configuration files another server cannot follow."""

import subprocess
from pathlib import Path

import pytest

from bmnb.bluemind import proofs
from bmnb.steps import Result, Verdict
from bmnb.transfer import files, guards, places


def run(line: str) -> Result:
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True)
    return Result("origin", line, done.returncode, done.stdout, done.stderr)


@pytest.fixture
def trees(tmp_path: Path) -> tuple[str, ...]:
    """One tree is a folder, the other a link to another disk."""
    for name in ("spool/mail", "disk/files"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "one").write_text("content")
    (tmp_path / "spool/files").symlink_to(tmp_path / "disk/files")
    return str(tmp_path / "spool/mail"), str(tmp_path / "spool/files")


def outside(trees: tuple[str, ...]) -> Verdict:
    return places.nothing_outside(run(places.leading_out(trees)))


def test_a_tree_that_is_a_link_is_counted_at_its_place(trees: tuple[str, ...]):
    assert run(guards.sizes(trees)).stdout == f"{trees[0]} 2\n{trees[1]} 2\n"
    assert files.states(run(files.count(trees))) == dict.fromkeys(trees, "present")


def test_a_tree_that_is_a_link_to_nowhere_is_not_followed(trees: tuple[str, ...], tmp_path: Path):
    (tmp_path / "disk").rename(tmp_path / "away")
    counted = run(files.count(trees))
    verdict = files.all_there((), counted, counted)
    assert not verdict.holds
    assert f"{trees[1]} is dangling on the target" in verdict.seen


def test_a_link_that_leads_elsewhere_since_the_first_pass_is_found(trees: tuple[str, ...], tmp_path: Path):
    work = str(tmp_path / "work")
    assert run(guards.mark_trees(work, trees)).ok
    assert run(guards.compare_trees(work, trees)).stdout == ""
    (tmp_path / "spool/files").unlink()
    (tmp_path / "spool/files").symlink_to(tmp_path / "spool/mail")
    assert f"was: {trees[1]}" in run(guards.compare_trees(work, trees)).stdout


def test_who_has_a_file_open_behind_a_link_is_found(trees: tuple[str, ...], tmp_path: Path):
    with (tmp_path / "disk/files/one").open():
        assert "process" in run(proofs.open_files(trees)).stdout
    assert run(proofs.open_files(trees)).stdout == ""


def test_trees_apart_are_told_from_one_in_another(trees: tuple[str, ...], tmp_path: Path):
    assert places.lie_apart(run(places.lie(trees))).holds
    (tmp_path / "spool/inner").symlink_to(tmp_path / "disk/files/.")
    assert not places.lie_apart(run(places.lie((*trees, str(tmp_path / "spool/inner"))))).holds
    (tmp_path / "disk/files/in").mkdir()
    (tmp_path / "spool/in").symlink_to(tmp_path / "disk/files/in")
    verdict = places.lie_apart(run(places.lie((*trees, str(tmp_path / "spool/in")))))
    assert f"{tmp_path}/spool/in lies in {trees[1]}" in verdict.seen


@pytest.mark.parametrize("to", ["one", "../mail/one", "spool/mail/one", "spool/files/one"])
def test_a_link_that_stays_in_the_trees_leads_to_the_same_there(
    trees: tuple[str, ...], tmp_path: Path, to: str
):
    (tmp_path / "spool/mail/link").symlink_to(tmp_path / to if to.startswith("spool") else to)
    assert outside(trees) == Verdict(True, "none leads out")


@pytest.mark.parametrize(
    ("to", "what"), [("log", "folder"), ("log/file", "file"), ("disk/files/one", "file")]
)
def test_what_a_link_out_of_the_trees_leads_to_is_missed(
    trees: tuple[str, ...], tmp_path: Path, to: str, what: str
):
    """By the path of another disk, too, which another server need not have."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log/file").write_text("")
    (tmp_path / "spool/files/link").symlink_to(tmp_path / to)
    verdict = outside(trees)
    assert not verdict.holds
    assert [(item["item"], item["what"]) for item in verdict.items] == [(f"{trees[1]}/link", what)]


def test_a_link_to_nowhere_in_a_tree_is_told(trees: tuple[str, ...], tmp_path: Path):
    (tmp_path / "spool/mail/link").symlink_to(tmp_path / "gone")
    verdict = outside(trees)
    assert (verdict.holds, verdict.seen) == (True, "1 links lead nowhere")


def among(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Verdict:
    monkeypatch.setattr(places, "CONFIGURATION", (f"{folder}/*", f"{folder}.pem*"))
    return places.can_be_followed(run(places.among_files(added=False)))


def test_links_among_configuration_files_are_copied_as_what_they_lead_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    etc = tmp_path / "etc"
    (etc / "folder").mkdir(parents=True)
    (tmp_path / "live").write_text("a certificate")
    (tmp_path / "etc.pem").symlink_to("live")
    (etc / "again").symlink_to("folder")
    verdict = among(etc, monkeypatch)
    assert (verdict.holds, len(verdict.items)) == (True, 2)
    (etc / "folder/up").symlink_to("..")
    assert "circle" in among(etc, monkeypatch).seen
    (etc / "folder/up").unlink()
    (tmp_path / "live").unlink()
    assert not among(etc, monkeypatch).holds
