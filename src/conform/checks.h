// checks.h - the checks by name, for the table. What each one looks at is its name there.
#pragma once

#include "conform/check.h"

namespace labdeck::conform {

// envelope_checks.cpp
Outcome<> ping_names_the_interface(Context& context);
Outcome<> params_may_be_left_out(Context& context);
Outcome<> answers_have_the_envelope(Context& context);
Outcome<> string_ids(Context& context);
Outcome<> string_ids_with_escapes(Context& context);
Outcome<> integer_ids(Context& context);
Outcome<> huge_integer_ids(Context& context);
Outcome<> one_id_twice(Context& context);
Outcome<> unknown_keys_are_let_through(Context& context);
Outcome<> keys_in_any_order(Context& context);
Outcome<> unknown_method(Context& context);
Outcome<> method_names_are_exact(Context& context);
Outcome<> notifications_are_not_answered(Context& context);
Outcome<> wrong_notifications_are_not_answered(Context& context);
Outcome<> short_keys_are_not_read(Context& context);

// line_checks.cpp
Outcome<> not_json(Context& context);
Outcome<> an_array(Context& context);
Outcome<> scalars(Context& context);
Outcome<> no_method(Context& context);
Outcome<> method_is_a_number(Context& context);
Outcome<> params_are_an_array(Context& context);
Outcome<> id_is_a_fraction(Context& context);
Outcome<> id_is_no_scalar(Context& context);
Outcome<> id_is_null(Context& context);
Outcome<> not_utf8(Context& context);
Outcome<> cut_off(Context& context);
Outcome<> two_messages_on_a_line(Context& context);
Outcome<> nested_too_deep(Context& context);
Outcome<> duplicate_keys(Context& context);
Outcome<> blank_lines(Context& context);
Outcome<> carriage_returns(Context& context);
Outcome<> line_in_pieces(Context& context);
Outcome<> longest_line(Context& context);
Outcome<> line_too_long(Context& context);
Outcome<> a_thousand_bad_lines(Context& context);

// param_checks.cpp
Outcome<> app_id_is_missing(Context& context);
Outcome<> app_id_is_mistyped(Context& context);
Outcome<> app_is_unknown(Context& context);
Outcome<> params_are_checked_before_the_app(Context& context);
Outcome<> config_set_params(Context& context);
Outcome<> invoke_params(Context& context);
Outcome<> job_params(Context& context);
Outcome<> job_list_params(Context& context);
Outcome<> subscribe_params(Context& context);

// app_checks.cpp
Outcome<> app_list(Context& context);
Outcome<> status_fields(Context& context);
Outcome<> status_interface(Context& context);
Outcome<> status_running(Context& context);
Outcome<> status_alias(Context& context);

// config_checks.cpp
Outcome<> config_fields(Context& context);
Outcome<> config_entries(Context& context);
Outcome<> config_set_changes(Context& context);
Outcome<> config_set_changes_nothing(Context& context);
Outcome<> config_set_touches_no_process(Context& context);
Outcome<> config_refuses_types(Context& context);
Outcome<> config_refuses_ranges(Context& context);
Outcome<> config_refuses_unknown_keys(Context& context);
Outcome<> config_alias(Context& context);

// action_checks.cpp
Outcome<> action_names(Context& context);
Outcome<> action_args(Context& context);
Outcome<> action_alias(Context& context);
Outcome<> unknown_action(Context& context);
Outcome<> missing_argument(Context& context);
Outcome<> mistyped_argument(Context& context);

// job_checks.cpp
Outcome<> invoke_answers_a_job(Context& context);
Outcome<> invoke_is_quick(Context& context);
Outcome<> job_fields(Context& context);
Outcome<> job_ends(Context& context);
Outcome<> job_stays_final(Context& context);
Outcome<> jobs_have_their_own_ids(Context& context);
Outcome<> unknown_job(Context& context);
Outcome<> job_list(Context& context);
Outcome<> job_list_filters(Context& context);
Outcome<> cancel_of_a_finished_job(Context& context);
Outcome<> cancel_ends_a_job(Context& context);
Outcome<> slow_job_is_canceled(Context& context);
Outcome<> slow_job_times_out(Context& context);
Outcome<> run_alias(Context& context);

// event_checks.cpp
Outcome<> no_event_before_subscribe(Context& context);
Outcome<> subscribe_answers_topics(Context& context);
Outcome<> subscriptions_add_up(Context& context);
Outcome<> job_changed_arrives(Context& context);
Outcome<> one_final_state_is_told(Context& context);
Outcome<> status_changed_arrives(Context& context);
Outcome<> log_arrives(Context& context);
Outcome<> events_speak_of_hosted_apps(Context& context);

// load_checks.cpp
Outcome<> pipelined_requests(Context& context);
Outcome<> pipelined_mix(Context& context);
Outcome<> slow_reader(Context& context);
Outcome<> bad_lines_among_requests(Context& context);

// end_checks.cpp
Outcome<> stdout_is_messages_alone(Context& context);
Outcome<> nothing_is_answered_twice(Context& context);
Outcome<> ends_with_its_input(Context& context);
Outcome<> answers_before_its_end(Context& context);
Outcome<> ends_after_half_a_line(Context& context);
Outcome<> starts_again(Context& context);

}  // namespace labdeck::conform
