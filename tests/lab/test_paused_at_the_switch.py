"""A run that waits at the switch knows nothing of what happens meanwhile: it proves anew what it relies on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from bmnb.lab.server import Server
from tests.lab.conftest import SMALL, booted
from tests.lab.migration import ANSWERS, client_file, finish, journal

pytestmark = pytest.mark.lab
NOT_YET = {key: answer for key, answer in ANSWERS.items() if key != "switch-servers"}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with booted("paused", **SMALL) as up:
        yield up


def serve_again(origin: Server) -> None:
    """Somebody starts the origin again, and a message arrives there, in the databases too."""
    origin.must("systemctl enable bluemind.target postfix; bmctl start; systemctl start postfix")
    user = origin.must("head -n 1 /etc/postfix/virtual_mailbox-flat").split()[0]
    before = messages(origin)
    origin.must(f"printf 'Subject: late\\n\\nlate\\n' | sendmail -f a@example.org {user}")
    origin.must(f"until [ $({COUNT}) -gt {before} ]; do sleep 0.2; done")


COUNT = "find /var/spool/cyrus -type f -name '*.' | wc -l"


def messages(origin: Server) -> int:
    return int(origin.must(COUNT))


@pytest.mark.parametrize("engine", ["fast", "literal"])
def test_the_origin_was_started_meanwhile_and_nothing_of_it_is_lost(lab: Lab, tmp_path: Path, engine: str):
    given = {"engine": engine, "restart_target": "never"}
    code, said = finish(client_file(lab, tmp_path / "runs", answers=NOT_YET, **given))
    assert code == 3, said
    assert "answer `switch-servers: origin` to go on" in said

    serve_again(lab.origin)
    client = client_file(lab, tmp_path / "runs", **given)
    code, said = finish(client)
    assert code == 3, said
    assert "services of origin stay stopped (origin): not stopped" in said
    assert "nothing has changed on the origin since the verification (origin): " in said
    assert "goes back to “Stop services on the servers (original and target)”" in said
    assert lab.origin.address in lab.origin.must("ip -o -4 addr"), "nothing was switched"

    code, said = finish(client)
    assert code == 0, said
    assert unexpected(lab) == []
    again = [line["step"] for line in journal(tmp_path / "runs") if line["event"] == "step done"]
    assert again.count("stop-services") == again.count("verify-copy") == 2
    assert again.count("hot-synchronization.1") == again.count("stop-origin") == 1
