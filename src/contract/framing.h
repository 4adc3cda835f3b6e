// framing.h - cuts a byte stream into lines.
//
// Keeps at most one unfinished line. A line beyond line_bytes_max is reported
// once as too long and its rest is skipped up to the next newline: the stream
// lives on.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace labdeck::contract {

class LineSplitter {
public:
    explicit LineSplitter(std::size_t bytes_max);

    /// A whole line without its newline; the view is valid during the call only. Empty lines are
    /// skipped, also with a CR in them. `too_long` is called once per line beyond the bound, when the
    /// bound is passed. Neither may feed or destroy the splitter.
    struct Handler {
        std::function<void(std::string_view line)> line;
        std::function<void()> too_long;
    };

    void feed(std::string_view bytes, const Handler& handler);

    /// Bytes of the unfinished line that are held.
    std::size_t held() const noexcept { return held_.size(); }
    /// The stream ended: gives out a last line that has no newline.
    void finish(const Handler& handler);

private:
    void give_held(const Handler& handler);
    void drop_held();

    const std::size_t bytes_max_;
    std::string held_;
    bool skipping_ = false;
};

}  // namespace labdeck::contract
