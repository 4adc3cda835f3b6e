// run.h - the contract's conformance checks against a provider in any language.
//
// Starts the provider, goes through the table of checks and prints TAP. A provider that ends or
// hangs is started again for the checks that are left, a few times; one that is mute fails what is
// left unasked. However it behaves, run() comes to an end. Thread: one.
#pragma once

#include <cstdio>

#include "conform/talk.h"

namespace labdeck::conform {

enum class Verdict : unsigned char {
    conforms,
    fails,
    nobody,  ///< It could not be started, or ended before it had said anything.
};

/// Puts the provider's settings back as they were, file by file.
Verdict run(const Settings& settings, std::FILE* out);

}  // namespace labdeck::conform
