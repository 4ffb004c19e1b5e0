"""What the operator reads of a comparison, and that nothing is the same where nothing was told."""

import json
from dataclasses import replace

import pytest

from bmnb.steps import Result
from bmnb.verification.databases import same_facts
from bmnb.verification.files import nothing_differs, same_content, same_mail

SUMS = {"entries": 5, "bytes": 9, "by content": 1, "read before": 0, "same content": 4, "differences": 0}
DIFFERENCE = json.dumps({"item": "/var/spool/cyrus/1.", "what": "content", "origin": "a", "target": "b"})


def said(text: str, exit: int = 0) -> Result:
    return Result("server", "", exit, text)


def sums(**other: int) -> str:
    return json.dumps({**SUMS, **other})


def test_items_are_named():
    verdict = nothing_differs(100, said(f"{sums(differences=1)}\n{DIFFERENCE}\n"))
    assert not verdict.holds
    assert verdict.seen == "1 differences: /var/spool/cyrus/1.: content"
    assert verdict.items[0]["origin"] == "a"


def test_how_much_was_compared_by_content_is_said():
    assert "10 % of the rest" in nothing_differs(10, said(sums())).seen
    assert nothing_differs(100, said(sums())).seen.endswith("content of every file")
    ahead = "content of every file; 3 files were read before the downtime and have not changed since"
    assert nothing_differs(100, said(sums(**{"read before": 3}))).seen.endswith(ahead)
    assert same_content(said(sums())).seen == "4 files have the same content on both servers"


def test_a_mailbox_that_lacks_a_message_comes_first():
    told = [["anna", 3, 10, 100, 10, 100], ["bert", 2, 5, 50, 4, 40]]
    verdict = same_mail(said("\n".join(map(json.dumps, told))))
    assert not verdict.holds
    assert [row["mailbox"] for row in verdict.items] == ["bert", "anna"]
    assert "4 messages and 40 bytes on the target" in verdict.seen


def test_messages_that_no_path_gives_to_a_mailbox_are_counted_and_said_to_be():
    counted = [["anna", 3, 10, 100, 10, 100], ["all, by hash", 2, 5, 50, 5, 50]]
    verdict = same_mail(told(*counted))
    assert verdict.seen == "1 mailboxes, 15 messages, 0 MB, the same; 5 of them are not told by mailbox"


def told(*lines: object) -> Result:
    return said("".join(f"{json.dumps(line)}\n" for line in lines))


def test_a_changed_row_a_missing_sequence_and_another_definition_are_named():
    origin = told(["table", "public.t_user", "3 rows, sum 12"], ["sequence", "public.s", "7"])
    target = told(["table", "public.t_user", "3 rows, sum 13"])
    view = ["VIEW", "public.a\tb\nc", "SELECT 1", "absent"]
    verdict = same_facts("bj", origin, target, told(view, [4]))
    assert [(row["item"], row["what"]) for row in verdict.items] == [
        ("public.s", "sequence"),
        ("public.t_user", "table"),
        ("public.a\tb\nc", "definition of VIEW"),
    ]
    assert verdict.parts == (
        {
            **{"database": "bj", "table": "public.t_user", "how": "compared"},
            **{"rows": 3, "target rows": 3, "same": False},
        },
    )
    same = same_facts("bj", origin, origin, told([4]))
    assert same.seen == "1 tables, 3 rows, 4 definitions and 1 other facts are the same"


def test_a_table_that_one_server_lacks_has_no_rows_there_which_is_not_none():
    origin, target = told(["table", "public.t_user", "0 rows, sum 0"]), told(["database", "owner", "bj"])
    [part] = same_facts("bj", origin, target, told([4])).parts
    assert (part["rows"], part["target rows"], part["same"]) == (0, None, False)


def test_nothing_told_is_not_the_same():
    table = told(["table", "a", "1 rows"])
    assert not same_facts("bj", said(""), said(""), told([4])).holds
    assert not same_facts("bj", replace(table, exit=1), table, told([4])).holds
    with pytest.raises((ValueError, TypeError, IndexError)):
        same_facts("bj", table, table, told())
    assert not same_mail(said("")).holds
    assert not nothing_differs(100, said("")).holds
    assert not same_content(said(sums(), exit=1)).holds
