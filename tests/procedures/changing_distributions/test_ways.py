"""The three ways of switching servers: what each asks, does, waits for and takes back."""

import shutil
import subprocess
from pathlib import Path

import pytest

from bmnb import plan
from bmnb.bluemind import own_address
from bmnb.errors import InputError
from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.procedures.changing_distributions.settings import BY_HAND, NEW_ADDRESS, TAKE_OVER
from bmnb.procedures.changing_distributions.ways import contacted_elsewhere
from bmnb.settings import make
from bmnb.steps import Check, Command, Manual, Result, Single, singles

OLD, NEW = "192.0.2.10", "203.0.113.7"
WAYS = {TAKE_OVER: {}, BY_HAND: {}, NEW_ADDRESS: {"new_address": NEW}}


def settings(way: str, **more) -> Settings:
    return make(Settings, {"switch": way, **WAYS[way], **more})


def actions(way: str, *steps: str, **more) -> list[Single]:
    chosen = [one for one in PROCEDURE.steps if not steps or one.name in steps]
    return [action for one in chosen for action in singles(one.actions(settings(way, **more)))]


def undoing(way: str, **more) -> list[Single]:
    made = settings(way, **more)
    return [action for one in reversed(PROCEDURE.steps) if one.undo for action in singles(one.undo(made))]


def titles(found: list[Single]) -> list[str]:
    return [one.title for one in found]


def keys(found: list[Single]) -> list[str]:
    return [one.key for one in found if isinstance(one, Manual)]


def lines(found: list[Single]) -> str:
    return "\n".join(one.line for one in found if isinstance(one, Command))


def test_to_take_over_is_what_a_client_file_without_a_word_on_it_gets():
    assert make(Settings, {}).switch == TAKE_OVER
    assert f"{OLD} is on the target's own network" in titles(actions(TAKE_OVER, "prerequisites"))


@pytest.mark.parametrize("way", [BY_HAND, NEW_ADDRESS])
def test_servers_in_different_networks_are_no_inhibitor_of_the_other_ways(way: str):
    asked = titles(actions(way, "prerequisites"))
    assert not [one for one in asked if "network" in one or "arping" in one]


@pytest.mark.parametrize("way", [BY_HAND, NEW_ADDRESS])
@pytest.mark.parametrize("kept", [True, False])
def test_no_network_configuration_is_edited_by_the_other_ways(way: str, kept: bool):
    found = lines(actions(way, keep_reachable=kept) + undoing(way, keep_reachable=kept))
    for word in ("/etc/network", "netplan", "ip addr ", "ip route ", "arping"):
        assert word not in found, word


@pytest.mark.parametrize(
    ("way", "asked"),
    [
        (TAKE_OVER, ["switch-servers"]),
        (BY_HAND, ["switch-servers", "address-moved"]),
        (NEW_ADDRESS, ["switch-servers", "names-changed"]),
    ],
)
def test_a_person_is_asked_for_what_only_a_person_can_do(way: str, asked: list[str]):
    switching = [one for one in PROCEDURE.steps if one.phase.title == "Switching servers"]
    assert keys(actions(way, *(one.name for one in switching))) == asked


@pytest.mark.parametrize(
    ("way", "kept", "asked"),
    [
        (TAKE_OVER, True, ["give-up-target"]),
        (TAKE_OVER, False, ["give-up-target", "origin-is-back"]),
        (BY_HAND, True, ["give-up-target", "origin-is-back"]),
        (BY_HAND, False, ["give-up-target", "origin-is-back"]),
        (NEW_ADDRESS, True, ["give-up-target", "names-back"]),
        (NEW_ADDRESS, False, ["give-up-target", "origin-is-back", "names-back"]),
    ],
)
def test_the_way_back_says_its_price_first_and_ends_with_the_names(way: str, kept: bool, asked: list[str]):
    assert keys(undoing(way, keep_reachable=kept)) == asked


@pytest.mark.parametrize(
    ("way", "cost"),
    [
        (BY_HAND, "the address must be moved back by hand"),
        (NEW_ADDRESS, "the time until the names lead back"),
    ],
)
def test_what_the_way_back_will_cost_is_said_before_the_switch(way: str, cost: str):
    [first] = [one for one in actions(way, "stop-origin") if isinstance(one, Manual)]
    assert cost in first.title
    assert "the mail that the target will have accepted" in first.title


