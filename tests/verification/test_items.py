"""What the operator reads of a comparison, and that nothing is the same where nothing was told."""

import json

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


def test_a_changed_row_and_a_missing_index_are_named():
    origin = "table\tpublic.t_user\t3 rows, sum 12\nindex\tpublic.i\tCREATE INDEX\nfunction\tf()\tone\ntwo\n"
    target = "table\tpublic.t_user\t3 rows, sum 13\nfunction\tf()\tone\ntwo\n"
    verdict = same_facts("bj", said(origin), said(target))
    assert [row["item"] for row in verdict.items] == ["public.i", "public.t_user"]
    assert (
        same_facts("bj", said(origin), said(origin)).seen == "1 tables, 3 rows and 2 other facts are the same"
    )


def test_nothing_told_is_not_the_same():
    assert not same_facts("bj", said(""), said("")).holds
    assert not same_facts("bj", said("table\ta\t1 rows\n", exit=1), said("table\ta\t1 rows\n")).holds
    assert not same_mail(said("")).holds
    assert not nothing_differs(100, said("")).holds
    assert not same_content(said(sums(), exit=1)).holds
