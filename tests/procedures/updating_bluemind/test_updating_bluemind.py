"""Settings of an update, and what they change in its plan."""

from dataclasses import replace

import pytest

from bmnb import plan
from bmnb.bluemind import support
from bmnb.errors import InputError
from bmnb.procedures.updating_bluemind import PROCEDURE, Settings
from bmnb.settings import make
from bmnb.steps import Check, Command, Manual, Single, Together, singles


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"package_tool": "zypper"}, "is not one of aptitude"),
        ({"version": "4.9; reboot"}, "neither latest nor a version"),
        ({"servers": ["core.domain.tld"]}, "a server is named twice"),
        ({"servers": ["a b"]}, "is not a server's name"),
        ({"recover_wizard": "admin"}, "recover_wizard"),
        ({"setup_wizard": "magic"}, "setup_wizard"),
        ({"prepare_by": "magic"}, "prepare_by"),
        ({"package_tool": "yum", "import_key": True}, "not signed"),
        ({"key_address": "http://h/$(reboot)"}, "is not an address"),
        ({"test_mailbox": "someone; reboot"}, "is not an address of mail"),
        ({"address": "mail.example.org"}, "address"),
        ({"through": "nowhere"}, "through"),
    ],
)
def test_wrong_settings_are_refused_by_name(values: dict[str, object], says: str):
    with pytest.raises(InputError, match=says):
        make(Settings, values)


def kinds(settings: Settings, step: str) -> list[str]:
    found = next(one for one in PROCEDURE.steps if one.name == step)
    return [type(action).__name__ for action in singles(found.actions(settings))]


def test_only_the_window_is_downtime():
    assert {row["phase"] for row in plan.rows(PROCEDURE, Settings()) if row["downtime"]} == {
        "Update procedure"
    }


def test_packages_of_all_servers_go_side_by_side():
    for name in ("refresh", "download", "upgrade"):
        step = next(one for one in PROCEDURE.steps if one.name == name)
        together = [action for action in step.actions(Settings()) if isinstance(action, Together)]
        assert {len(one.actions) for one in together} == {3}


def test_no_package_is_touched_before_backup_and_confirmation():
    lines = [action for step in PROCEDURE.steps for action in singles(step.actions(Settings()))]
    first = next(
        n for n, one in enumerate(lines) if isinstance(one, Command) and one.line.endswith("confold upgrade")
    )
    asked = [one.key for one in lines[:first] if isinstance(one, Manual)]
    assert asked == ["backup", "points-of-caution", "start-update"]


def test_the_point_of_no_return_is_said_before_it():
    asked = next(
        one
        for step in PROCEDURE.steps
        for one in singles(step.actions(Settings()))
        if isinstance(one, Manual) and one.key == "start-update"
    )
    assert asked.expect == Settings().core
    assert "from then on the way back is the backup" in asked.title


def test_the_wizard_may_be_started_in_three_ways():
    assert kinds(Settings(setup_wizard="bm-cli"), "setup-wizard")[1:3] == ["Command", "Check"]
    assert kinds(Settings(setup_wizard="api"), "setup-wizard")[1:3] == ["Call", "Call"]
    assert kinds(Settings(setup_wizard="web"), "setup-wizard")[1] == "Manual"


def test_an_update_may_be_prepared_by_bm_cli():
    def lines(settings: Settings) -> list[str]:
        found = next(one for one in PROCEDURE.steps if one.name == "prepare")
        return [str(action.line) for action in singles(found.actions(settings))]

    assert "bm-cli setup version 4.9.12" in lines(Settings(prepare_by="bm-cli", version="4.9.12"))
    assert any(line.endswith("_version?version=latest") for line in lines(Settings()))


def undoing(settings: Settings) -> list[Single]:
    return [action for step in PROCEDURE.steps if step.undo for action in singles(step.undo(settings))]


