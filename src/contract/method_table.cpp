// The table alone: what it is used for stands in method.cpp.
#include <array>

#include "contract/method.h"

namespace labdeck::contract {

namespace {

constexpr auto optional = Need::optional;
constexpr auto integer = ParamType::integer;

constexpr std::string_view process_interface = "Process interface";
constexpr std::string_view lifecycle = "Lifecycle and log";
constexpr std::string_view supervisor = "Supervisor";
constexpr std::string_view sources = "Sources";
constexpr std::string_view serial = "Serial";

constexpr std::string_view job_states = "queued|running|succeeded|failed|timeout|canceled";

constexpr Param app_id{.name = "appId", .help = "the app, as app.list names it"};
constexpr Param job_id{.name = "jobId", .help = "from action.invoke"};
constexpr Param action_name{.name = "actionName", .help = "from action.list"};
constexpr Param action_args{.name = "args",
                            .type = ParamType::object,
                            .need = optional,
                            .help = "the action's arguments; default {}"};
constexpr Param source_id{.name = "sourceId", .help = "from source.list"};

constexpr std::array app_params{app_id};
constexpr std::array config_set_params{
    app_id,
    Param{.name = "key", .help = "the setting; dots lead into objects"},
    Param{.name = "value", .type = ParamType::any, .help = "any JSON; checked against the app's schema"},
};
constexpr std::array invoke_params{app_id, action_name, action_args};
constexpr std::array job_params{app_id, job_id};
constexpr std::array job_list_params{
    app_id,
    Param{.name = "state", .need = optional, .choices = job_states, .help = "only jobs in this state"},
    Param{.name = "limit",
          .type = integer,
          .need = optional,
          .min = 1,
          .max = 1000,
          .help = "the newest so many; default 100"},
};
constexpr std::array subscribe_params{
    Param{.name = "topics",
          .type = ParamType::string_array,
          .help = "names of events, added to those already subscribed"},
};
constexpr std::array log_write_params{
    Param{.name = "level", .choices = "debug|info|warning|error", .help = "how much it matters"},
    Param{.name = "text", .help = "what to log"},
};
constexpr Param script_id{.name = "id", .help = "the script, as scripts.list names it"};
constexpr std::array script_params{script_id};
constexpr std::array profile_params{Param{.name = "id", .help = "the profile, as profiles.list names it"}};
// What a script and a profile must be beyond this is checked by the supervisor, which names the place.
constexpr std::array script_create_params{
    Param{.name = "id", .need = optional, .help = "a new one is made where there is none"},
    Param{.name = "name", .help = "for people"},
    Param{.name = "command", .help = "a program, or what the interpreter gets as its last argument"},
    Param{
        .name = "args", .type = ParamType::string_array, .need = optional, .help = "the command's arguments"},
    Param{.name = "cwd", .need = optional, .help = "the folder it starts in; the workspace's by default"},
    Param{.name = "env", .type = ParamType::object, .need = optional, .help = "added to the environment"},
    Param{.name = "interpreter", .need = optional, .help = "runs the command: \"bash -c\""},
    Param{.name = "autoStart", .type = ParamType::boolean, .need = optional, .help = "start with the hub"},
    Param{.name = "autoRestart",
          .type = ParamType::boolean,
          .need = optional,
          .help = "true without a policy is always"},
    Param{.name = "restartPolicy",
          .need = optional,
          .choices = "never|on-failure|on-crash|always",
          .help = "on-crash is on-failure"},
    Param{.name = "backoffMs",
          .type = integer,
          .need = optional,
          .min = 0,
          .max = 3'600'000,
          .help = "default 1000"},
    Param{.name = "maxRetries",
          .type = integer,
          .need = optional,
          .min = -1,
          .max = 1'000'000,
          .help = "default 5; -1 for no limit"},
    Param{.name = "healthCheck",
          .type = ParamType::object,
          .need = optional,
          .help = "{port?, url?, command?, intervalMs?, timeoutMs?}; all that are given must pass"},
    Param{
        .name = "restartOnUnhealthy", .type = ParamType::boolean, .need = optional, .help = "default false"},
    Param{.name = "stopGraceMs",
          .type = integer,
          .need = optional,
          .min = 0,
          .max = 3'600'000,
          .help = "from the stop signal to the sweep; default 10000"},
    Param{.name = "stopSignal", .need = optional, .help = "default SIGTERM"},
    Param{.name = "profiles",
          .type = ParamType::string_array,
          .need = optional,
          .help = "ids of profiles it is in"},
    Param{.name = "log",
          .type = ParamType::object,
          .need = optional,
          .help = "{persist?, rotate?, maxBytes?, maxFiles?}"},
};
constexpr std::array profile_upsert_params{
    Param{.name = "id", .need = optional, .help = "a new one is made where there is none"},
    Param{.name = "name", .help = "for people"},
    Param{.name = "scriptIds", .type = ParamType::string_array, .help = "in the order of starting"},
    Param{.name = "autoStartOnLogin",
          .type = ParamType::boolean,
          .need = optional,
          .help = "start with the user's session"},
};
constexpr std::array import_params{
    Param{.name = "data", .type = ParamType::object, .help = "what data.export gave"},
    Param{.name = "mode",
          .choices = "merge|replace",
          .help = "merge adds, replace puts it in the place of all"},
};
constexpr std::array source_params{source_id};
constexpr std::array source_tail_params{
    source_id,
    Param{.name = "lines",
          .type = integer,
          .need = optional,
          .min = 1,
          .max = 10'000,
          .help = "how many at most; default 100"},
};
constexpr std::array serial_pair_params{
    Param{.name = "a", .help = "name of the one end, a link below .labdeck/dev/"},
    Param{.name = "b", .help = "name of the other end"},
    Param{.name = "baud",
          .type = integer,
          .need = optional,
          .min = 1,
          .max = 100'000'000,
          .help = "what its ends are set to; default 115200"},
};

constexpr std::string_view job_shape = "{jobId, state, startedAt, finishedAt, result, stdout, stderr, error}";

constexpr std::array method_table{
    Method{.name = "ping",
           .response = "{pong, interfaceName, interfaceVersion}",
           .help = "Says that the peer is alive and which interface it speaks.",
           .group = process_interface},
    Method{.name = "status.get",
           .aliases = "status get_status getStatus",
           .params = app_params,
           .response =
               "{interfaceName, interfaceVersion, appId, appTitle, running, pid, hostRunning, hostPid, "
               "bootId, error, …}",
           .help = "Reads how an app is doing now.",
           .group = process_interface},
    Method{.name = "config.get",
           .aliases = "config.show get_config getConfig",
           .params = app_params,
           .response = "{repoRoot, valid, errors, faults, entries, paths, configTree, schema}",
           .help = "Reads an app's settings and where they come from.",
           .group = process_interface},
    Method{.name = "config.set",
           .aliases = "set_config setConfig",
           .params = config_set_params,
           .response = "{changed, filePath, restartRequired, pidAtSet, message}",
           .help = "Changes a setting in its file, for the app's next run.",
           .group = process_interface},
    Method{.name = "action.list",
           .aliases = "actions.list list_actions listActions",
           .params = app_params,
           .response = "{actions: [{name, label, args}]}",
           .help = "Lists what an app can be told to do.",
           .group = process_interface},
    Method{.name = "action.invoke",
           .aliases = "invoke_action invokeAction",
           .params = invoke_params,
           .response = "{jobId, state, acceptedAt}",
           .help = "Starts an action and returns at once; the job tells how it goes.",
           .group = process_interface},
    Method{.name = "action.job.get",
           .aliases = "get_action_job getActionJob",
           .params = job_params,
           .response = job_shape,
           .help = "Reads a job's state and what has come of it.",
           .group = process_interface},
    Method{.name = "action.job.cancel",
           .aliases = "cancel_action_job cancelActionJob",
           .params = job_params,
           .response = "{jobId, state}",
           .help = "Gives a job up; a finished one stays as it is.",
           .group = process_interface},
    Method{.name = "action.job.list",
           .aliases = "list_action_jobs listActionJobs",
           .params = job_list_params,
           .response = "{jobs: [{jobId, actionName, state, …}]}",
           .help = "Lists an app's jobs, the newest first.",
           .group = process_interface},
    Method{.name = "action.run",
           .aliases = "run_action runAction",
           .params = invoke_params,
           .response = job_shape,
           .help = "Starts an action, waits for its final state and answers the job.",
           .group = process_interface,
           .legacy = true},
    Method{.name = "events.subscribe",
           .aliases = "subscribe_events subscribeEvents",
           .params = subscribe_params,
           .response = "{subscribed: [topic]}",
           .help = "Has events sent to this client from now on.",
           .group = process_interface},

    Method{.name = "process.ping",
           .aliases = "process:ping",
           .response = "\"pong\"",
           .help = "Says that somebody answers.",
           .group = lifecycle},
    Method{.name = "app.version",
           .aliases = "getAppVersion get_app_version",
           .response = "\"1.2.3\"",
           .help = "Tells the version of Labdeck.",
           .group = lifecycle},
    Method{.name = "app.list",
           .aliases = "list_apps listApps",
           .response = "{apps: [{appId, title, provider, providerState, state, processModel, error, …}]}",
           .help = "Lists the apps of all providers.",
           .group = lifecycle},
    Method{.name = "log.write",
           .aliases = "log",
           .params = log_write_params,
           .response = "null",
           .help = "Puts a line into Labdeck's own log.",
           .group = lifecycle},

    Method{.name = "scripts.list",
           .aliases = "scripts:list list_scripts listScripts",
           .response = "[ScriptDefinition]",
           .help = "Lists the scripts that are kept.",
           .group = supervisor},
    Method{.name = "scripts.create",
           .aliases = "scripts:create create_script createScript",
           .params = script_create_params,
           .response = "ScriptDefinition",
           .help = "Adds a script under a new id.",
           .group = supervisor},
    Method{
        .name = "scripts.upsert",
        .aliases = "upsert_script upsertScript",
        .params = script_create_params,
        .response = "ScriptDefinition",
        .help =
            "Adds a script, or puts it in the place of the one with its id; one that runs goes on as it was "
            "started.",
        .group = supervisor},
    Method{.name = "scripts.delete",
           .aliases = "scripts:delete delete_script deleteScript",
           .params = script_params,
           .response = "null",
           .help = "Stops a script and takes it away, from its profiles too.",
           .group = supervisor},
    Method{.name = "profiles.list",
           .aliases = "profiles:list list_profiles listProfiles",
           .response = "[Profile]",
           .help = "Lists the profiles.",
           .group = supervisor},
    Method{.name = "profiles.upsert",
           .aliases = "profiles:upsert upsert_profile upsertProfile",
           .params = profile_upsert_params,
           .response = "Profile",
           .help = "Adds a profile, or puts it in the place of the one with its id.",
           .group = supervisor},
    Method{.name = "profiles.delete",
           .aliases = "profiles:delete delete_profile deleteProfile",
           .params = profile_params,
           .response = "null",
           .help = "Takes a profile away; its scripts stay.",
           .group = supervisor},
    Method{.name = "profiles.startAll",
           .aliases = "profiles:startAll start_profile startProfile",
           .params = profile_params,
           .response = "null",
           .help = "Starts a profile's scripts in their order, each when the one before is healthy or has "
                   "been up for "
                   "a second.",
           .group = supervisor},
    Method{.name = "profiles.stopAll",
           .aliases = "profiles:stopAll stop_profile stopProfile",
           .params = profile_params,
           .response = "null",
           .help = "Stops a profile's scripts, the last first.",
           .group = supervisor},
    Method{.name = "settings.get",
           .aliases = "settings:get get_settings getSettings",
           .response = "AppSettings",
           .help = "Reads the settings.",
           .group = supervisor},
    Method{.name = "settings.update",
           .aliases = "settings:update update_settings updateSettings",
           .response = "AppSettings",
           .help = "Changes the settings that are named, and removes those that are null.",
           .group = supervisor},
    Method{.name = "data.export",
           .aliases = "data:export export_data exportData",
           .response = "PersistedData",
           .help = "Reads all scripts, profiles and settings as one document, without secrets.",
           .group = supervisor},
    Method{.name = "data.import",
           .aliases = "data:import import_data importData",
           .params = import_params,
           .response = "PersistedData",
           .help = "Takes such a document in; answers what is then kept.",
           .group = supervisor},
    Method{.name = "data.preview",
           .aliases = "preview_import previewImport",
           .params = import_params,
           .response = "{scripts: {added, …}, profiles: {…}, settings: {changed}}",
           .help = "Says what data.import would change, and changes nothing.",
           .group = supervisor},
    Method{.name = "process.start",
           .aliases = "process:start start_process startProcess",
           .params = script_params,
           .response = "null",
           .help = "Starts a script; nothing when it runs.",
           .group = supervisor},
    Method{
        .name = "process.stop",
        .aliases = "stop_process stopProcess",
        .params = script_params,
        .response = "null",
        .help =
            "Stops a script and all it ever started: its signal, a grace, then a sweep; cancels a restart.",
        .group = supervisor},
    Method{.name = "process.restart",
           .aliases = "process:restart restart_process restartProcess",
           .params = script_params,
           .response = "null",
           .help = "Stops a script and starts it once its tree is empty.",
           .group = supervisor},
    Method{.name = "process.killTree",
           .aliases = "process:killTree kill_process_tree killProcessTree",
           .params = script_params,
           .response = "null",
           .help = "Stops a script without a grace.",
           .group = supervisor},
    Method{.name = "process.snapshot",
           .aliases = "process:snapshot get_process_snapshot getProcessSnapshot",
           .params = script_params,
           .response = "RuntimeStateSnapshot",
           .help = "Reads how a script does.",
           .group = supervisor},
    Method{.name = "process.snapshots",
           .aliases = "process:snapshots get_process_snapshots getProcessSnapshots",
           .response = "[RuntimeStateSnapshot]",
           .help = "Reads how all scripts do.",
           .group = supervisor},
    Method{.name = "process.readLog",
           .aliases = "process:readLog read_process_log readProcessLog",
           .params = script_params,
           .response = "string",
           .help = "Reads a script's current log, at most its last 4 MiB.",
           .group = supervisor},

    Method{.name = "source.list",
           .aliases = "list_sources listSources",
           .response = "{sources: [{sourceId, kind, name, state, …}]}",
           .help = "Lists everything that says bytes.",
           .group = sources},
    Method{.name = "source.stats",
           .aliases = "get_source_stats getSourceStats",
           .params = source_params,
           .response = "{bytes, lines, bytesPerSecond, linesPerSecond, drops, errors, retainedBytes, …}",
           .help = "Reads a source's counters and rates.",
           .group = sources},
    Method{.name = "source.tail",
           .aliases = "tail_source tailSource",
           .params = source_tail_params,
           .response = "{lines: [{index, time, text}]}",
           .help = "Reads the last lines of a source.",
           .group = sources},

    Method{.name = "serial.list",
           .aliases = "list_serial_ports listSerialPorts",
           .response = "{ports: [{port, …}]}",
           .help = "Lists the serial ports that are there; opens none.",
           .group = serial},
    Method{.name = "serial.pair",
           .aliases = "pair_serial_ports pairSerialPorts",
           .params = serial_pair_params,
           .response = "{sourceId, backSourceId, a, b}",
           .help = "Makes a virtual null-modem cable with a tap on it.",
           .group = serial},
};

constexpr std::array topic_table{
    Topic{.name = "status.changed",
          .aliases = "status_changed",
          .params = "{appId, …}",
          .help = "An app's status is another one."},
    Topic{.name = "log", .params = "{appId, level, text, time}", .help = "An app logged a line."},
    Topic{.name = "job.changed",
          .aliases = "job_changed",
          .params = "{appId, jobId, state, …}",
          .help = "A job took another state."},
    Topic{.name = "traffic",
          .params = "{appId, port, rxBytes, txBytes, time, …}",
          .help = "Counters of an app's port, at most ten a second."},
    Topic{.name = "process.status",
          .aliases = "process_status",
          .params = "RuntimeStateSnapshot",
          .help = "A script's status, health or metrics are others."},
    Topic{.name = "process.log",
          .aliases = "process_log",
          .params = "{scriptId, text}",
          .help = "A script said something on stdout or stderr."},
};

}  // namespace

std::span<const Method> methods() noexcept {
    return method_table;
}
std::span<const Topic> topics() noexcept {
    return topic_table;
}

}  // namespace labdeck::contract
