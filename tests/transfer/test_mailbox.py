"""Names of folders as IMAP writes them."""

from typing import Any

import pytest

from bmnb.transfer import mailbox


class Server:
    """What an IMAP server answers to LIST."""

    def __init__(self, *lines: Any) -> None:
        self.lines = lines

    def list(self) -> tuple[str, list[Any]]:
        return "OK", list(self.lines)


@pytest.mark.parametrize(
    "name", ["Sent", "two words", 'a "b" c', "back\\slash", 'ends with "', "&AMk-t&AOk-"]
)
def test_a_name_is_asked_for_as_the_server_has_told_it(name: str):
    line = f'(\\HasNoChildren) "/" {mailbox.quoted(name)}'.encode()
    found = mailbox.names(Server(line))  # type: ignore[arg-type]
    assert found == [name.encode()]
    assert mailbox.names(Server((b'(\\X) "/" {4}', b"a\tb"), b""))[0] == b"a\tb"  # type: ignore[arg-type]
