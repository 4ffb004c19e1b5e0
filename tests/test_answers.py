"""Which answers of a person answer the question."""

import pytest

from bmnb.answers import settles
from bmnb.steps import Manual

BACKUP = Manual("core", "backup", "name the backup and who has seen it")


@pytest.mark.parametrize(
    "answer",
    [
        *("", " ", "-", "?", "none", "None", "NONE.", "no", "No!", "n/a", "N/A", "nothing", "none yet", "not needed"),
        *("no backup", "nobody", "there is none", "we have no full backup", "yes", "ok", "done", "x", "later", "todo"),
        *("aucune", "Aucune sauvegarde", "non", "néant", "il n'y en a pas", "sans sauvegarde", "pas encore", "rien"),
    ],
)  # fmt: skip
def test_that_there_is_none_and_that_it_is_so_are_no_answers(answer: str):
    assert not settles(BACKUP, answer)


@pytest.mark.parametrize(
    "answer",
    [
        *("snapshots of the lab, seen by its maker", "vzdump 2026-11-29, Anna", "Veeam job 12 (NAS), by M. Nonet"),
        *("no. 4711, restored by Anna on Monday", "non-prod copy started from it, Marc", "Anna", "nas02, Marc"),
        "instantané de chaque serveur, vu par Jeanne",
    ],
)  # fmt: skip
def test_who_and_what_is_an_answer(answer: str):
    assert settles(BACKUP, answer)


def test_a_confirmation_is_the_expected_word_alone():
    confirm = Manual("core", "start-update", "users are cut off", expect="core")
    assert settles(confirm, "core")
    assert not settles(confirm, "yes")
    named_so = Manual("no", "start-update", "users are cut off", expect="no")
    assert settles(named_so, "no"), "a server may have any name"
