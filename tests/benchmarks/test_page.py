"""The page's table has the ratio of each round, and counts every difference."""

from benchmarks.page import cost_lines, lines, peer_lines, spread


def row(variant: str, number: int, seconds: float, differences: int = 0, part: str = "downtime") -> dict:
    return {
        "variant": variant,
        "part": part,
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


def test_a_peer_stands_beside_the_literal_engine_s_same_part():
    results = [row("literal", 1, 20, part="files"), row("rsync", 1, 10, 2, part="files")]
    assert list(peer_lines(results))[2:] == ["| 1,000 | loopback | warm | files | rsync | 10.0 | 2.0 | 2 |"]


def test_costs_stand_variant_by_variant():
    cost = {"bytes": 2_500_000, "cpu_seconds": 1.5, "peak_mib": 90.0}
    results = [{**row("fast", 1, 10), **cost}, {**row("fast", 1, 10, part="files"), "bytes": None}]
    assert list(cost_lines(results))[2:] == [
        "| 1,000 | loopback | warm | downtime | fast | 2.5 | 1.5 | 90.0 |"
    ]


def test_a_single_number_has_no_range():
    assert spread([1.26]) == "1.3"
    assert spread([]) == ""
