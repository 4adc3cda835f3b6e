// event_stream.h - decodes a flood of NDJSON events.
//
// For telemetry at millions of messages a second: whole lines are indexed in
// batches straight from the read buffer (simdjson's stage 1), only an unfinished
// one is copied, nothing is allocated for an event, and its fields are read in the
// order in which they stand. What is not an event (answers, requests, bad lines)
// goes out as a line of its own.
//
// A line's structure is checked before its handler is called: brackets, commas,
// keys, UTF-8, one object to a line. The spelling of a number and the escapes in a
// string are checked only when that field is asked for, which then is not there.
// One thread. Neither handlers nor `other` may feed, change or destroy the stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace labdeck::contract {

/// One event's fields, valid during the handler's call. Ask for keys in the order in which they are
/// written: that is a single pass; another order still works and costs more. False, with `out` as it
/// was, when there is no such key or its value is of another type; a double takes whole numbers too.
class EventFields {
public:
    virtual bool get(std::string_view key, double& out) = 0;
    virtual bool get(std::string_view key, std::uint64_t& out) = 0;
    virtual bool get(std::string_view key, std::string_view& out) = 0;  ///< Unescaped.

protected:
    ~EventFields() = default;
};

class EventStream {
public:
    using OnEvent = std::function<void(EventFields& params)>;
    using OnOther = std::function<void(std::string_view line)>;

    /// `other` gets every line that is no event with a handler, whole and without its newline. Empty
    /// lines are skipped.
    explicit EventStream(OnOther other);
    ~EventStream();
    EventStream(const EventStream&) = delete;
    EventStream& operator=(const EventStream&) = delete;

    void on(std::string_view event, OnEvent handler);

    /// Takes what was read; keeps an unfinished line for the next call. A line beyond 16 MiB is given
    /// to `other` as its first 64 bytes and skipped.
    void feed(std::string_view bytes);
    /// The stream ended: reads a last line that has no newline.
    void finish();

    /// How many events went to a handler.
    std::uint64_t events() const noexcept;
    /// How many lines were no message at all: no JSON object, or too long.
    std::uint64_t bad_lines() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::contract
