// workspace.h - a bench's folder: what to start, settings, and the running state.
//
//   labdeck.json   what to start; written by people
//   config/        one file of settings an app
//   .labdeck/      the hub's own: labdeck.sock, labdeck.lock, dev/ (ends of virtual cables)
//
// One hub holds a workspace at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace labdeck::hub {

/// A virtual null-modem cable; its ends become links in .labdeck/dev/.
struct CableSpec {
    std::string name;
    std::string a;  ///< Name of end a's link, no slash.
    std::string b;
    std::uint32_t baud = 115'200;
};

/// A provider process, or a plain command whose output is a source.
struct ProgramSpec {
    std::string name;
    std::vector<std::string> command;
    std::vector<std::string> apps;  ///< Providers only.
    std::string cwd;                ///< Absolute.
    std::map<std::string, std::string> env;
    bool restart = true;
    int backoff_ms = 1000;  ///< Providers only: before the first restart; doubles with each death in a row.
    int restarts_max = 5;   ///< Providers only: deaths in a row before it is failed; -1 for no limit.
};

struct BenchSpec {
    std::string name;  ///< Shown in the window; the folder's name by default.
    std::vector<CableSpec> cables;
    std::vector<ProgramSpec> providers;
    std::vector<ProgramSpec> commands;
};

/// Reads the text of a labdeck.json. `root` is what relative folders are resolved against, `self` the program
/// that an argv[0] of "labdeck" (and a provider without a command) means.
/// E_CONFIG_INVALID names the place, "labdeck.json:3:12: providers[1].apps: …", and has it in its details as
/// key, line and column (from 1, in characters). What is missing is placed at what should hold it.
Result<BenchSpec> parse_bench(std::string_view text, const std::string& root, const std::string& self);

class Workspace {
public:
    /// Makes .labdeck/ (mode 0700) where it is missing, takes the lock, reads labdeck.json (an empty bench if
    /// there is none). Code::busy names the process that holds the workspace and how to attach.
    [[nodiscard]] static Result<Workspace> open(const std::string& root);

    const std::string& root() const noexcept { return root_; }
    const BenchSpec& bench() const noexcept { return bench_; }
    std::string socket_path() const { return root_ + "/.labdeck/labdeck.sock"; }
    std::string device_path(const std::string& name) const { return root_ + "/.labdeck/dev/" + name; }

private:
    Workspace(std::string root, UniqueFd lock) : root_(std::move(root)), lock_(std::move(lock)) {}
    std::string root_;
    UniqueFd lock_;
    BenchSpec bench_;
};

/// Whether the end of a cable can have that name: a plain file name of at most 100 bytes, not hidden, without
/// control characters.
bool is_device_name(std::string_view name) noexcept;

/// The folder that a command line without --workspace means: the current one if it has a labdeck.json, else
/// labdeck/ in the user's XDG data folder.
std::string default_workspace();

/// Absolute path of the running program.
std::string own_program();

/// labdeck/ in the user's XDG data folder.
std::string data_folder();

}  // namespace labdeck::hub
