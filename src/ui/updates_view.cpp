#include "ui/updates_view.h"

#include <utility>

#include "ui/bench_state.h"
#include "ui/json_reading.h"

namespace labdeck::ui {

namespace {

constexpr double bytes_per_mib = 1048576;

double mib_of(const Json& json, const char* key) {
    return number_member_of(json, key).value_or(0) / bytes_per_mib;
}

}  // namespace

void UpdatesView::ask_once() {
    if (!std::exchange(asked_, true)) ask();
}

void UpdatesView::ask() {
    bench_->request("updates.status", Json::object(), [this](const auto& answer) {
        // A hub that has no updates: the settings then say nothing of them.
        if (!answer) return;
        const Json& status = **answer;
        current_ = text_member_of(status, "current");
        state_ = text_member_of(status, "state");
        busy_ = text_member_of(status, "busy");
        take_info(member_of(status, "info"));
        if (state_ == "error") why_ = text_member_of(status, "error");
    });
}

void UpdatesView::take_info(const Json& info) {
    if (const std::string version = text_member_of(info, "version"); !version.empty()) version_ = version;
    if (number_member_of(info, "size")) size_mib_ = mib_of(info, "size");
    if (member_of(info, "notes").is_string()) notes_ = text_member_of(info, "notes");
}

void UpdatesView::take_event(const Json& params) {
    const std::string type = text_member_of(params, "type");
    const Json& info = member_of(params, "info");
    if (type == "progress") {
        busy_ = "download";
        take_info(info);
        bytes_mib_ = mib_of(info, "bytes");
        bytes_per_second_ = number_member_of(info, "bytesPerSecond").value_or(0);
        return;
    }
    busy_.clear();
    state_ = type;
    if (type == "error") why_ = text_member_of(params, "message");
    if (type == "none") why_ = text_member_of(info, "why");
    if (type == "available" || type == "downloaded") {
        take_info(info);
        // What was downloaded before may be the very one that is there: the hub knows.
        if (type == "available") ask();
    }
}

void UpdatesView::begin(const char* method, const char* what) {
    busy_ = what;
    why_.clear();
    bytes_mib_ = 0;
    bytes_per_second_ = 0;
    bench_->request(method, Json::object(), [this](const auto& answer) {
        // What came of it was told by an event; only that it did not begin was not.
        busy_.clear();
        if (!answer) {
            state_ = "error";
            why_ = answer.error().message;
        } else if (const std::string error = text_member_of(**answer, "error"); !error.empty()) {
            why_ = error;
        }
    });
}

void UpdatesView::check() {
    begin("updates.check", "check");
}
void UpdatesView::download() {
    begin("updates.download", "download");
}
void UpdatesView::install() {
    begin("updates.quitAndInstall", "install");
}

}  // namespace labdeck::ui
