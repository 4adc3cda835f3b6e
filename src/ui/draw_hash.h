// draw_hash.h - tells whether a frame would look like the one before.
#pragma once

#include <imgui.h>

#include <cstdint>

namespace labdeck::ui {

/// A hash of everything in the draw lists: vertices, indices, commands. 0 when a command calls back into code
/// whose picture cannot be known from here, and the frame must be drawn.
std::uint64_t hash_of(const ImDrawData& data) noexcept;

}  // namespace labdeck::ui
