#include "contract/client.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "contract/answer_text.h"

namespace labdeck::contract {

namespace {

Request make_request(std::optional<RequestId> id, std::string_view method, const Json& params) {
    auto given = params.is_null() ? nullptr : std::make_shared<const Json>(params);
    return {std::move(id), std::string(method), std::move(given)};
}

/// False when the text is no id that we gave.
bool own_id(std::string_view id, std::uint64_t& out) {
    const char* end = id.data() + id.size();
    const auto [stop, error] = std::from_chars(id.data(), end, out);
    return error == std::errc{} && stop == end;
}

}  // namespace

ClientEnd::ClientEnd(Send send) : send_(std::move(send)), splitter_(line_bytes_max) {
    on_line_.line = [this](std::string_view line) { handle_line(line); };
    on_line_.too_long = [this] { noise({}, {Code::bad_arg, "the peer sent a line beyond 16 MiB", 0, {}}); };
}

void ClientEnd::request(std::string_view method, const Json& params, OnAnswer on_answer, MonoTime deadline) {
    if (closed_) return on_answer(fail(*closed_));
    const std::uint64_t id = next_id_++;
    ask(id, encode(make_request(RequestId{std::to_string(id)}, method, params)),
        {std::move(on_answer), {}, deadline});
}

void ClientEnd::pass_on(std::string_view method, std::string_view params_text, OnPassed on_passed,
                        MonoTime deadline) {
    if (closed_) return on_passed(fail(*closed_));
    passes_answers_ = true;
    const std::uint64_t id = next_id_++;
    ask(id, encode_request_text(RequestId{std::to_string(id)}, method, params_text),
        {{}, std::move(on_passed), deadline});
}

void ClientEnd::ask(std::uint64_t id, std::string line, Pending pending) {
    if (line.size() > line_bytes_max) {
        return pending.give(
            fail(Code::bad_arg, "the request is longer than the 16 MiB that a line may have"));
    }
    line += '\n';
    note_deadline(pending.deadline);
    // Noted before it is sent: an in-process peer may answer from within send_.
    pending_.emplace(id, std::move(pending));
    send_(std::move(line));
}

void ClientEnd::Pending::give(Result<std::shared_ptr<const Json>> answer) const {
    if (on_answer) return on_answer(std::move(answer));
    on_passed(std::move(answer));
}

void ClientEnd::note_deadline(MonoTime deadline) {
    const bool first = no_deadline_before_.ns == 0 || deadline < no_deadline_before_;
    if (deadline.ns != 0 && first) no_deadline_before_ = deadline;
}

void ClientEnd::notify(std::string_view method, const Json& params) {
    if (closed_) return;
    send_(encode(make_request(std::nullopt, method, params)) + "\n");
}

void ClientEnd::receive(std::string_view bytes) {
    splitter_.feed(bytes, on_line_);
}

void ClientEnd::handle_line(std::string_view line) {
    if (passes_answers_ && pass_answer(line)) return;
    Message message = decode(line);
    if (auto* answer = std::get_if<Answer>(&message)) return handle_answer(line, *answer);
    if (const auto* event = std::get_if<Event>(&message)) {
        if (on_event_) on_event_(*event);
    } else if (const auto* bad = std::get_if<BadLine>(&message)) {
        noise(line, bad->error);
    } else {
        noise(line, {Code::bad_arg, "a request, where only answers and events are expected", 0, {}});
    }
}

/// False for every line that has to be decoded.
bool ClientEnd::pass_answer(std::string_view line) {
    const std::optional<AnswerText> found = find_answer(line);
    std::uint64_t id = 0;
    const auto it = found && own_id(found->id, id) ? pending_.find(id) : pending_.end();
    if (it == pending_.end() || !it->second.on_passed) return false;
    const OnPassed on_passed = std::move(it->second.on_passed);
    pending_.erase(it);
    on_passed(found->response);
    return true;
}

void ClientEnd::handle_answer(std::string_view line, Answer& answer) {
    std::uint64_t id = 0;
    const auto it = own_id(answer.id.text, id) ? pending_.find(id) : pending_.end();
    if (it == pending_.end()) {
        return noise(line,
                     {Code::not_found, "an answer to nothing that was asked, id " + answer.id.text, 0, {}});
    }
    const Pending pending = std::move(it->second);
    pending_.erase(it);
    pending.give(std::move(answer.response));
}

void ClientEnd::noise(std::string_view line, const Error& why) {
    if (on_noise_) on_noise_(line, why);
}

MonoTime ClientEnd::expire(MonoTime now) {
    if (pending_.empty()) no_deadline_before_ = {};
    if (no_deadline_before_.ns == 0 || now < no_deadline_before_) return no_deadline_before_;
    std::map<std::uint64_t, Pending> late;
    for (auto it = pending_.begin(); it != pending_.end();) {
        const MonoTime deadline = it->second.deadline;
        const auto here = it++;
        if (deadline.ns != 0 && deadline <= now) late.insert(pending_.extract(here));
    }
    for (auto& [id, pending] : late) pending.give(fail(Code::timeout, "no answer in time"));
    // Looked for afterwards: the callbacks may have asked again.
    no_deadline_before_ = {};
    for (const auto& [id, pending] : pending_) note_deadline(pending.deadline);
    return no_deadline_before_;
}

void ClientEnd::close(const Error& why) {
    if (!closed_) closed_ = why;
    const auto pending = std::exchange(pending_, {});
    for (const auto& [id, waiting] : pending) waiting.give(fail(why));
}

Result<> check_peer(const Json& ping_response) {
    const auto member = [&](const char* key) {
        const bool there = ping_response.is_object() && ping_response.contains(key);
        return there ? ping_response[key] : Json();
    };
    const Json name = member("interfaceName");
    if (name != interface_name) {
        return fail(Code::bad_arg,
                    "the peer speaks " + dump_line(name) + ", not \"" + std::string(interface_name) + "\"");
    }
    const Json version = member("interfaceVersion");
    // 1, 1.2 and "1.2" have the same major.
    double major = -1;
    if (version.is_number()) {
        major = std::floor(version.get<double>());
    } else if (version.is_string()) {
        const auto& text = version.get_ref<const std::string&>();
        int number = -1;
        const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        const bool clean = stop == text.data() + text.size() || *stop == '.';
        if (error == std::errc{} && clean) major = number;
    }
    if (major != interface_version) {
        return fail(Code::bad_arg, "the peer speaks " + std::string(interface_name) + " version " +
                                       dump_line(version) + ", expected major version " +
                                       std::to_string(interface_version));
    }
    return {};
}

}  // namespace labdeck::contract
