"""What stops a synchronization before it deletes anything."""

import subprocess
from pathlib import Path

import pytest

from bmnb.steps import Result
from bmnb.transfer.guards import compare_trees, mark_trees, not_much_smaller, same_queue, same_servers


def said(host: str, text: str, exit: int = 0) -> Result:
    return Result(host, "", exit, text, "" if exit == 0 else "no answer")


ORIGIN, TARGET = "origin\nm1 i1\nm1 i1\n", "target\nm2 i2\nm2 i2\n"


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ((ORIGIN, TARGET, ORIGIN), "those of the beginning"),
        ((ORIGIN, "target\nm2 i2\nm2 i1\n", ORIGIN), "those of the beginning"),
        ((ORIGIN, "target\nm2 i2\nm2 i9\n", ORIGIN), "is now m2 i9"),
        (("origin\nm1 i1\nm9 i1\n", TARGET, ORIGIN), "was the origin m1 i1, is now m9 i1"),
        (("origin\nm1 i1\nm1 i9\n", TARGET, ORIGIN), "is now m1 i9"),
        ((TARGET, ORIGIN, TARGET), "was the target"),
        ((ORIGIN, TARGET, "origin\nm3 i3\nm3 i3\n"), "another machine"),
        ((ORIGIN, TARGET, ""), "no answer"),
    ],
)
def test_both_servers_must_be_those_of_the_beginning(answers: tuple[str, str, str], says: str):
    hosts = ("origin", "target", "target")
    verdict = same_servers(*(said(host, text) for host, text in zip(hosts, answers, strict=True)))
    assert verdict.holds is (says == "those of the beginning")
    assert says in verdict.seen


@pytest.mark.parametrize(
    ("origin", "target", "known", "holds"),
    [
        (1000, 1000, (), True),
        (1000, 20, (), True),
        (600, 1000, (), False),
        (600, 1000, ("/tree",), True),
        (0, 400, (), True),
        (0, 501, (), False),
    ],
)
def test_a_tree_that_lost_much_is_not_followed(origin: int, target: int, known: tuple[str, ...], holds: bool):
    verdict = not_much_smaller(known, said("o", f"/tree {origin}\n"), said("t", f"/tree {target}\n"))
    assert verdict.holds is holds


def test_mail_in_the_queue_is_missed_by_its_name():
    assert same_queue(said("o", "A 10\nB 20\n"), said("t", "A 10\nB 20\nOWN 5\n")).holds
    assert "B 20" in same_queue(said("o", "A 10\nB 20\n"), said("t", "A 10\n")).seen
    assert not same_queue(said("o", "", 1), said("t", "")).holds


def test_another_folder_in_the_place_of_a_tree_is_found(tmp_path: Path):
    tree = tmp_path / "it's a tree"
    tree.mkdir()

    def run(line: str) -> str:
        return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout

    work = str(tmp_path / "work")
    run(mark_trees(work, [str(tree)]))
    assert run(compare_trees(work, [str(tree)])) == ""
    tree.rename(tmp_path / "moved")
    tree.mkdir()
    assert "was: " in run(compare_trees(work, [str(tree)]))


def test_a_tree_that_is_made_meanwhile_is_no_other_tree(tmp_path: Path):
    work, trees = str(tmp_path / "work"), [str(tmp_path), str(tmp_path / "made")]
    subprocess.run(["bash", "-c", mark_trees(work, trees)], check=True)
    (tmp_path / "made").mkdir()
    told = subprocess.run(
        ["bash", "-c", compare_trees(work, trees)], capture_output=True, text=True, check=True
    )
    assert told.stdout == ""
