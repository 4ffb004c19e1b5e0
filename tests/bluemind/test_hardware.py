"""The target must not be weaker than the origin; that both are below BlueMind's minimum is told."""

import pytest

from bmnb.bluemind.hardware import not_weaker
from bmnb.steps import Result

GIB = 1 << 20


def server(cores: int, gib: float) -> Result:
    return Result("server", "", 0, f"{cores}\n{int(gib * GIB)}\n")


@pytest.mark.parametrize(
    ("origin", "target", "holds"),
    [((4, 32), (4, 31), True), ((4, 32), (2, 32), False), ((4, 32), (4, 16), False), ((2, 8), (2, 8), True)],
)
def test_cores_and_memory_are_compared_with_the_origins(origin, target, holds):
    assert not_weaker(server(*origin), server(*target)).holds is holds


def test_less_than_bluemind_s_minimum_is_told():
    assert "minimum is 24 GB" in not_weaker(server(2, 8), server(2, 8)).seen
    assert "minimum" not in not_weaker(server(2, 32), server(2, 32)).seen


def test_what_the_target_has_less_of_is_an_item_that_can_be_accepted():
    assert [one["item"] for one in not_weaker(server(4, 32), server(2, 16)).items] == ["cores", "memory"]
