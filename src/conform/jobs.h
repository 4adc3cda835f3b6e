// jobs.h - invoking an action of a provider under test and following its job.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "conform/check.h"

namespace labdeck::conform {

/// action.list, its array.
Outcome<Json> actions_of(Context& context);

/// An action that may be invoked without knowing what it does: run_stop, else the first one that needs no
/// arguments. Skips when there is none.
Outcome<std::string> harmless_action(Context& context);

/// An action that outlasts its timeoutMs, with arguments that make it: the one that the user named, else
/// `wait`. Its numbers with the unit s or ms are set to their maximum. Skips when there is none.
struct SlowAction {
    std::string name;
    std::shared_ptr<const Json> args;
    std::int64_t timeout_ms = 0;  ///< 0: it declares none.
};
Outcome<SlowAction> slow_action(Context& context);

/// The answer of action.invoke, checked.
Outcome<Json> invoke(Context& context, const std::string& action, const Json& args);
Outcome<Json> invoke(Context& context, const std::string& action);
Outcome<Json> job(Context& context, const Json& id);
/// Asks until the job is final, for as long as the action's time-out allows.
Outcome<Json> final_job(Context& context, const Json& id);

}  // namespace labdeck::conform
