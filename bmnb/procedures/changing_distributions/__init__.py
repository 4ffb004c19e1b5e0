"""Changing distributions: BlueMind moves from an origin server to a target server.

Source: the page "Changing distributions" of BlueMind's documentation; its headings are the phases.
"""

from bmnb.procedures.changing_distributions.cold import (
    cold_synchronization,
    copy_configuration,
    dump_databases,
    import_databases,
    stop_services,
)
from bmnb.procedures.changing_distributions.hot import hot_synchronization, stop_target
from bmnb.procedures.changing_distributions.launching import test_launch
from bmnb.procedures.changing_distributions.left import left_to_do
from bmnb.procedures.changing_distributions.post_migration import (
    clean_up,
    first_hour_of_service,
    leave_old_address,
    mail_maintenance,
    my_networks,
    save_firewall,
    verify_service,
)
from bmnb.procedures.changing_distributions.preparation import key_authentication, prerequisites
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.procedures.changing_distributions.switching import (
    change_address,
    restart_target,
    stop_origin,
    take_over_address,
)
from bmnb.procedures.changing_distributions.verifying import compare_ahead, verify_copy
from bmnb.procedures.changing_distributions.verifying_late import verify_whole
from bmnb.procedures.deviations import CHANGING_DISTRIBUTIONS
from bmnb.steps import Procedure

PROCEDURE = Procedure(
    "Changing distributions",
    Settings,
    (
        prerequisites,
        key_authentication,
        stop_target,
        hot_synchronization,
        compare_ahead,
        test_launch,
        stop_services,
        cold_synchronization,
        dump_databases,
        copy_configuration,
        import_databases,
        verify_copy,
        stop_origin,
        take_over_address,
        change_address,
        restart_target,
        save_firewall,
        mail_maintenance,
        my_networks,
        verify_service,
        leave_old_address,
        verify_whole,
        first_hour_of_service,
        clean_up,
    ),
    CHANGING_DISTRIBUTIONS,
    left_to_do,
    (hot_synchronization, cold_synchronization),
)
