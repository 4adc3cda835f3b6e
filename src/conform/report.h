// report.h - the results of checks as TAP, version 14 (which readers of version 13 read as well).
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "conform/outcome.h"
#include "conform/talk.h"

namespace labdeck::conform {

class Report {
public:
    /// `out` stays the caller's. Each result is flushed, so that a reader sees how far we are.
    explicit Report(std::FILE* out);

    void passed(std::string_view name);
    void skipped(std::string_view name, std::string_view why);
    /// With a block that says what was expected, what came, and the ends of both sides of the talk.
    void failed(std::string_view name, const Fault& fault, const Transcript& transcript);
    /// A check that was not run, because its failure is known. In one line.
    void failed_unasked(std::string_view name, std::string_view why);
    void comment(std::string_view text);
    void bail_out(std::string_view why);
    /// The plan, and how it went.
    void finish();

    int failures() const noexcept { return failures_; }

private:
    std::FILE* const out_;
    int count_ = 0;
    int failures_ = 0;
    int skips_ = 0;
};

}  // namespace labdeck::conform
