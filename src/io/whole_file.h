// whole_file.h - small files that are read whole and replaced whole, such as settings.
//
// Not for data: everything is in memory at once, and a replacement waits for the disk.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace labdeck::io {

/// Reads a plain file of at most `bytes_max` bytes. Code::not_found when there is nothing of that name; a
/// folder, a pipe or a device in its place, a file that is longer and one that may not be read each say so,
/// with the path. Never waits for a writer, as opening a pipe would. Thread: any.
[[nodiscard]] Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max);

/// Puts `text` in the file's place: a temporary file beside it, fsync, rename. Either the old file or the new
/// one is there at every moment, a power cut included; after an error it is the old one, to the byte, and
/// nothing is left beside it. Makes missing folders. A symbolic link stays one, and the permissions stay as
/// they were (0644 for a new file). A limit on file sizes is an error like a full disk, not a signal. Thread:
/// any.
[[nodiscard]] Result<> replace_whole_file(const std::string& path, std::string_view text);

}  // namespace labdeck::io
