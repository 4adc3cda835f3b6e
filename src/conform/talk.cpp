#include "conform/talk.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "conform/shape.h"
#include "contract/envelope.h"

namespace labdeck::conform {

namespace {

constexpr std::size_t events_max = 4096;
constexpr std::size_t transcript_lines_max = 6;
constexpr std::size_t transcript_line_max = 400;

std::string shortened(std::string_view line) {
    if (line.size() <= transcript_line_max) return std::string(line);
    return fmt::format("{}… ({} bytes)", line.substr(0, transcript_line_max), line.size());
}

}  // namespace

std::string id_text(const Json& id, std::string_view raw) {
    return id.is_number() ? std::string(raw) : contract::dump_line(id);
}

Result<std::unique_ptr<Talk>> Talk::start(const Settings& settings) {
    return std::unique_ptr<Talk>(new Talk(settings, LD_TRY(Subject::start(settings.command))));
}

Talk::Talk(const Settings& settings, std::unique_ptr<Subject> subject)
    : settings_(settings), subject_(std::move(subject)) {}

Outcome<> Talk::drop(Outcome<Json>&& outcome) {
    LD_STEP(std::move(outcome));
    return {};
}

void Talk::note(std::deque<std::string>& side, std::string_view line) {
    side.push_back(shortened(line));
    if (side.size() > transcript_lines_max) side.pop_front();
}

void Talk::send_bytes(std::string_view bytes) {
    note(transcript_.sent, bytes);
    subject_->send(bytes);
}

void Talk::send_line(std::string_view line, const std::string& id) {
    if (!id.empty()) ++due_[id];
    note(transcript_.sent, line);
    subject_->send(line);
    subject_->send("\n");
}

std::string Talk::request(std::string_view method, const Json& params) {
    const std::string id = fmt::format("\"conform-{}\"", ++last_id_);
    send_line(
        fmt::format(R"({{"id":{},"method":"{}","params":{}}})", id, method, contract::dump_line(params)), id);
    return id;
}

std::string Talk::request(std::string_view method) {
    return request(method, Json::object());
}

Outcome<> Talk::settle() {
    return drop(ask("ping"));
}

Outcome<Json> Talk::ask(std::string_view method) {
    return ask(method, Json::object());
}

Outcome<Json> Talk::ask(std::string_view method, const Json& params) {
    const Json whole = LD_STEP(answer(request(method, params)));
    if (whole["ok"] != true) return fault(fmt::format("{} is carried out", method), shortened(whole.dump()));
    return whole["response"];
}

Outcome<Json> Talk::refused(std::string_view method, const Json& params, std::string_view code,
                            std::string_view key) {
    const Json whole = LD_STEP(answer(request(method, params)));
    const std::string named = key.empty() ? "" : fmt::format(" with details.key \"{}\"", key);
    const std::string expected =
        fmt::format("{} {} is refused: {}{}", method, shortened(contract::dump_line(params)), code, named);
    if (whole["ok"] == true || whole["error"]["code"] != code) return fault(expected);
    const Json& details = whole["error"]["details"];
    if (!key.empty() && (!details.contains("key") || details["key"] != key)) return fault(expected);
    return whole["error"];
}

Outcome<Json> Talk::answer(const std::string& id) {
    const MonoTime deadline{mono_now().ns + patience_ns()};
    const std::uint64_t strays = stray_answers_.count;
    while (true) {
        if (const auto it = answers_.find(id); it != answers_.end()) {
            Json whole = std::move(*it->second);
            answers_.erase(it);
            LD_STEP(check_answer(whole));
            return whole;
        }
        const std::string expected = fmt::format("an answer with the id {}", shortened(id));
        // Whoever answers another id will not answer ours as well.
        if (stray_answers_.count > strays) return fault(expected, stray_answers_.first);
        switch (turn(deadline)) {
            case Turn::heard:
                break;
            case Turn::silence:
                timed_out_ = true;
                return fault(expected, fmt::format("no such answer within {} s", settings_.timeout_s));
            case Turn::end:
                return fault(expected, "the end of its stdout; the program: " + subject_->how_it_is());
        }
    }
}

Outcome<> Talk::bad_line(std::string_view line, const std::string& id) {
    send_line(line, id);
    const Json whole = LD_STEP(answer(id));
    if (whole["ok"] == true || whole["error"]["code"] != "E_BAD_ARG") {
        return fault("a line that is no request is answered E_BAD_ARG");
    }
    return settle();
}

Talk::Turn Talk::turn(MonoTime deadline) {
    std::string line;
    switch (subject_->next(line, deadline)) {
        case Subject::Heard::line:
            note(transcript_.received, line);
            sort(line);
            return Turn::heard;
        case Subject::Heard::too_long:
            if (rubbish_.count++ == 0) rubbish_.first = "a line longer than 16 MiB";
            return Turn::heard;
        case Subject::Heard::silence:
            return Turn::silence;
        case Subject::Heard::end:
            break;
    }
    over_ = true;
    return Turn::end;
}

bool Talk::listen(std::int64_t ns, const std::function<bool()>& enough) {
    const MonoTime deadline{mono_now().ns + ns};
    while (!enough || !enough()) {
        const Turn what = turn(deadline);
        if (what == Turn::end) return false;
        if (what == Turn::silence) return true;
    }
    return true;
}

void Talk::sort(const std::string& line) {
    std::array<contract::Spelled, 1> id{{{"id", {}}}};
    Result<Json> message = contract::parse_json(line, id);
    if (message && message->is_object() && message->contains("ok")) {
        return sort_answer(line, std::move(*message), std::string(id[0].value));
    }
    if (message && message->is_object() && message->contains("event") && (*message)["event"].is_string() &&
        message->contains("params") && (*message)["params"].is_object()) {
        ++event_count_;
        events_.push_back({(*message)["event"].get<std::string>(),
                           std::make_shared<const Json>(std::move((*message)["params"]))});
        if (events_.size() > events_max) events_.pop_front();
        return;
    }
    if (rubbish_.count++ == 0) rubbish_.first = shortened(line);
}

void Talk::sort_answer(const std::string& line, Json message, const std::string& raw_id) {
    std::string id = message.contains("id") ? id_text(message["id"], raw_id) : "no id";
    auto due = due_.find(id);
    if (due == due_.end()) due = due_.find(id = "*");
    if (due == due_.end()) {
        if (stray_answers_.count++ == 0) stray_answers_.first = shortened(line);
        return;
    }
    if (--due->second == 0) due_.erase(due);
    answers_.emplace(id, std::make_shared<Json>(std::move(message)));
}

void Talk::inherit(const Talk& earlier) {
    stray_answers_ = earlier.stray_answers_;
    rubbish_ = earlier.rubbish_;
    event_count_ = earlier.subscribed_ ? 0 : earlier.event_count_;
}

Outcome<> Talk::subscribe() {
    if (subscribed_) return {};
    const Json topics = {"status.changed", "log", "job.changed", "traffic"};
    const Json whole = LD_STEP(answer(request("events.subscribe", {{"topics", topics}})));
    if (whole["ok"] != true && whole["error"]["code"] == "E_UNSUPPORTED_METHOD") {
        return skip("the provider has no events.subscribe, which is optional");
    }
    if (whole["ok"] != true) return fault("events.subscribe is carried out");
    subscribed_ = true;
    return {};
}

}  // namespace labdeck::conform
