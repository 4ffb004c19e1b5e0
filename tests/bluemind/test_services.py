"""`bmctl status` ends with 0 in either case: its text counts."""

import pytest

from bmnb.bluemind.services import services_running, services_stopped
from bmnb.steps import Result

RUNNING = "bm-core.service is running.\nbm-eas.service is disabled on this node\npostfix active\n"
STOPPED = "bm-nginx is running.\nbm-core.service is stopped.\nbm-eas.service is stopped.\npostfix inactive\n"
FAILED = "bm-core.service fail - check systemctl status bm-core.service\npostfix active\n"
LEFT = "bm-core.service started while BlueMind is stopped - please restart bluemind\npostfix inactive\n"
MAIL = "bm-core.service is stopped.\npostfix active\n"
NOTHING = "postfix inactive\n"


@pytest.mark.parametrize(
    ("text", "running", "stopped"),
    [
        (RUNNING, True, False),
        (STOPPED, False, True),
        (FAILED, False, False),
        (LEFT, False, False),
        (MAIL, False, False),
        (NOTHING, False, False),
    ],
)
def test_services_are_judged_by_the_text(text: str, running: bool, stopped: bool):
    status = Result("server", "bmctl status", 0, text)
    assert services_running(status).holds is running
    assert services_stopped(status).holds is stopped