def test_the_way_back_is_the_kept_packages_or_the_backup():
    """Which one it is, the databases tell when it is asked for."""
    actions = undoing(Settings())
    backup = next(one for one in actions if isinstance(one, Manual))
    put_back = [one for one in actions if one.title == "put the former packages back"]
    assert [one.host for one in put_back] == list(Settings().everyone)
    assert {one.when.host for one in (backup, *put_back) if one.when} == {Settings().core}
    assert all(one.when and one.when != backup.when for one in put_back)


def test_without_kept_packages_the_way_back_is_the_backup_alone():
    actions = undoing(Settings(keep_packages=False))
    assert next(one for one in actions if isinstance(one, Manual)).when is None
    assert not [one for one in actions if one.title == "put the former packages back"]
    assert not [
        row
        for row in plan.rows(PROCEDURE, Settings(keep_packages=False))
        if "keep the" in row["what"] and "packages" in row["what"]
    ]


def test_a_version_that_was_prepared_in_the_console_is_not_prepared_again():
    assert "Call" in kinds(Settings(), "prepare")
    assert "Call" not in kinds(Settings(version=""), "prepare")


def test_without_a_download_ahead_packages_are_fetched_in_the_window():
    titles = [row["what"] for row in plan.rows(PROCEDURE, replace(Settings(), download_ahead=False))]
    assert "download the packages" not in titles
    assert titles.count("update the packages") == 3


def test_every_check_that_can_stop_the_run_tells_what_to_do():
    told = [
        (step.name, action.title)
        for step in PROCEDURE.steps
        for action in singles(step.actions(Settings()))
        if isinstance(action, Check) and not action.remedy and action.judge is not support.told
    ]
    only_shown = {
        "points-of-caution",
        "backup",
        "setup-wizard",
        "compare-configuration",
        "verify-service",
        "refresh",
    }
    assert {step for step, _ in told} <= only_shown


def test_points_of_caution_are_read_once_the_version_is_known_and_before_anything_of_it_is_fetched():
    names = [step.name for step in PROCEDURE.steps]
    assert names.index("refresh") < names.index("read-cautions") < names.index("download")
    (asked,) = singles(
        next(one for one in PROCEDURE.steps if one.name == "read-cautions").actions(Settings())
    )
    assert isinstance(asked, Manual)
    assert asked.when


def test_virtual_folders_are_noted_before_anybody_moves_them_and_put_back_after_the_update():
    by_name = {step.name: singles(step.actions(Settings())) for step in PROCEDURE.steps}
    assert [type(one) for one in by_name["points-of-caution"]] == [Command, Check, Command]
    (asked,) = by_name["put-back-virtual-folders"]
    assert isinstance(asked, Manual)
    assert asked.tell
    names = list(by_name)
    assert names.index("setup-wizard") < names.index("put-back-virtual-folders")


def test_postfix_is_compared_with_the_configuration_before_and_after_by_the_same_answer():
    found = [
        (step.name, action.decision, action.line)
        for step in PROCEDURE.steps
        for action in singles(step.actions(Settings()))
        if isinstance(action, Check) and action.decision == "edited-postfix"
    ]
    assert [name for name, _, _ in found] == ["prerequisites", "compare-configuration"]
    assert len({one[1:] for one in found}) == 1


def test_what_was_downloaded_is_tried_together_where_the_tool_can():
    assert "the packages go together" in [
        row["what"] for row in plan.rows(PROCEDURE, Settings(package_tool="dnf"))
    ]
    ahead = replace(Settings(package_tool="dnf"), download_ahead=False)
    assert "the packages go together" not in [row["what"] for row in plan.rows(PROCEDURE, ahead)]


def test_address_and_test_mailbox_are_tried_before_the_downtime_and_not_waited_for():
    (first,) = [step for step in PROCEDURE.steps if step.name == "prerequisites"]
    found = {one.title: one for one in singles(first.actions(Settings(test_mailbox="a@example.org")))}
    assert found["the platform answers at its address"].patience == 0
    assert "set address" in found["the platform answers at its address"].remedy
    assert "set test_mailbox" in found["the test mailbox is known"].remedy
