// method.h - the one table of methods.
//
// A row gives a method's name, how the reference documents and older clients spell
// it, what its params must be, and one line of help. The dispatcher checks calls
// against it, `labdeck call --list` and docs/contract.md are printed from it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "contract/json.h"

namespace labdeck::contract {

enum class ParamType : unsigned char { any, string, integer, number, boolean, object, array, string_array };
std::string_view param_type_name(ParamType type) noexcept;

enum class Need : unsigned char { required, optional };

struct Param {
    std::string_view name;
    ParamType type = ParamType::string;
    Need need = Need::required;
    double min = -9.0e15;  ///< For integers and numbers.
    double max = 9.0e15;
    std::string_view choices = {};  ///< For strings: "none|odd|even", empty for any.
    std::string_view help = {};
};

struct Method {
    std::string_view name;
    std::string_view aliases = {};  ///< Blank-separated other spellings: "status get_status".
    std::span<const Param> params = {};
    std::string_view response = {};  ///< Shape in short: "{pong, interfaceName, interfaceVersion}".
    std::string_view help = {};      ///< One line.
    std::string_view group = {};     ///< The chapter it is printed in: "Sources".
    bool legacy = false;  ///< An older op without a newer name: its keys are read as an alias's are.
};

/// A kind of event.
struct Topic {
    std::string_view name;
    std::string_view aliases = {};  ///< Blank-separated other spellings.
    std::string_view params = {};   ///< Shape in short.
    std::string_view help = {};     ///< One line.
};

/// Every method, in the contract's order.
std::span<const Method> methods() noexcept;

/// Every event that there is to subscribe to.
std::span<const Topic> topics() noexcept;

/// By canonical name or alias; nullptr when there is none. `was_alias` tells which; a legacy op counts as
/// one.
const Method* find_method(std::string_view spelling, bool* was_alias = nullptr) noexcept;

/// Checks params against the row. E_BAD_ARG with details.key for the first one that is missing, mistyped,
/// out of range or not among the choices. Unknown keys are let through: clients may be newer than we are.
Result<> check_params(const Method& method, const Json& params);

/// For calls by alias: snake_case keys of the top level become camelCase where the row knows that name and
/// the params do not hold it already.
Json adopt_alias_keys(const Method& method, const Json& params);

/// The table as Markdown, a section with a table for each group and one for the events, and as the text of
/// `labdeck call --list`.
std::string methods_markdown();
std::string methods_text();

/// The canonical name of an event: "process:log:event" is "process.log", "stream-data" is "stream.data".
/// A spelling that is not known comes back with its colons as dots.
std::string canonical_topic(std::string_view topic);

}  // namespace labdeck::contract
