"""A run that waits at the switch knows nothing of what happens meanwhile: it proves anew what it relies on."""

from pathlib import Path

from bmnb.lab import Lab
from bmnb.lab.server import Server
from tests.lab.migration import finish

COUNT = "find /var/spool/cyrus -type f -name '*.' | wc -l"


def serve_again(origin: Server) -> None:
    """Somebody starts the origin again, and a message arrives there, in the databases too."""
    origin.must("systemctl enable bluemind.target postfix; bmctl start; systemctl start postfix")
    user = origin.must("head -n 1 /etc/postfix/virtual_mailbox-flat").split()[0]
    before = messages(origin)
    origin.must(f"printf 'Subject: late\\n\\nlate\\n' | sendmail -f a@example.org {user}")
    origin.must(f"until [ $({COUNT}) -gt {before} ]; do sleep 0.2; done")


def messages(origin: Server) -> int:
    return int(origin.must(COUNT))


def assert_noticed(lab: Lab, client: Path) -> None:
    """Somebody has started the origin while the run waited: nothing is switched, and it goes back to the stop."""
    serve_again(lab.origin)
    code, said = finish(client)
    assert code == 3, said
    assert "services of origin stay stopped (origin): not stopped" in said
    assert "nothing has changed on the origin since the verification (origin): " in said
    assert "goes back to “Stop services on the servers (original and target)”" in said
    assert lab.origin.address in lab.origin.must("ip -o -4 addr"), "nothing was switched"


def assert_done_again(steps: list[str]) -> None:
    """What was proven before that was proven anew, by the steps that were done; nothing else was."""
    assert steps.count("stop-services") == steps.count("verify-copy") == 2
    assert steps.count("hot-synchronization.1") == steps.count("stop-origin") == 1
