"""What must hold on a platform, and how it reads afterwards."""

from bmnb.procedures.updating_bluemind import requirements
from bmnb.steps import Result


def told(text: str, host: str = "core", exit: int = 0) -> Result:
    return Result(host, "", exit, text)


def test_two_names_must_not_lead_to_one_machine():
    assert requirements.all_different(told("a1\n"), told("b2\n"), told("c3\n")).holds
    assert not requirements.all_different(told("a1\n"), told("b2\n"), told("a1\n")).holds
    assert not requirements.all_different(told("a1\n"), told("")).holds


def test_the_topology_must_be_named_whole():
    topology = [{"uid": uid, "value": {"ip": "192.0.2.1"}} for uid in ("bm-master", "bm-edge")]
    assert requirements.all_named(2, topology).holds
    assert requirements.all_named(1, topology).seen.startswith("1 named, the platform has bm-master")


def test_the_index_must_be_green_where_it_is():
    green, none = told('{"status": "green"}'), told("none\n", "edge")
    assert requirements.index_state(green, none).seen == "green on core"
    assert not requirements.index_state(told('{"status": "yellow"}'), none).holds
    assert not requirements.index_state(none).holds


def test_little_space_in_var_is_told_with_its_server():
    seen = requirements.room_to_begin(told("/ 900000000\n/var/log 1000000\n", "mailbox"))
    assert not seen.holds
    assert seen.seen == "/var/log on mailbox has 1 MB"


def test_a_small_boot_is_told_by_what_a_kernel_needs():
    assert requirements.room_to_begin(told("/ 900000000\n/boot 200000000\n")).holds
    assert requirements.room_to_begin(told("/ 900000000\n/boot 50000000\n")).seen == "/boot on core has 50 MB"
    assert requirements.room_to_begin(told("/ 900000000\n/var/lib/bmnb 60000000\n")).seen.startswith(
        "/var/lib/bmnb on"
    )


def test_services_that_ran_must_run_again_and_others_need_not():
    before = "bm-core.service is running.\nbm-eas.service is stopped.\n-- now\n"
    assert requirements.services_as_before(told(before + "bm-core.service is running.\n")).holds
    lost = requirements.services_as_before(
        told(before + "bm-core.service fail - see\nbm-new.service is running.\n")
    )
    assert lost.seen == "not running: bm-core"
    assert not requirements.services_as_before(told(before)).holds


def test_services_that_the_new_major_version_has_no_more_are_told():
    before = "bm-core.service is running.\nbm-hps.service is running.\n-- now\n"
    seen = requirements.services_that_stay(told(f"{before}bm-core.service is running.\n"))
    assert (seen.holds, seen.seen) == (True, "1 services running; no more there: bm-hps")
    stopped = requirements.services_that_stay(
        told(f"{before}bm-core.service is running.\nbm-hps.service is stopped.\n")
    )
    assert stopped.seen == "not running: bm-hps"


def test_versions_before_and_after_are_columns():
    text = "bm-core 4.9.1 4.9.2\nbm-node 4.9.1 4.9.2\ntzdata 1 2\n-- now\ninstalled bm-core 4.9.2\n"
    assert requirements.read_versions(told(text)) == {
        "before": "4.9.1",
        "after": "4.9.2",
        "packages of BlueMind": 2,
        "others": 1,
    }
