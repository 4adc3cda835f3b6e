// The table alone: what each check does stands in the file of its chapter.
#include <array>

#include "conform/checks.h"

namespace labdeck::conform {

namespace {

constexpr auto provider = Scope::provider;
constexpr auto any_app = Scope::any_app;
constexpr auto each_app = Scope::each_app;

constexpr std::array table{
    Check{"ping answers pong, the interface's name and its version", provider, ping_names_the_interface},
    Check{"params may be left out", provider, params_may_be_left_out},
    Check{"an answer has id, ok, and either a response or an error", provider, answers_have_the_envelope},
    Check{"a string id comes back", provider, string_ids},
    Check{"a string id with escapes, quotes and other scripts comes back", provider, string_ids_with_escapes},
    Check{"an integer id comes back as an integer", provider, integer_ids},
    Check{"an integer id beyond 64 bits comes back digit by digit", provider, huge_integer_ids},
    Check{"an id that is used again is answered again", provider, one_id_twice},
    Check{"keys that are not known are let through", provider, unknown_keys_are_let_through},
    Check{"the keys of a request may come in any order", provider, keys_in_any_order},
    Check{"an unknown method is E_UNSUPPORTED_METHOD", provider, unknown_method},
    Check{"a method's name is taken letter by letter", provider, method_names_are_exact},
    Check{"a notification is not answered", provider, notifications_are_not_answered},
    Check{"a notification that goes wrong is not answered", provider, wrong_notifications_are_not_answered},
    Check{"shortened keys are not read", provider, short_keys_are_not_read},

    Check{"a line that is no JSON is E_BAD_ARG with the id null", provider, not_json},
    Check{"an array is E_BAD_ARG", provider, an_array},
    Check{"a number, a string, true and null are E_BAD_ARG each", provider, scalars},
    Check{"an object without a method is E_BAD_ARG under its id", provider, no_method},
    Check{"a number as method is E_BAD_ARG under its id", provider, method_is_a_number},
    Check{"params that are no object are E_BAD_ARG under their id", provider, params_are_an_array},
    Check{"a fraction as id is E_BAD_ARG with the id null", provider, id_is_a_fraction},
    Check{"an object, an array and true as id are E_BAD_ARG with the id null", provider, id_is_no_scalar},
    Check{"null as id is E_BAD_ARG", provider, id_is_null},
    Check{"a line that is not UTF-8 is E_BAD_ARG", provider, not_utf8},
    Check{"a line that ends too early is E_BAD_ARG", provider, cut_off},
    Check{"two messages on one line are one E_BAD_ARG", provider, two_messages_on_a_line},
    Check{"a line nested 100,000 deep is answered once", provider, nested_too_deep},
    Check{"a line with duplicate keys is answered once", provider, duplicate_keys},
    Check{"blank lines are passed over", provider, blank_lines},
    Check{"a carriage return before the newline does no harm", provider, carriage_returns},
    Check{"a line may come in pieces", provider, line_in_pieces},
    Check{"a line of 16 MiB is read", provider, longest_line},
    Check{"a line beyond 16 MiB is one E_BAD_ARG with the id null", provider, line_too_long},
    Check{"a thousand bad lines are answered one by one", provider, a_thousand_bad_lines},

    Check{"a missing appId is E_BAD_ARG and named", provider, app_id_is_missing},
    Check{"an appId that is no string is E_BAD_ARG and named", provider, app_id_is_mistyped},
    Check{"an app that nobody hosts is E_UNSUPPORTED_APP", provider, app_is_unknown},
    Check{"params are looked at before the app", provider, params_are_checked_before_the_app},
    Check{"config.set names a key or value that is missing or mistyped", any_app, config_set_params},
    Check{"action.invoke names an actionName or args that are missing or mistyped", any_app, invoke_params},
    Check{"action.job.get and action.job.cancel name a jobId that is missing or mistyped", any_app,
          job_params},
    Check{"action.job.list names a limit or state that is out of range", any_app, job_list_params},
    Check{"events.subscribe names topics that are missing or mistyped", provider, subscribe_params},

    Check{"app.list lists apps with id, title, state and process model", provider, app_list},
    Check{"status.get has every required field in its type", each_app, status_fields},
    Check{"status.get names the interface and the app that was asked for", each_app, status_interface},
    Check{"pid is null and bootId empty exactly while the app does not run", each_app, status_running},
    Check{"status is an alias of status.get and takes app_id", each_app, status_alias},

    Check{"config.get has every required field in its type", each_app, config_fields},
    Check{"config.get describes each entry by key, value and type", each_app, config_entries},
    Check{"config.set changes a value, which config.get then shows", each_app, config_set_changes},
    Check{"config.set to the same value changes nothing", each_app, config_set_changes_nothing},
    Check{"config.set touches no running process", each_app, config_set_touches_no_process},
    Check{"a config value of a wrong type is E_CONFIG_INVALID and the file stays as it was", each_app,
          config_refuses_types},
    Check{"a config value out of range is E_CONFIG_INVALID and the file stays as it was", each_app,
          config_refuses_ranges},
    Check{"an unknown config key is refused and the file stays as it was", each_app,
          config_refuses_unknown_keys},
    Check{"config.show is an alias of config.get", each_app, config_alias},

    Check{"action.list names its actions, each once", each_app, action_names},
    Check{"action.list describes arguments well enough to draw a form", each_app, action_args},
    Check{"actions.list is an alias of action.list", each_app, action_alias},
    Check{"an unknown action is E_NOT_FOUND", each_app, unknown_action},
    Check{"a missing argument is E_BAD_ARG and named", each_app, missing_argument},
    Check{"an argument of a wrong type is E_BAD_ARG and named", each_app, mistyped_argument},

    Check{"action.invoke answers jobId, state and acceptedAt", each_app, invoke_answers_a_job},
    Check{"action.invoke returns within 50 ms", each_app, invoke_is_quick},
    Check{"action.job.get has every required field in its type", each_app, job_fields},
    Check{"a job comes to a final state, and says when", each_app, job_ends},
    Check{"a job's final state stays", each_app, job_stays_final},
    Check{"each job has an id of its own", each_app, jobs_have_their_own_ids},
    Check{"an unknown job is E_NOT_FOUND", each_app, unknown_job},
    Check{"action.job.list lists jobs, the newest first", each_app, job_list},
    Check{"action.job.list heeds state and limit", each_app, job_list_filters},
    Check{"canceling a finished job leaves it as it is", each_app, cancel_of_a_finished_job},
    Check{"a job that is canceled at once comes to one final state", each_app, cancel_ends_a_job},
    Check{"a running job is canceled", each_app, slow_job_is_canceled},
    Check{"a job that outlasts its timeoutMs is timeout with E_ACTION_TIMEOUT", each_app, slow_job_times_out},
    Check{"action.run invokes, waits, and answers the finished job", each_app, run_alias},

    Check{"no event comes before events.subscribe", provider, no_event_before_subscribe},
    Check{"events.subscribe answers the topics that were asked for", provider, subscribe_answers_topics},
    Check{"subscriptions add up", any_app, subscriptions_add_up},
    Check{"job.changed tells of a job's states in their order", each_app, job_changed_arrives},
    Check{"job.changed tells one final state a job", each_app, one_final_state_is_told},
    Check{"status.changed arrives", any_app, status_changed_arrives},
    Check{"log arrives with appId, level, text and time", any_app, log_arrives},
    Check{"events speak of apps that are hosted", provider, events_speak_of_hosted_apps},

    Check{"2,000 pipelined requests are all answered", provider, pipelined_requests},
    Check{"2,000 requests of many kinds are each answered as alone", any_app, pipelined_mix},
    Check{"a reader that pauses misses nothing", provider, slow_reader},
    Check{"bad lines among requests disturb none of them", provider, bad_lines_among_requests},

    Check{"stdout carries messages alone", provider, stdout_is_messages_alone},
    Check{"nothing is answered twice or unasked", provider, nothing_is_answered_twice},
    Check{"the end of stdin ends it with exit 0", provider, ends_with_its_input},
    Check{"what was asked before the end of stdin is answered", provider, answers_before_its_end},
    Check{"half a line and the end of stdin end it with exit 0", provider, ends_after_half_a_line},
    Check{"it starts again as before", provider, starts_again},
};

}  // namespace

std::span<const Check> check_table() noexcept {
    return table;
}

}  // namespace labdeck::conform
