// Any bytes, cut anywhere: the lines, the messages and the events that come out are those of the uncut text,
// and the event stream agrees with decode() about what an event is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include "contract/envelope.h"
#include "contract/event_stream.h"
#include "contract/framing.h"

using namespace labdeck::contract;

namespace {

void require(bool truth) {
    if (!truth) std::abort();
}

struct Seen {
    std::vector<std::string> others;
    std::uint64_t events = 0;
    std::uint64_t bad = 0;
    bool operator==(const Seen&) const = default;
};

Seen stream(std::string_view text, std::size_t piece) {
    Seen seen;
    EventStream events([&](std::string_view line) { seen.others.emplace_back(line); });
    events.on("traffic", [](EventFields& params) {
        double number = 0;
        std::string_view word;
        params.get("time", number);
        params.get("port", word);
    });
    for (std::size_t from = 0; from < text.size(); from += piece) {
        // A copy of its own, so that a read beyond the piece is seen.
        const std::vector<char> bytes(
            text.begin() + static_cast<std::ptrdiff_t>(from),
            text.begin() + static_cast<std::ptrdiff_t>(std::min(from + piece, text.size())));
        events.feed({bytes.data(), bytes.size()});
    }
    events.finish();
    seen.events = events.events();
    seen.bad = events.bad_lines();
    return seen;
}

std::vector<std::string> split(std::string_view text, std::size_t piece) {
    std::vector<std::string> lines;
    LineSplitter splitter(line_bytes_max);
    const LineSplitter::Handler handler{[&](std::string_view line) { lines.emplace_back(line); }, [] {}};
    for (std::size_t from = 0; from < text.size(); from += piece)
        splitter.feed(text.substr(from, piece), handler);
    splitter.finish(handler);
    return lines;
}

bool is_traffic(const Message& message) {
    const auto* event = std::get_if<Event>(&message);
    return event != nullptr && event->name == "traffic";
}

/// What was read and is written again must be read as the same.
void check_round_trip(const Message& message) {
    if (const auto* request = std::get_if<Request>(&message)) {
        const std::string line = encode(*request);
        const Message again = decode(line);
        require(std::holds_alternative<Request>(again));
        require(std::get<Request>(again).id == request->id &&
                std::get<Request>(again).method == request->method);
    } else if (const auto* bad = std::get_if<BadLine>(&message)) {
        require(std::holds_alternative<Answer>(decode(encode_error(bad->id, bad->error))));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t piece = data[0] + 1U;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::vector<std::string> lines = split(text, text.size());
    require(split(text, piece) == lines);
    const Seen whole = stream(text, text.size());
    require(stream(text, piece) == whole);
    require(whole.events + whole.others.size() == lines.size());

    std::uint64_t events_at_least = 0;
    for (const std::string& line : lines) {
        const Message message = decode(line);
        check_round_trip(message);
        const bool escaped = line.find('\\') != std::string::npos;
        if (is_traffic(message) && !escaped) ++events_at_least;
    }
    require(whole.events >= events_at_least);
    return 0;
}
