// package.h - the program of a release as a file: fetched, checked, put in the old one's place.
//
// Everything here waits, for the network and for the disk: it belongs on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "updates/release.h"

namespace labdeck::updates {

struct DownloadRequest {
    std::string url;     ///< As resolve_url() gave it.
    std::string folder;  ///< Made where it is missing, mode 0700.
    long silence_s = 30;
    std::int64_t pause_ms = 1000;  ///< Before it is tried again; twice that, four times that...
    std::stop_token stop = {};
};

/// Times that a download goes on by itself after it broke off without a byte in between.
inline constexpr int attempts_max = 4;

/// Fetches the program of `release` into the folder and answers the path of a file that has its size and its
/// hash. What came before an earlier break is not fetched again: it waits in FILE.part. A wrong hash is
/// E_DENIED, and the file is deleted. `on_progress` hears how many bytes are there, after each piece.
[[nodiscard]] Result<std::string> download(const Release& release, const DownloadRequest& request,
                                           const std::function<void(std::uint64_t bytes)>& on_progress);

/// Puts `file` in the place of `program`: copies it beside it, checks size and hash of the copy, has it say
/// its version, keeps the old program as PROGRAM.previous, renames. At every moment there is a whole program
/// under that name, and after an error it is the old one, with nothing left beside it. E_DENIED also where
/// the folder is not ours to write to.
[[nodiscard]] Result<> install(const Release& release, const std::string& file, const std::string& program,
                               const std::stop_token& stop);

}  // namespace labdeck::updates
