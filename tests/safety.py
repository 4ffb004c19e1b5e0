"""Which tests show each sentence of docs/safety.md: its first words, then the tests.

An empty list is of a sentence that promises nothing of ours: what others' programs do, or where more is said.
"""

from __future__ import annotations

GUARDS, FAULTS, AHEAD = "transfer/test_guards", "lab/test_faults", "verification/test_ahead"
SWAPPED, COMPARISON, ITEMS = (
    "procedures/changing_distributions/test_swapped",
    "verification/test_comparison",
    "verification/test_items",
)
ROWS, ANY, ACCESS, JUDGES = (
    "lab/test_carry_database",
    "lab/test_any_data",
    "transfer/test_access",
    "procedures/test_judges",
)
LOCKS, FROZEN, RESUME, REOPENED, BACK = (
    "remote/test_locks",
    "test_frozen",
    "test_resume",
    "test_reopened",
    "test_rollback",
)
LATE, LATE_LAB = "procedures/changing_distributions/test_verifying_late", "lab/test_late_proof"
KEY, HERE, LEFT = "lab/test_run_key", "test_safety_page", "transfer/test_left_behind"

SENTENCES: dict[str, list[str]] = {
    # Before anything is deleted
    "Each pass first looks": [
        f"{GUARDS} both_servers_must_be_those_of_the_beginning",
        f"{GUARDS} another_folder_in_the_place_of_a_tree_is_found",
        f"{FAULTS} a_guard_stops_a_pass_before_it_deletes_anything",
    ],
    "What is rightly so is named": [
        f"{GUARDS} a_tree_that_lost_much_is_not_followed",
        "transfer/test_files an_empty_or_unmounted_tree_is_not_followed",
    ],
    "In the cold phase nothing may write": [f"{FAULTS} cold_synchronization"],
    "Mail in Postfix's queue is carried": [
        f"{GUARDS} mail_in_the_queue_is_missed_by_its_name",
        f"{FAULTS} what_differs_is_found_and_stops_the_run",
    ],
    "A hot pass that breaks off": [
        f"{RESUME} a_copy_that_broke_off_is_started_again_and_each_start_is_on_record",
        f"{RESUME} it_is_started_again_a_few_times_only",
        f"{RESUME} what_may_not_be_started_again_fails_at_once",
    ],
    "A line that is cut for a minute": [
        f"{FAULTS} hot_synchronization_on_a_bad_line",
        "test_progress the_last_output_and_its_age_are_shown",
    ],
    "After two minutes": [f"{HERE} a_connection_between_the_servers_is_given_up_after_two_minutes"],
    # What is on either server
    "Before anything is touched the prerequisites show": [
        f"{SWAPPED} both_are_shown_side_by_side",
        "lab/test_swapped what_is_on_either_server_is_told",
        "lab/test_swapped the_last_login_is_read_where_cyrus_logs_it",
    ],
    "The origin must be the one in use": [f"{SWAPPED} it_holds_where_the_target_has_nearly_nothing"],
    "The confirmation `erase-target`": [
        f"{SWAPPED} a_confirmation_tells_what_is_erased",
        "test_observe who_is_asked_to_confirm_is_told_what_goes_and_that_is_on_record",
    ],
    "Where that cannot be told, nothing is confirmed": [
        "test_observe what_goes_must_be_known_before_it_is_confirmed"
    ],
    # Verify that nothing is missing
    "Every file is compared by type": [
        f"{COMPARISON} what_differs_is_found_by_name",
        "transfer/programs/test_facts the_proof_reads_content_and_names",
    ],
    "`compare_content` is the percentage": [
        f"{COMPARISON} content_is_compared_of_what_changed_and_of_a_sample",
        f"{ITEMS} how_much_was_compared_by_content_is_said",
    ],
    "Mail is counted per mailbox": [f"{COMPARISON} mail_is_counted_by_mailbox"],
    "Databases are compared by their definitions": [
        f"{ITEMS} a_changed_row_a_missing_sequence_and_another_definition_are_named",
        f"{ANY} the_comparison_names_what_has_changed_and_the_next_pass_brings_it",
    ],
    "Reading every file would take": [
        f"{HERE} contents_are_compared_at_the_lowest_priority_on_the_origin",
        f"{AHEAD} what_has_just_changed_on_either_side_is_not_known",
    ],
    "What is the same in everything": [
        f"{AHEAD} what_changes_after_it_was_the_same_is_found_on_either_side",
        f"{AHEAD} where_numbers_have_other_names_nothing_is_known",
        f"{AHEAD} where_more_is_to_be_read_nothing_is_known",
    ],
    "A change of the content, the mode": [
        f"{AHEAD} what_changes_after_it_was_the_same_is_found_on_either_side"
    ],
    "In the downtime both servers look at every entry again": [
        f"{AHEAD} what_was_the_same_is_neither_told_nor_read_again",
        f"{AHEAD} a_folder_is_not_known_as_a_whole_with_more_on_the_target",
    ],
    "Of the rest everything is told": [
        f"{AHEAD} only_what_has_changed_is_told",
        f"{AHEAD} files_that_are_one_on_one_side_alone_differ_though_each_is_known",
    ],
    "Another content at the same size and time": [
        f"{AHEAD} ahead_another_content_is_found_at_the_same_size_and_time",
        f"{FAULTS} contents_are_compared_ahead",
    ],
    "The step may be repeated on any day": [
        f"{FAULTS} contents_are_compared_ahead",
        f"{AHEAD} a_list_ahead_that_was_cut_may_be_asked_for_again",
    ],
    "With the fast engine the same step reads the rows": [
        f"{ROWS} a_look_counts_what_is_there_and_the_next_reads_what_has_changed"
    ],
    "Since PostgreSQL writes at the head of a page": [
        f"{ROWS} a_look_misses_no_change",
        f"{ROWS} a_page_that_is_not_as_it_was_left_has_every_row_read_again",
    ],
    "What would make an old sum wrong": [
        f"{ROWS} a_look_misses_no_change",
        "transfer/programs/test_pages a_table_whose_file_has_gone_has_no_page_and_one_that_is_not_logged_all",
        f"{ANY} a_definition_that_changes_between_the_passes_is_seen",
    ],
    "These sums are the verification's own": [
        f"{ROWS} a_look_counts_what_is_there_and_the_next_reads_what_has_changed"
    ],
    "With `engine: literal`, or where": [f"{FAULTS} what_differs_is_found_and_stops_the_run"],
    "The definitions of a database are compared all together": [
        f"{ANY} whatever_a_database_holds_two_passes_bring_it",
        f"{ANY} work_on_rows_is_no_change_of_a_definition",
        "transfer/surroundings/test_needs what_only_a_newer_postgresql_tells_is_no_difference",
    ],
    "Rows are compared by the names of their columns": [
        f"{ANY} whatever_a_database_holds_two_passes_bring_it"
    ],
    "Where the fast engine cannot bring a database": [
        f"{ANY} what_no_pass_can_bring_is_dumped_and_restored_in_the_same_step"
    ],
    "What differs stops the run": [f"{FAULTS} what_differs_is_found_and_stops_the_run"],
    "The same cell again copies those files once more": [f"{FAULTS} then_nothing_differs"],
    "To go on with a difference": [
        "test_observe who_accepts_a_difference_says_why_and_it_is_on_record",
        "test_observe a_sum_without_a_name_and_a_reason_accepts_nothing",
        "test_observe another_sum_accepts_nothing",
        "report/test_report what_was_accepted_stands_there_with_who_and_why",
    ],
    "Where the origin keeps a journal of changes": [
        "lab/test_carry_files with_a_journal_it_looks_where_users_have_changed_something"
    ],
    "That is a hint": ["lab/test_switch_by_hand what_a_journal_does_not_name_is_copied_before_the_switch"],
    "Where the trees differ after such a pass": [
        "lab/test_switch_by_hand what_a_journal_does_not_name_is_copied_before_the_switch"
    ],
    # After the switch instead
    "Looking at every name of both servers": [],
    "With `verify: after` the trees": [
        f"{LATE} as_it_is_the_whole_copy_is_proven_before_the_switch",
        f"{LATE} rows_definitions_and_configuration_are_proven_before_the_switch_in_either_way",
    ],
    "Before the switch the fast engine lists": [
        f"{LATE} with_verify_after_it_is_proven_before_the_switch_only_where_nothing_has_compared_what_was_sent",
        f"{LATE} before_the_switch_nothing_looks_at_every_name",
    ],
    "Until the proof is done": [
        "report/test_proof until_the_late_proof_is_done_the_run_is_switched_and_not_proven",
        f"{LATE} what_was_written_since_is_named_and_where_nobody_knows_since_when_that_is_told",
        f"{LATE_LAB} what_was_planted_is_brought_and_what_users_have_changed_stays",
    ],
    "The step *Prove that the whole copy is the same*": [
        f"{LATE_LAB} what_was_planted_is_brought_and_what_users_have_changed_stays"
    ],
    "Whether somebody has touched an entry of the target": [
        "verification/test_late what_is_brought_into_a_folder_of_users_brings_nothing_back_that_they_have_deleted",
        f"{LATE} what_the_target_s_own_start_changes_counts_as_changed_since",
    ],
    "Mailboxes are looked at over IMAP after that": [
        f"{LATE} every_mailbox_is_looked_at_once_what_was_missing_is_brought"
    ],
    "The remedy names the way back": [],
    "It needs the fast engine and `keep_reachable`": [f"{LATE} it_is_refused_where_it_could_not_be_made"],
    "The forecast offers it": [
        "test_forecast where_the_look_takes_more_than_a_minute_the_proof_after_the_switch_is_offered_with_both_figures"
    ],
    "After the switch `test_account` is sent a message": [
        f"{FAULTS} then_a_client_s_mail_comes_in_and_nothing_differs",
        "verification/test_account each_folder_is_a_row",
    ],
    "It takes no password": [f"{FAULTS} then_a_client_s_mail_comes_in_and_nothing_differs"],
    "BlueMind's core lets its own token": [],
    "The message is deleted when it was seen": [
        f"{FAULTS} then_a_client_s_mail_comes_in_and_nothing_differs"
    ],
    "Where Cyrus keeps the mail": ["lab/test_cyrus a_client_of_others_fetches_the_same_from_the_target"],
    "At the stop, while nothing writes": [
        "verification/test_every_mailbox an_index_tells_the_messages_that_are_not_expunged_with_their_flags"
    ],
    "UIDVALIDITY, UIDs, sizes, flags": [
        "verification/test_every_mailbox an_index_tells_the_messages_that_are_not_expunged_with_their_flags"
    ],
    "After the switch each mailbox is opened": [
        "verification/test_every_mailbox every_mailbox_was_as_it_was"
    ],
    "Each folder is compared with the record": [
        "lab/test_cyrus what_is_missing_is_named_mailbox_by_mailbox_and_folder_by_folder",
        "lab/test_cyrus a_message_whose_file_is_gone_is_named",
    ],
    "Users work meanwhile": ["lab/test_cyrus users_who_work_meanwhile_make_no_difference_and_the_run_ends"],
    "After an hour the rest": ["lab/test_cyrus a_look_goes_on_where_it_ended"],
    "The database of another version of Cyrus": [
        "lab/test_cyrus the_databases_are_upgraded_and_every_folder_is_listed",
        "verification/test_every_mailbox the_targets_cyrus_is_not_the_older_one",
        "verification/test_every_mailbox a_list_that_cannot_be_read_is_named_and_can_be_accepted",
        "lab/test_cyrus a_list_that_cannot_be_read_is_accepted_by_name",
    ],
    # What no copy brings
    "Access lists, attributes, capabilities and holes": [
        "lab/test_carry_files attributes_access_lists_capabilities_and_holes_come_with_a_file"
    ],
    "Flags (`chattr +i`, `+a`) and the projects": [
        f"{LEFT} flags_of_files_folders_and_configuration_are_named",
        f"{LEFT} a_project_of_a_quota_is_named_by_tree",
        f"{LEFT} a_file_with_names_in_several_trees_is_named_where_rsync_makes_two_of_it",
    ],
    "They are named among the prerequisites": [
        f"{LEFT} a_file_with_names_in_several_trees_is_named_where_rsync_makes_two_of_it",
        f"{AHEAD} files_that_are_one_on_one_side_alone_differ_though_each_is_known",
    ],
    "A file whose number has no name on the origin": [
        "transfer/test_owning a_number_without_a_name_may_be_nobody_else_s_on_the_target"
    ],
    # A check has three ends
    "It holds, it does not hold": [f"{JUDGES} a_check_whose_line_failed_could_not_be_made"],
    "Each check knows the exit statuses": [
        f"{JUDGES} one_line_that_failed_is_enough",
        f"{JUDGES} what_cannot_be_read_could_not_be_made",
    ],
    "It refutes no earlier proof": [f"{REOPENED} a_check_that_could_not_be_made_refutes_nothing"],
    "No remedy drops, renames or deletes": [
        f"{JUDGES} no_remedy_takes_anything_away_on_an_origin",
        "lab/test_surroundings what_the_target_has_then_comes_with_roles_rights_and_settings",
    ],
    "Every judge of ": [f"{JUDGES} any_output_is_judged"],
    # A proof is made anew before it is relied on
    "A run may wait between two steps": [],
    "What it has proven before counts no longer": [
        f"{REOPENED} a_proof_that_no_longer_holds_stops_before_what_relies_on_it"
    ],
    "Each step of the downtime that copies or compares": [
        f"{HERE} each_step_that_relies_on_a_proof_looks_first_and_says_where_it_goes_back_to"
    ],
    "Before the origin loses its address that is looked at": [
        "transfer/test_at_rest a_file_and_a_row_that_were_written_since_are_named",
        "transfer/test_at_rest after_a_clock_that_was_put_back_no_time_tells",
        "lab/test_changing_distributions the_origin_was_started_meanwhile_which_is_noticed",
        f"{HERE} each_step_that_relies_on_a_proof_looks_first_and_says_where_it_goes_back_to",
    ],
    "It costs one look at the metadata": [],
    "Where that does not hold, nothing is switched": [
        "lab/test_changing_distributions the_origin_was_started_meanwhile_which_is_noticed"
    ],
    "For mail that was queued since": [
        f"{HERE} each_step_that_relies_on_a_proof_looks_first_and_says_where_it_goes_back_to"
    ],
    # A run's servers are those of its journal
    "From the first step that is done": [
        f"{FROZEN} a_change_of_what_steps_have_proven_is_refused",
        f"{FROZEN} a_cell_that_begins_with_other_values_is_refused_at_once",
    ],
    "Only ways out that a message names": [f"{FROZEN} the_way_out_that_a_remedy_names_stays_open"],
    "Which machine a name leads to": [
        "remote/test_servers a_name_must_lead_to_the_same_machine_again",
        f"{GUARDS} both_servers_must_be_those_of_the_beginning",
    ],
    "A rollback goes by the journal alone": [f"{FROZEN} the_way_back_goes_by_what_was_proven"],
    "The run's folder on a server": [f"{LOCKS} a_run_finds_its_folder_again"],
    "Another run that needs the name": [
        f"{LOCKS} a_new_run_sets_aside_the_folder_that_another_run_has_left",
        f"{LOCKS} a_run_touches_no_folder_that_is_another_run_s_by_now",
    ],
    "Clients whose names are written alike": [
        f"{FROZEN} two_clients_whose_names_are_written_alike_have_a_folder_each"
    ],
    "Two copies of a run's folder": [f"{RESUME} what_another_copy_of_the_run_has_started_is_no_result"],
    "A copy that does not have that line is stale": [
        f"{LOCKS} a_stale_copy_of_a_run_is_told_so_and_does_nothing"
    ],
    "A server that was put back to how it was before": [
        f"{LOCKS} a_server_that_was_put_back_to_how_it_was_before_is_not_gone_on_with",
        "lab/test_planted a_target_that_was_put_back_is_not_gone_on_with_and_the_way_back_is_open",
    ],
    # The way back
    "`runbook.way_back()` says": [
        f"{BACK} a_dry_run_of_the_way_back_tells_what_it_does_and_costs_and_begins_nothing",
        f"{BACK} killed_at_any_line_it_comes_to_the_same_end",
        f"{FAULTS} the_way_back_from_the_cold_synchronization_killed_in_its_middle",
    ],
    "The target stops and gives the address up": [
        f"{HERE} the_origin_serves_again_before_the_target_gets_its_own_data_back",
        f"{FAULTS} the_way_back_from_the_middle_of_the_switch",
    ],
    "The way back leaves a report": [
        f"{BACK} the_command_leaves_a_report_of_the_way_back_and_all_of_it_sealed"
    ],
    "After the switch the mail that the target has accepted": [
        f"{BACK} the_price_must_be_accepted_first",
        f"{FAULTS} the_way_back_from_the_end_says_its_price_first",
    ],
    "The mail is kept on the target": [f"{FAULTS} the_way_back_from_the_end_says_its_price_first"],
    "What came into shared mailboxes": [
        f"{FAULTS} the_way_back_from_the_end_says_its_price_first",
        "transfer/test_accepted each_message_is_brought_back_or_named",
    ],
    "Mail that waited in the queue at the switch": [],
    "After the switch the origin stays in the target's reach": [
        f"{FAULTS} the_way_back_from_the_middle_of_the_switch"
    ],
    # What stays on the servers
    "When a run has ended, or was rolled back": [
        f"{LOCKS} the_end_of_a_run_takes_away_what_its_commands_have_left_and_no_other_s",
        f"{LOCKS} the_last_session_gives_back_what_an_earlier_one_has_taken",
    ],
    "Key, dumps, programs, lists of files": [
        "procedures/changing_distributions/test_what_stays what_the_commands_name_is_removed_at_the_end_or_listed",
        "lab/test_changing_distributions the_same_command_again_does_nothing_more",
    ],
    "In `/var/lib/bmnb`, which root alone can read": [
        "lab/test_changing_distributions the_same_command_again_does_nothing_more",
        f"{FAULTS} no_secret_appears_anywhere",
    ],
    "Where somebody else owns it": [
        "remote/test_planted a_folder_that_is_another_user_s_is_refused",
        "lab/test_planted where_another_user_owns_the_folder_of_runs_nothing_is_begun",
    ],
    "Where the origin cannot be reached at the end": [
        f"{LOCKS} another_run_is_refused_however_long_the_holder_is_silent"
    ],
    # Secrets
    "The password of the databases is read": [f"{FAULTS} no_secret_appears_anywhere"],
    "Dumps and lists lie in a folder of root alone": [
        f"{FAULTS} no_dump_is_left_but_for_who_has_the_key",
        f"{FAULTS} no_secret_appears_anywhere",
    ],
    "With an RSA public key": [f"{FAULTS} no_dump_is_left_but_for_who_has_the_key"],
    "Who has the private key reads them so": [f"{FAULTS} no_dump_is_left_but_for_who_has_the_key"],
    "The run's key lets in only the target": [
        f"{KEY} the_key_has_a_line_of_its_own",
        f"{KEY} an_attack_changes_nothing_on_the_origin",
        f"{KEY} on_the_way_back_the_file_is_what_it_was_to_the_byte",
        "lab/test_changing_distributions the_file_of_keys_is_as_it_was_but_for_what_others_have_done_meanwhile",
    ],
    "It is bound to a program": [
        f"{ACCESS} any_other_line_is_refused",
        f"{ACCESS} plain_words_may_stand_where_a_line_is_known_around_them",
        f"{KEY} of_every_option_of_rsync_only_those_pass_that_the_run_uses",
    ],
    "Through a list of files rsync may read": [f"{KEY} an_attack_changes_nothing_on_the_origin"],
    "Where root may not log in": ["remote/test_servers a_user_who_is_not_root_works_by_sudo"],
    "Root's login shell may be any": [
        "remote/test_servers what_a_login_shell_prints_is_no_part_of_an_answer",
        "lab/test_shells an_answer_is_an_answer_in_every_login_shell",
    ],
    "Between the servers there is no room": [
        "lab/test_shells a_login_shell_that_is_not_bash_needs_the_run_s_key"
    ],
    "What PAM, a login shell or systemd gives": [
        f"{ACCESS} what_a_session_is_given_gets_into_no_line",
        "remote/test_units nothing_of_systemd_s_environment_gets_into_a_command",
        "lab/test_planted what_is_planted_between_two_passes_is_replaced_and_not_followed",
    ],
    "On this machine a run's folder": [
        "test_files journal_logs_tables_and_attachments_are_its_owners",
        "test_saving a_run_s_checkpoints_hold_no_secret_and_are_for_their_owner_alone",
    ],
    "`make audit` asks PyPI": [f"{HERE} weaknesses_of_packages_are_asked_for_at_each_change_and_weekly"],
    "The faults that are tried": ["test_faults_page the_page_is_the_tests_table"],
    # How servers are reached
    "The way to a server is what": ["remote/test_config a_host_is_what_ssh_makes_of_its_name"],
    "`ssh -G HOST` tells it": ["remote/test_config a_host_is_what_ssh_makes_of_its_name"],
    "What ssh refuses is told": ["remote/test_config what_ssh_refuses_is_refused_in_its_words"],
    "Where no `User` is named": ["remote/test_config a_host_is_what_ssh_makes_of_its_name"],
}

