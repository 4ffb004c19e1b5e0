"""The page's table has the ratio of each round, and counts every difference."""

from benchmarks.page import lines, spread


def row(variant: str, number: int, seconds: float, differences: int = 0) -> dict:
    return {
        "variant": variant,
        "part": "downtime",
        "line": "loopback",
        "cache": "warm",
        "files": 1000,
        "round": number,
        "seconds": seconds,
        "differences": differences,
    }


def test_ratios_are_taken_within_a_round():
    results = [row("literal", 1, 10), row("fast", 1, 2), row("literal", 2, 40), row("fast", 2, 10, 3)]
    results += [row("replication", 1, 1), row("replication", 2, 5)]
    table = [line for line in lines(results) if "| downtime |" in line]
    assert table == [
        "| 1,000 | loopback | warm | downtime | 25.0 [10.0–40.0] | 6.0 [2.0–10.0] | 3.0 [1.0–5.0] "
        "| 4.5 [4.0–5.0] | 9.0 [8.0–10.0] | 3 |"
    ]


def test_a_single_number_has_no_range():
    assert spread([1.26]) == "1.3"
    assert spread([]) == ""
