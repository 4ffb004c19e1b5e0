"""What is judged once the target serves."""

from bmnb.procedures.changing_distributions.post_migration import secrets_are_taken
from bmnb.steps import Result


def judged(exit_status: int, told: str, said: str = ""):
    return secrets_are_taken(Result("target", "", exit_status, told, said))


def test_a_secret_that_keycloak_refuses_is_an_item_that_can_be_accepted():
    found = judged(1, "a.example its secret is taken\nb.example unauthorized_client\n")
    assert not found.holds
    assert found.items == ({"item": "b.example", "what": "unauthorized_client"},)
    assert judged(0, "a.example its secret is taken\n").holds
    assert judged(0, "").holds


def test_where_the_domains_cannot_be_asked_for_no_secret_is_judged():
    assert not judged(1, "", "Traceback\nConnectionRefusedError: [Errno 111]\n").made
