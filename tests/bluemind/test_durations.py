"""What systemd keeps of the last start and stop of BlueMind's services."""

from bmnb.bluemind.durations import tell
from bmnb.steps import Result

NAMES = ("InactiveExit", "ActiveEnter", "ActiveExit", "InactiveEnter")


def shown(**units: tuple[float, float, float, float]) -> Result:
    """Of each unit when it left rest, was up, left service, was down: seconds since the boot."""
    blocks = []
    for name, times in units.items():
        unit = "bluemind.target" if name == "target" else f"bm-{name}.service"
        lines = [f"{one}TimestampMonotonic={int(at * 1e6)}" for one, at in zip(NAMES, times, strict=True)]
        blocks.append("\n".join([f"Id={unit}", *lines]))
    return Result("origin", "systemctl show", 0, "\n\n".join(blocks) + "\n")


def test_a_start_lasts_from_the_first_service_to_the_target():
    told = tell(shown(target=(190, 190, 0, 0), core=(102, 189, 0, 0), node=(100, 101, 0, 0)))
    assert told.row == {"starts in": 90}


def test_a_service_that_was_started_by_itself_is_no_part_of_it():
    early = tell(shown(target=(190, 190, 0, 0), core=(102, 189, 0, 0), node=(10, 11, 0, 0)))
    late = tell(shown(target=(190, 190, 0, 0), core=(102, 189, 0, 0), node=(4000, 4001, 3990, 4000)))
    assert early.row == late.row == {"starts in": 88}


def test_a_stop_lasts_from_the_target_to_the_last_service():
    told = tell(
        shown(
            target=(390, 390, 300, 300),
            core=(362, 389, 300, 361),
            node=(362, 363, 300, 302),
            web=(362, 363, 0, 0),
        )
    )
    assert told.row == {"starts in": 28, "stops in": 61}


def test_where_systemd_has_no_record_nothing_is_counted():
    for text in ("", "Id=bluemind.target\nActiveEnterTimestampMonotonic=\n"):
        told = tell(Result("origin", "systemctl show", 0, text))
        assert told.holds
        assert told.row == {}
        assert told.seen == "systemd has no record of it"


def test_a_server_that_tells_nothing_is_no_server_without_a_record():
    assert not tell(Result("origin", "systemctl show", 255, "", "connection lost")).made
