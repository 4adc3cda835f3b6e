// restart.h - the program starts itself again, in its own process, when main() has let go of everything.
#pragma once

#include <csignal>
#include <string>

namespace labdeck::app {

/// Thread: any. What is running is to be ended by the caller.
void ask_for_restart() noexcept;

/// What a restart needs to know of the start.
class RestartPoint {
public:
    /// First in main(): the name of the program's file is another one once the file is replaced.
    explicit RestartPoint(char** argv);

    /// Last in main(): returns `code` unless a restart was asked for and can be done. REQUIRES: no other
    /// thread is left that matters.
    int restart_if_asked(int code) const;

private:
    char** argv_;
    std::string program_;
    sigset_t mask_{};
};

}  // namespace labdeck::app
