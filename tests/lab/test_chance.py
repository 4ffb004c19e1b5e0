"""What is left to chance is the same for a number, and spares no step."""

from tests.lab.chance import CONTROLLER, ENGINES, SERVER, to_do, trial


def test_a_number_has_always_the_same_faults():
    assert [trial(number) for number in range(20)] == [trial(number) for number in range(20)]


def test_no_step_is_spared_with_either_engine():
    for engine in ENGINES:
        struck = {
            strike.step for one in map(trial, range(40)) if one.engine == engine for strike in one.forth
        }
        assert struck == {step.name for step in to_do(engine)}


def test_no_fault_is_spared_and_the_way_back_has_its_own():
    strikes = [strike for number in range(200) for strike in trial(number).forth]
    assert {strike.kind for strike in strikes} == {*CONTROLLER, *SERVER}
    back = {strike.step for number in range(200) for strike in trial(number).back or ()}
    assert {"undo-stop-services", "undo-stop-origin", "undo-take-over-address"} <= back
