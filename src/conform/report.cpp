#include "conform/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace labdeck::conform {

namespace {

/// A JSON string is a YAML string as well, whatever is in it.
std::string yaml_text(std::string_view text) {
    return contract::dump_line(Json(std::string(text)));
}

void print_lines(std::FILE* out, const char* title, const std::deque<std::string>& lines) {
    fmt::print(out, "  {}:{}\n", title, lines.empty() ? " []" : "");
    for (const std::string& line : lines) fmt::print(out, "    - {}\n", yaml_text(line));
}

}  // namespace

Report::Report(std::FILE* out) : out_(out) {
    fmt::print(out_, "TAP version 14\n");
}

void Report::passed(std::string_view name) {
    fmt::print(out_, "ok {} - {}\n", ++count_, name);
    std::fflush(out_);
}

void Report::skipped(std::string_view name, std::string_view why) {
    ++skips_;
    fmt::print(out_, "ok {} - {} # SKIP {}\n", ++count_, name, why);
    std::fflush(out_);
}

void Report::failed(std::string_view name, const Fault& fault, const Transcript& transcript) {
    ++failures_;
    fmt::print(out_, "not ok {} - {}\n  ---\n  expected: {}\n", ++count_, name, yaml_text(fault.expected));
    if (!fault.came.empty()) fmt::print(out_, "  came: {}\n", yaml_text(fault.came));
    print_lines(out_, "sent", transcript.sent);
    print_lines(out_, "received", transcript.received);
    fmt::print(out_, "  ...\n");
    std::fflush(out_);
}

void Report::failed_unasked(std::string_view name, std::string_view why) {
    ++failures_;
    fmt::print(out_, "not ok {} - {} # {}\n", ++count_, name, why);
}

void Report::comment(std::string_view text) {
    fmt::print(out_, "# {}\n", text);
}

void Report::bail_out(std::string_view why) {
    fmt::print(out_, "Bail out! {}\n", why);
    std::fflush(out_);
}

void Report::finish() {
    fmt::print(out_, "1..{}\n# {} checks: {} passed, {} failed, {} skipped\n", count_, count_,
               count_ - failures_ - skips_, failures_, skips_);
    std::fflush(out_);
}

}  // namespace labdeck::conform
