"""Updating BlueMind: the packages on every server of a platform, then the setup wizard, once.

Source: the page "Updating BlueMind" of BlueMind's documentation; its headings are the phases.
"""

from bmnb.procedures.deviations import UPDATING_BLUEMIND
from bmnb.procedures.updating_bluemind.afterwards import (
    before_and_after,
    compare_configuration,
    follow_hot_upgrades,
    freeze,
    put_back_virtual_folders,
    verify_service,
)
from bmnb.procedures.updating_bluemind.left import left_to_do
from bmnb.procedures.updating_bluemind.preparing import prepare, save_configuration
from bmnb.procedures.updating_bluemind.prerequisites import (
    backup,
    points_of_caution,
    prerequisites,
    repository_signature,
    wizard_access,
)
from bmnb.procedures.updating_bluemind.production import download, read_cautions, refresh
from bmnb.procedures.updating_bluemind.settings import Settings
from bmnb.procedures.updating_bluemind.update import begin_maintenance, setup_wizard, upgrade, virtual_hosts
from bmnb.steps import Procedure

PROCEDURE = Procedure(
    "Updating BlueMind",
    Settings,
    (
        prerequisites,
        backup,
        wizard_access,
        repository_signature,
        points_of_caution,
        save_configuration,
        prepare,
        refresh,
        read_cautions,
        download,
        begin_maintenance,
        upgrade,
        setup_wizard,
        virtual_hosts,
        compare_configuration,
        verify_service,
        put_back_virtual_folders,
        follow_hot_upgrades,
        freeze,
        before_and_after,
    ),
    UPDATING_BLUEMIND,
    left_to_do,
)
