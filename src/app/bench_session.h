// bench_session.h - which workspace a command line means, and a hub on it.
#pragma once

#include <memory>
#include <string>

#include "app/commands.h"
#include "base/result.h"
#include "hub/hub.h"

namespace labdeck::app {

enum class DemoHome : unsigned char {
    kept,       ///< In the user's data folder, so that what was configured stays.
    temporary,  ///< A folder of its own, gone with the session: for pictures.
};

/// Owns the hub and, for a temporary demo, its folder.
class BenchSession {
public:
    [[nodiscard]] static Result<std::unique_ptr<BenchSession>> start(const BenchArgs& args, DemoHome home,
                                                                     hub::HubOptions options);
    ~BenchSession();
    BenchSession(const BenchSession&) = delete;
    BenchSession& operator=(const BenchSession&) = delete;

    const hub::Hub& hub() const noexcept { return *hub_; }

private:
    BenchSession() = default;
    std::unique_ptr<hub::Hub> hub_;
    std::string temporary_;
};

}  // namespace labdeck::app
