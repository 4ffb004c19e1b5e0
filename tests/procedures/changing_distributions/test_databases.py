"""A database that not every BlueMind has, Keycloak's, is asked for nowhere but where the origin has it."""

import pytest

from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.steps import Single, singles
from bmnb.transfer import databases


def actions(engine: str) -> list[Single]:
    settings = Settings(engine=engine)
    return [action for step in PROCEDURE.steps for action in singles(step.actions(settings))]


@pytest.mark.parametrize("engine", ["literal", "fast"])
def test_what_is_done_for_keycloaks_database_alone_is_done_only_where_the_origin_has_it(engine: str):
    alone = [action for action in actions(engine) if action.title.split(" ")[-1] == "keycloak"]
    there = databases.is_there(Settings().work, "keycloak")
    assert {action.title for action in alone} >= {"dump keycloak", "import keycloak"}
    # what is dropped in the end is dropped if it exists
    assert [one.title for one in alone if not (one.when and there in one.when.line)] == [
        "drop the target's old keycloak"
    ]
