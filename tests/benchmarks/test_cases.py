"""What `make bench` measures."""

from benchmarks.__main__ import REAL, cases
from benchmarks.relay import LOOPBACK


def test_the_engines_come_once_more_on_servers_as_slow_as_real_ones():
    found = list(cases(50, 1, [LOOPBACK], ["warm"], ["literal", "fast", "fpsync"]))
    assert [(case.variant, case.common(number)["line"]) for case, number in found] == [
        ("literal", "loopback"),
        ("fast", "loopback"),
        ("fpsync", "loopback"),
        ("literal", "loopback; services 60 s, boot 40 s"),
        ("fast", "loopback; services 60 s, boot 40 s"),
    ]
    assert [case.pace for case, _ in found[-2:]] == [REAL, REAL]
    assert {case.settings["restart_target"] for case, _ in found[-2:]} == {"before"}
