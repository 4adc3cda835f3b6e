// updates_view.h - where the update of the program stands, as the hub tells it, and what can be asked of it.
//
// Thread: ui.
#pragma once

#include <cstdint>
#include <string>

#include "contract/json.h"

namespace labdeck::ui {

class BenchState;

class UpdatesView {
public:
    using Json = contract::Json;

    explicit UpdatesView(BenchState& bench) : bench_(&bench) {}

    /// How it stands now: asked once somebody looks, then kept by events.
    void ask_once();
    /// Of the event `updates`.
    void take_event(const Json& params);

    void check();
    void download();
    /// The bench ends when the hub has done it.
    void install();

    const std::string& current() const noexcept { return current_; }  ///< Empty until it is known.
    /// "idle", "none", "available", "downloaded", "installed", "error".
    const std::string& state() const noexcept { return state_; }
    /// What is under way: "check", "download", "install", or nothing.
    const std::string& busy() const noexcept { return busy_; }
    const std::string& version() const noexcept { return version_; }  ///< The newer one.
    const std::string& notes() const noexcept { return notes_; }
    const std::string& why() const noexcept { return why_; }  ///< There is none, or what went wrong.
    double size_mib() const noexcept { return size_mib_; }
    double bytes_mib() const noexcept { return bytes_mib_; }
    double bytes_per_second() const noexcept { return bytes_per_second_; }

private:
    void ask();
    void begin(const char* method, const char* what);
    void take_info(const Json& info);

    BenchState* bench_;
    bool asked_ = false;
    std::string current_;
    std::string state_ = "idle";
    std::string busy_;
    std::string version_;
    std::string notes_;
    std::string why_;
    double size_mib_ = 0;
    double bytes_mib_ = 0;
    double bytes_per_second_ = 0;
};

}  // namespace labdeck::ui
