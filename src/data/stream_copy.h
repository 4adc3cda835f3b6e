// stream_copy.h - copies text to where it is kept, past the caches.
//
// For bytes that were just looked at and that nobody will look at soon: an ordinary copy to memory that has
// gone cold first fetches what it is about to overwrite, and throws out what is still wanted.
#pragma once

#include <cstddef>

namespace labdeck::data {

/// Like memcpy. What it wrote is ordered before whatever the calling thread stores afterwards.
void stream_copy(char* to, const char* from, std::size_t size) noexcept;

}  // namespace labdeck::data
