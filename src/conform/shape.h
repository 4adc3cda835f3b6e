// shape.h - what a message or a value must look like.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "conform/outcome.h"
#include "contract/json.h"

namespace labdeck::conform {

using contract::Json;

struct Field {
    std::string_view name;
    /// Alternatives with a bar between them: any, array, bool, int, null, number, object, string, time.
    std::string_view types;
};

/// The object has these fields, each of one of its types. `what` names it for the fault.
Outcome<> check_fields(const Json& object, std::string_view what, std::initializer_list<Field> fields);

/// An answer has an id and `ok`; then a `response`, or an `error` with a code of the contract's list, a
/// message and details.
Outcome<> check_answer(const Json& whole);
/// `error` of an answer or of a job.
Outcome<> check_error(const Json& error);

bool is_final_state(std::string_view state) noexcept;
bool is_state(std::string_view state) noexcept;

/// The member as a string; empty when it is none.
std::string text_of(const Json& object, std::string_view key);

}  // namespace labdeck::conform
