// damage.h - finds what of a frame differs from the one before, and draws that alone.
//
// The window is cut into cells. Each has a hash of every triangle that touches it, in the order of drawing,
// so a cell whose hash stays has the picture that it had. What a callback draws cannot be known from here:
// all within its clip rectangle counts as changed.
//
// Worth it in software GL, where a frame costs what its pixels cost, and only where the back buffer
// keeps its picture; elsewhere the answer to "did anything change at all" is what is used.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <span>
#include <vector>

namespace labdeck::ui {

/// The cells that a window is cut into.
struct CellGrid {
    static constexpr float cell_width = 8, cell_height = 16;  ///< In pixels: vertical lines and rows of text.
    struct Cells {
        int left = 0, top = 0, right = -1, bottom = -1;  ///< Both ends are in it.
    };

    int columns = 0;
    int rows = 0;

    static CellGrid of(ImVec2 display) noexcept;
    std::size_t count() const noexcept { return static_cast<std::size_t>(columns * rows); }
    std::size_t at(int row, int column) const noexcept {
        return static_cast<std::size_t>(row * columns + column);
    }
    Cells touched(float left, float top, float right, float bottom) const noexcept;
    friend bool operator==(const CellGrid&, const CellGrid&) = default;
};

class Damage {
public:
    /// More than this many rectangles are joined: each is compared with every command of a frame.
    static constexpr std::size_t rects_max = 160;

    /// In ImGui's coordinates: left, top, right, bottom.
    struct Area {
        float left = 0, top = 0, right = 0, bottom = 0;
    };

    /// Compares with the frame that was given last. The areas do not overlap; none means that nothing
    /// changed.
    const std::vector<Area>& find(const ImDrawData& data);
    /// Forgets the last frame: all of the next one is new.
    void forget() noexcept { hashes_.clear(); }

private:
    void hash_command(const ImDrawData& data, const ImDrawList& list, const ImDrawCmd& command);
    void add(Area box, std::uint64_t hash);
    void collect_areas(const std::vector<std::uint64_t>& before);

    CellGrid grid_;
    std::uint64_t frame_ = 0;
    std::vector<std::uint64_t> hashes_;
    std::vector<Area> areas_;
};

/// The picture of the damaged areas alone. Every shape is cut on the CPU, so that a frame stays a handful of
/// commands however many areas it has, and what a later one hides is left out: in software GL a command costs
/// as much as thousands of pixels, and each layer of pixels as much as the first.
class DamageCut {
public:
    /// What `data` draws within `areas`, which are whole cells and do not overlap, on a ground of the colour
    /// `ground`. Its framebuffer's scale is 1. The answer is good until the next call.
    ImDrawData& of(const ImDrawData& data, const std::vector<Damage::Area>& areas, ImU32 ground);

private:
    struct Part {
        Damage::Area area;
        std::uint32_t seen = 0;          ///< The last shape that was found in it.
        std::vector<ImDrawIdx> indices;  ///< Of the command in the making.
    };

    void take_areas(const ImDrawData& data, const std::vector<Damage::Area>& areas);
    void cut_command(const ImDrawList& list, const ImDrawCmd& command);
    void add_shape(Part& part, std::span<const ImDrawVert> corners, const Damage::Area& box,
                   const Damage::Area& clip);
    void add_polygon(Part& part, std::span<const ImDrawVert> corners);
    void finish_command();

    ImVec2 display_;
    ImVec2 white_;
    ImTextureID texture_ = nullptr;
    CellGrid grid_;
    std::vector<std::uint16_t> part_of_cell_;  ///< Its place among the parts plus one; 0 for none.
    std::vector<Part> parts_;
    std::uint32_t shapes_ = 0;
    ImDrawList list_{nullptr};
    ImDrawData cut_;
};

}  // namespace labdeck::ui