TABLES: dict[str, list[str]] = {
    "what is seen": [
        f"{SWAPPED} where_they_look_swapped_it_asks_shows_both_and_nothing_can_be_accepted",
        f"{SWAPPED} what_is_unusual_may_be_accepted_on_record",
        f"{SWAPPED} an_acceptance_stands_while_the_origin_goes_on_and_falls_with_more_on_the_target",
    ],
    "what differs": [
        "verification/test_late what_was_missing_at_the_start_is_brought_as_it_is",
        "verification/test_late what_users_have_changed_since_is_neither_overwritten_nor_told_to_be_the_same",
        "verification/test_late a_message_that_a_user_has_deleted_does_not_come_back",
        "verification/test_late new_mail_is_no_difference_and_what_was_left_over_is_named",
        "verification/test_late where_the_clock_was_set_back_since_the_start_nothing_is_brought",
    ],
    "file": [
        "procedures/changing_distributions/test_what_stays what_the_commands_name_is_removed_at_the_end_or_listed",
        "lab/test_surroundings what_the_target_has_then_comes_with_roles_rights_and_settings",
        "lab/test_changing_distributions the_same_command_again_does_nothing_more",
    ],
    "of OpenSSH": [
        "remote/test_config includes_and_any_match_count",
        "remote/test_config a_setting_that_is_not_followed_is_named",
        "remote/test_hostkeys any_other_key_is_refused",
        "remote/test_login a_security_key_works_through_the_agent_and_is_touched_only_where_it_is_wanted",
        "remote/test_login where_nobody_is_there_it_says_what_is_asked",
    ],
    "of a hardened sshd": [
        "remote/test_hardened the_api_is_asked_by_curl_where_forwarding_is_refused",
        "remote/test_hardened few_sessions_are_enough",
        "remote/test_hardened what_cannot_be_done_is_named_with_its_setting",
        "lab/test_hardened it_comes_to_its_end_and_nothing_is_lost",
    ],
}
"""The tables by their first heading."""