@pytest.mark.parametrize("way", [BY_HAND, NEW_ADDRESS])
def test_the_origin_stays_on_without_serving_or_is_switched_off(way: str):
    stays, goes = (actions(way, "stop-origin", keep_reachable=kept) for kept in (True, False))
    for found in (stays, goes):
        assert "nothing on the origin serves" in titles(found)
    assert "poweroff" not in lines(stays)
    off = next(one for one in goes if isinstance(one, Command) and "poweroff" in one.line)
    assert off.farewell
    last = goes[goes.index(off) + 1]
    assert isinstance(last, Check)
    assert last.host == "targetsrv.domain.tld", "the origin can't tell any more"


def test_who_answers_at_a_moved_address_is_asked_at_that_address():
    found = actions(BY_HAND, "take-over-address")
    proof = next(one for one in found if isinstance(one, Check) and one.at)
    assert (proof.at, proof.host) == (OLD, "targetsrv.domain.tld")
    later = next(one for one in found if isinstance(one, Command))
    assert later.moves_to == OLD
    assert found.index(later) > found.index(proof), "it is contacted there once that is proven"


def test_a_new_address_is_in_every_place_of_bluemind_before_it_starts():
    order = [one.name for one in PROCEDURE.steps]
    assert order.index("import-databases") < order.index("change-address") < order.index("restart-target")
    done = lines(actions(NEW_ADDRESS, "change-address"))
    for word in (
        "bm.ini",
        "hz-member-address",
        "core_sync_host",
        "t_server",
        "t_systemconf",
        "rc_users",
        "dp_spool",
    ):
        assert word in done, word
    assert "systemctl restart bm-node" in lines(actions(NEW_ADDRESS, "restart-target"))
    assert actions(TAKE_OVER, "change-address") == actions(BY_HAND, "change-address") == []


def test_a_folder_of_backups_is_renamed_back_only_where_it_was_renamed(tmp_path: Path, monkeypatch):
    """The target may have had one under its own address all along."""
    monkeypatch.setattr(own_address, "BACKUPS", str(tmp_path / "backups"))
    monkeypatch.setattr(Settings, "work", str(tmp_path))

    def do(found: list[Single]) -> None:
        [one] = [one for one in found if one.title == "the folder of DataProtect"]
        if subprocess.run(["bash", "-c", one.when.line], check=False).returncode == 0:
            subprocess.run(["bash", "-c", one.line], check=True)

    for before in ([NEW], [OLD], [OLD, NEW]):
        for name in before:
            (tmp_path / "backups" / name).mkdir(parents=True)
        do(actions(NEW_ADDRESS, "change-address"))
        assert (tmp_path / "backups" / NEW).exists()
        do(undoing(NEW_ADDRESS))
        assert sorted(one.name for one in (tmp_path / "backups").iterdir()) == sorted(before)
        shutil.rmtree(tmp_path / "backups")


@pytest.mark.parametrize(("kept", "asked"), [(True, 2), (False, 1)])
def test_names_are_watched_on_every_server_that_is_still_there(kept: bool, asked: int):
    [watched] = [
        one
        for one in actions(NEW_ADDRESS, "leave-old-address", keep_reachable=kept)
        if one.title == "the names lead to the target"
    ]
    assert isinstance(watched, Check)
    assert len(watched.observations) == asked


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"switch": "by-han"}, "switch: 'by-han' is not one of take-over, by-hand, new-address"),
        ({"switch": NEW_ADDRESS}, "new_address: with switch: new-address"),
        ({"switch": NEW_ADDRESS, "new_address": "mail.example.org"}, "new_address: Expected 4 octets"),
        ({"switch": NEW_ADDRESS, "new_address": OLD}, "new_address: it is the original server's"),
        ({"new_address": NEW}, "new_address: only with switch: new-address"),
        (
            {"switch": NEW_ADDRESS, "new_address": NEW, "my_networks": f"10.0.0.0/8, {OLD}/32"},
            f"my_networks: {OLD} is the old address",
        ),
    ],
)
def test_a_way_that_does_not_fit_is_refused(given: dict[str, str], problem: str):
    with pytest.raises(InputError) as refused:
        make(Settings, given)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("told", "holds", "made"),
    [
        ("198.18.0.1 50000 198.18.0.30 22\n", True, True),
        (f"198.18.0.1 50000 {OLD} 22\n", False, True),
        ("", False, False),
    ],
)
def test_an_origin_that_is_contacted_by_the_address_that_moves_would_be_out_of_reach(told, holds, made):
    verdict = contacted_elsewhere(OLD, Result("origin", "", 0, told))
    assert (verdict.holds, verdict.made) == (holds, made)


def test_the_plan_tells_at_which_address_it_is_asked():
    shown = [
        row for row in plan.rows(PROCEDURE, settings(BY_HAND)) if row["what"].startswith(f"{OLD} answers")
    ]
    assert [row["server"] for row in shown] == [f"targetsrv.domain.tld at {OLD}"]
