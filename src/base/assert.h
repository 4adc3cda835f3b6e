// assert.h - LD_ASSERT ends the program when our own logic is wrong.
//
// On in release builds too: a console that goes on with a broken invariant would
// lie. Never for what the outside world can cause; that is a Result.
#pragma once

namespace labdeck {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace labdeck

#define LD_ASSERT(expression)                             \
    (static_cast<bool>(expression) ? static_cast<void>(0) \
                                   : ::labdeck::assertion_failed(#expression, __FILE__, __LINE__))
