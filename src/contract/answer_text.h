// answer_text.h - finds a good answer's parts in its line, as they are spelled there.
//
// For whoever passes answers on: the response is checked as decode() checks it, but no tree is made of it,
// and its numbers and white space stay as they came. Not for looking into a response; decode() is.
#pragma once

#include <optional>
#include <string_view>

namespace labdeck::contract {

struct AnswerText {
    std::string_view id;        ///< A string with its quotes, or a number.
    std::string_view response;  ///< May stand in another line as it is.
};

/// Nothing for all that is not plainly an answer with `ok` true and a response: the line may be another
/// message, wrong, or one to be spelled anew (a key stands twice in an object, or a carriage return between
/// values, at which some readers end a line). decode() tells. What is found is a line that decode() takes,
/// and the parts are in `line`. Thread: any. Each thread keeps a parser and a buffer of its own.
std::optional<AnswerText> find_answer(std::string_view line);

}  // namespace labdeck::contract
