"""Major update: from BlueMind 4 to 5. Its steps are those of an update, and what its page adds to them.

Source: the page "Major Version Update" of BlueMind's documentation, 5.0 to 5.6, as far as it is public: the
prerequisites and the eligibility test. Of what follows there, the order is that of the page "Updating BlueMind".
"""

from bmnb.procedures.deviations import MAJOR_UPDATE
from bmnb.procedures.major_update.afterwards import after_5, hot_upgrades_to_their_end
from bmnb.procedures.major_update.eligibility import test_again, test_eligibility
from bmnb.procedures.major_update.left import left_to_do
from bmnb.procedures.major_update.preparing import new_subscription, prepare, save_configuration, tika_memory
from bmnb.procedures.major_update.prerequisites import latest_release, not_carried_over, requirements_of_5
from bmnb.procedures.major_update.settings import Settings
from bmnb.procedures.major_update.update import (
    begin_maintenance,
    postgresql,
    setup_wizard,
    upgrade,
    virtual_hosts,
)
from bmnb.procedures.updating_bluemind.afterwards import (
    before_and_after,
    compare_configuration,
    freeze,
    verify_service,
)
from bmnb.procedures.updating_bluemind.prerequisites import (
    backup,
    prerequisites,
    repository_signature,
    wizard_access,
)
from bmnb.procedures.updating_bluemind.production import download, read_cautions, refresh
from bmnb.steps import Procedure

PROCEDURE = Procedure(
    "Major update",
    Settings,
    (
        prerequisites,
        requirements_of_5,
        backup,
        wizard_access,
        repository_signature,
        not_carried_over,
        latest_release,
        test_eligibility,
        save_configuration,
        tika_memory,
        new_subscription,
        prepare,
        refresh,
        read_cautions,
        download,
        test_again,
        begin_maintenance,
        upgrade,
        postgresql,
        setup_wizard,
        virtual_hosts,
        compare_configuration,
        verify_service,
        hot_upgrades_to_their_end,
        after_5,
        freeze,
        before_and_after,
    ),
    MAJOR_UPDATE,
    left_to_do,
)
