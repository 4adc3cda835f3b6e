// thread_role.h - names the thread that owns a piece of state.
//
// Clang checks the names at compile time (-Wthread-safety); builds with
// assertions check them at run time. With g++ in release the annotations cost
// nothing. The analysis does not look through std::function: a callback calls
// check() as its first statement.
#pragma once

#include <atomic>
#include <cassert>
#include <thread>

#if defined(__clang__)
#define LD_ATTR(x) __attribute__((x))
#else
#define LD_ATTR(x)
#endif
#define LD_OWNED_BY(role) LD_ATTR(guarded_by(role))
#define LD_RUNS_ON(role) LD_ATTR(requires_capability(role))

namespace labdeck {

class LD_ATTR(capability("thread")) ThreadRole {
public:
    /// Binds the role to the calling thread; first statement of a thread's main.
    void bind() LD_ATTR(assert_capability(this)) { id_.store(std::this_thread::get_id()); }

    /// Tells the analysis, and in checked builds verifies, that this is the role's thread.
    void check() const LD_ATTR(assert_capability(this)) { assert(id_.load() == std::this_thread::get_id()); }

private:
    std::atomic<std::thread::id> id_{};
};

inline ThreadRole ui_thread;       ///< main(): the window, ImGui, GL.
inline ThreadRole hub_thread;      ///< Every service's state and the control lane.
inline ThreadRole pipe_thread;     ///< io-pipe: process pipes.
inline ThreadRole store_thread;    ///< store: log files.
inline ThreadRole serial_thread;   ///< io-serial: ports and null-modem pairs.
inline ThreadRole sampler_thread;  ///< The /proc readers.

/// Names the calling thread for debuggers and /proc, at most 15 characters.
void name_this_thread(const char* name) noexcept;

}  // namespace labdeck
