// hub.h - the bench's core: threads, providers, sources, clients, one method table.
//
// start() makes the hub's thread, the I/O threads and, for a window, the sampler. All
// state belongs to the hub's thread. Clients reach it by the workspace's socket and, in the same
// process, by a LocalLink; both get the same answers from the same handlers.
//
// The control lane is the hub's own reactor: sockets, provider stdio and the window's
// requests never queue behind a source's bytes, which flow on io-pipe and io-serial.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/json.h"
#include "contract/local_link.h"
#include "data/window_inbox.h"
#include "hub/workspace.h"

namespace labdeck::hub {

struct HubOptions {
    std::string version;
    /// Both or neither: the window of this process. They outlive the hub.
    contract::LocalLink* link = nullptr;
    data::WindowInbox* inbox = nullptr;
    bool log_to_stderr = false;
    /// Ends the hub and starts the program again, which is another one by then. Empty where that cannot be.
    /// Called on the hub's thread.
    std::function<void()> restart;
    /// Sees to it that this workspace is started with the user's session, or, for no profiles, is not.
    /// Called on the hub's thread when the profiles that want it have become others. Empty where nothing
    /// outside the workspace may be touched.
    std::function<Result<>(const std::string& root, const std::vector<std::string>& profiles)> at_login;
    std::size_t retained_bytes = 32U << 20;  ///< A source's tail.
    std::size_t ahead_bytes = 64U << 20;     ///< How far an I/O thread may read ahead of the slowest reader.
};

class Hub {
public:
    /// Starts everything that the workspace names. Fails when a thread, the socket or a cable cannot be made;
    /// a provider that does not start is no failure, its apps say why.
    [[nodiscard]] static Result<std::unique_ptr<Hub>> start(Workspace workspace, HubOptions options);

    /// Stops the bench (providers first, 3 s grace) and joins the threads. Thread: the one that started it.
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    const Workspace& workspace() const noexcept;
    /// As settings.get answers them; {} where no catalog could be opened. Waits for the hub. Thread: any but
    /// the hub's own.
    contract::Json settings() const;

private:
    struct Impl;
    explicit Hub(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::hub
