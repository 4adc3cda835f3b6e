// proc_text.h - the text of a file of /proc, whose process may end while it is read.
#pragma once

#include <string>

namespace labdeck::io {

/// What of it can be read; "" when there is nothing, or nothing any more. Thread: any.
std::string proc_text(const std::string& path);

}  // namespace labdeck::io
