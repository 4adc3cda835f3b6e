// check.h - one behaviour that the contract asks for, and how it is looked at.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "conform/config_file.h"
#include "conform/talk.h"

namespace labdeck::conform {

/// What a check is run against.
struct Context {
    Talk& talk;
    std::string app;  ///< One that the provider hosts; the first one for checks that need any.
    ConfigFiles& files;
};

enum class Scope : unsigned char {
    provider,  ///< Once.
    any_app,   ///< Once, and it needs an app.
    each_app,
};

struct Check {
    std::string_view name;  ///< The behaviour, as a sentence that is true of a good provider.
    Scope scope;
    Outcome<> (*run)(Context& context);
};

/// All of them, in the order in which they are run: what comes before events.subscribe hears no events.
std::span<const Check> check_table() noexcept;

}  // namespace labdeck::conform
