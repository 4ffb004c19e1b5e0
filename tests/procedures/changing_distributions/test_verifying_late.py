"""When the whole copy is proven: before the switch, or after it."""

import subprocess
from pathlib import Path

import pytest

from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.settings import make, problems
from bmnb.steps import Check, Command, Single, singles
from bmnb.transfer import at_rest
from bmnb.verification.files import look_at_names

AFTER = {"verify": "after"}


def actions(step: str, **values: object) -> list[Single]:
    (found,) = [one for one in PROCEDURE.steps if one.name == step]
    return singles(found.actions(make(Settings, values)))


def titled(step: str, title: str, **values: object) -> list[Single]:
    return [one for one in actions(step, **values) if one.title == title]


def test_as_it_is_the_whole_copy_is_proven_before_the_switch():
    assert actions("verify-whole") == []
    (check,) = titled("verify-copy", "files are the same")
    assert check.when is None


def test_with_verify_after_it_is_proven_before_the_switch_only_where_nothing_has_compared_what_was_sent():
    for title in ("compare the trees", "files are the same", "mail of every user is the same"):
        (one,) = titled("verify-copy", title, **AFTER)
        assert isinstance(one, Command | Check)
        assert one.when
        assert one.when.line == "test ! -e /var/lib/bmnb/example/fast-files"
    late = actions("verify-whole", **AFTER)
    assert late
    assert all(one.when for one in late)


def test_rows_definitions_and_configuration_are_proven_before_the_switch_in_either_way():
    for title in ("bj is the same", "configuration is the same", "compare the definitions of bj"):
        (before,), (after,) = titled("verify-copy", title), titled("verify-copy", title, **AFTER)
        assert (before.line, before.when) == (after.line, after.when)  # type: ignore[union-attr]


def test_before_the_switch_nothing_looks_at_every_name():
    """Whoever looks there later finds what was written meanwhile."""
    switch = [one for one in actions("stop-origin", **AFTER) if one.title.startswith("nothing has changed")]
    assert "/var/spool/cyrus" not in str(switch[0].line)
    late = [one for one in actions("verify-whole", **AFTER) if one.title.startswith("no file of the origin")]
    assert len(late) == 2, "before the proof and after it"
    assert "/var/spool/cyrus" in str(late[0].line)


def test_what_the_target_s_own_start_changes_counts_as_changed_since():
    (restart,) = [one for one in PROCEDURE.steps if one.name == "restart-target"]
    found = [[one.title for one in singles([group])] for group in restart.actions(make(Settings, AFTER))]
    mark = found.index(["remember when it begins to serve"])
    (upgrade,) = [
        at for at, titles in enumerate(found) if any(one.startswith("Cyrus's databases") for one in titles)
    ]
    assert mark < upgrade


def test_every_mailbox_is_looked_at_once_what_was_missing_is_brought():
    look, judged = "look at every mailbox over IMAP", "every mailbox is over IMAP as it was at the stop"
    assert [one.title for one in actions("verify-service")][-2:] == [look, judged]
    assert not titled("verify-service", look, **AFTER)
    titles = [one.title for one in actions("verify-whole", **AFTER)]
    assert titles[-2:] == [look, judged]
    assert titles.index("the whole copy is the same as the frozen origin") < titles.index(look)
    assert titled("verify-copy", "record every mailbox of the original server", **AFTER)


@pytest.mark.parametrize(
    "other", [{"engine": "literal"}, {"keep_reachable": False}, {"switch": "new-address"}], ids=str
)
def test_it_is_refused_where_it_could_not_be_made(other: dict[str, object]):
    if "switch" in other:
        other = {**other, "new_address": "192.0.2.20"}
    assert not problems(Settings, {**other})
    assert [one for one in problems(Settings, {**AFTER, **other}) if one.startswith("verify: after")]


def bash(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)


def test_what_was_written_since_is_named_and_where_nobody_knows_since_when_that_is_told(tmp_path: Path):
    tree = tmp_path / "tree"
    tree.mkdir()
    line = at_rest.changed_files(str(tmp_path), [str(tree), "/no/such/tree"])
    assert bash(line).returncode == 2
    (tmp_path / "verified").touch()
    bash(f"until touch {tree}/new && [ {tree}/new -nt {tmp_path}/verified ]; do :; done")
    assert f"{tree}/new" in bash(line).stdout.splitlines()
    assert bash(at_rest.changed_files(str(tmp_path), [])).stdout == ""


def test_a_look_at_every_name_counts_them_and_minds_no_tree_that_is_absent(tmp_path: Path):
    (tmp_path / "a tree").mkdir()
    (tmp_path / "a tree/file").touch()
    assert bash(look_at_names([str(tmp_path / "a tree"), "/no/such/tree"])).stdout.strip() == "2"
    assert bash(look_at_names(["/no/such/tree"])).stdout.strip() == "0"
