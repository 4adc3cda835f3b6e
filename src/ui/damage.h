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
#include <vector>

namespace labdeck::ui {

/// The cells that a window is cut into.
struct CellGrid {
    static constexpr float cell_px = 32;
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
    static constexpr float cell_px = CellGrid::cell_px;
    /// More than this many rectangles are joined: each repeats the commands that it cuts.
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

/// While it lives the draw lists draw within `areas` alone, and have no more in them than what touches those.
class DamageClip {
public:
    DamageClip(const ImDrawData& data, const std::vector<Damage::Area>& areas);
    ~DamageClip();
    DamageClip(const DamageClip&) = delete;
    DamageClip& operator=(const DamageClip&) = delete;

private:
    struct Whole {
        ImVector<ImDrawCmd> commands;
        ImVector<ImDrawIdx> indices;
    };
    void cut_command(const ImDrawList& list, const ImDrawCmd& command, const std::vector<Damage::Area>& areas,
                     Whole& cut);

    const ImDrawData& data_;
    CellGrid grid_;
    std::vector<std::uint16_t> area_of_cell_;  ///< Its place among the areas plus one; 0 for none.
    std::vector<std::uint32_t> seen_;          ///< For each area, the last shape that was found in it.
    std::uint32_t shapes_ = 0;
    std::vector<Whole> whole_;
    std::vector<std::vector<ImDrawIdx>> parts_;  ///< Of the command being cut, for each area.
};

}  // namespace labdeck::ui
