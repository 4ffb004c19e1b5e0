"""What the try of an account tells."""

from bmnb.steps import Result
from bmnb.verification.account import ACCOUNT, works


def told(exit_status: int, out: str, err: str = "") -> Result:
    return Result("target", "python3 mailbox.py try a@example.org", exit_status, out, err)


def test_each_folder_is_a_row():
    verdict = works(told(0, '{"seconds": 0.5, "folders": [["INBOX", 3], ["Sent", 0]]}'))
    assert verdict.holds
    assert "2 folders, 3 messages" in verdict.seen
    assert verdict.items == ({"folder": "INBOX", "messages": 3}, {"folder": "Sent", "messages": 0})


def test_a_folder_that_cannot_be_opened_is_named():
    verdict = works(told(0, '{"seconds": 0.5, "folders": [["INBOX", 3], ["Sent", -1]]}'))
    assert not verdict.holds
    assert verdict.seen == "cannot be opened: Sent"


def test_of_an_error_the_last_line_is_told():
    verdict = works(told(1, "", "Traceback\nLookupError: the core knows no user a@example.org\n"))
    assert not verdict.holds
    assert verdict.seen == "LookupError: the core knows no user a@example.org"


def test_an_account_is_an_address_and_nothing_that_a_shell_reads():
    assert ACCOUNT.fullmatch("anna.b@example.org")
    for wrong in ("anna", "a@b;id", "-a@b", "a@b\n", "$(id)@b", "a b@c"):
        assert not ACCOUNT.fullmatch(wrong)
