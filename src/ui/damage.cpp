#include "ui/damage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

namespace labdeck::ui {

namespace {

using Area = Damage::Area;

void mix(std::uint64_t& hash, std::uint64_t word) noexcept {
    hash = (hash ^ word) * 0xff51'afd7'ed55'8ccdU;
    hash ^= hash >> 32U;
}

void mix(std::uint64_t& hash, const ImDrawVert& vertex) noexcept {
    static_assert(sizeof(ImDrawVert) == 20);
    std::uint64_t words[2];
    std::uint32_t colour = 0;
    std::memcpy(words, &vertex, sizeof words);
    std::memcpy(&colour, &vertex.col, sizeof colour);
    mix(hash, words[0]);
    mix(hash, words[1]);
    mix(hash, colour);
}

Area intersection(const Area& a, const Area& b) {
    return {std::max(a.left, b.left), std::max(a.top, b.top), std::min(a.right, b.right),
            std::min(a.bottom, b.bottom)};
}

bool empty(const Area& area) {
    return area.left >= area.right || area.top >= area.bottom;
}

/// A triangle, or the two of a glyph or rectangle: most of what ImGui draws.
struct Shape {
    std::size_t corners = 3;
    std::array<const ImDrawVert*, 4> corner{};
    const ImDrawIdx* indices = nullptr;
    unsigned index_count = 3;
};

template <typename Visit>
void for_each_shape(const ImDrawList& list, const ImDrawCmd& command, Visit visit) {
    const ImDrawVert* const vertices = list.VtxBuffer.Data + command.VtxOffset;
    const ImDrawIdx* const indices = list.IdxBuffer.Data + command.IdxOffset;
    for (unsigned i = 0; i + 2 < command.ElemCount;) {
        const ImDrawIdx* const at = indices + i;
        const bool quad = i + 5 < command.ElemCount && at[3] == at[0] && at[4] == at[2];
        Shape shape{3, {vertices + at[0], vertices + at[1], vertices + at[2], vertices + at[2]}, at, 3};
        if (quad) {
            shape.corners = 4;
            shape.corner[3] = vertices + at[5];
            shape.index_count = 6;
        }
        visit(shape);
        i += shape.index_count;
    }
}

Area box_of(const Shape& shape) {
    Area box{shape.corner[0]->pos.x, shape.corner[0]->pos.y, shape.corner[0]->pos.x, shape.corner[0]->pos.y};
    for (std::size_t i = 1; i < 4; ++i) {
        const ImVec2& at = shape.corner[i]->pos;
        box = {std::min(box.left, at.x), std::min(box.top, at.y), std::max(box.right, at.x),
               std::max(box.bottom, at.y)};
    }
    return box;
}

Area of(const ImVec4& clip) {
    return {clip.x, clip.y, clip.z, clip.w};
}

Area joined(const Area& a, const Area& b) {
    return {std::min(a.left, b.left), std::min(a.top, b.top), std::max(a.right, b.right),
            std::max(a.bottom, b.bottom)};
}

/// Joins the last areas into one that covers them, and all that it then touches.
void join_beyond(std::vector<Area>& areas, std::size_t count_max) {
    if (areas.size() <= count_max) return;
    Area all = areas[count_max - 1];
    for (std::size_t i = count_max; i < areas.size(); ++i) all = joined(all, areas[i]);
    areas.resize(count_max - 1);
    for (bool grew = true; grew;) {
        grew = false;
        for (std::size_t i = 0; i < areas.size(); ++i) {
            if (empty(intersection(areas[i], all))) continue;
            all = joined(all, areas[i]);
            areas.erase(areas.begin() + static_cast<std::ptrdiff_t>(i--));
            grew = true;
        }
    }
    areas.push_back(all);
}

}  // namespace

CellGrid CellGrid::of(ImVec2 display) noexcept {
    return {static_cast<int>(std::ceil(display.x / cell_px)),
            static_cast<int>(std::ceil(display.y / cell_px))};
}

CellGrid::Cells CellGrid::touched(float left, float top, float right, float bottom) const noexcept {
    const auto cell = [](float at, int count) {
        return std::clamp(static_cast<int>(at / cell_px), 0, count - 1);
    };
    return {cell(left, columns), cell(top, rows), cell(right, columns), cell(bottom, rows)};
}

const std::vector<Damage::Area>& Damage::find(const ImDrawData& data) {
    std::vector<std::uint64_t> before = std::move(hashes_);
    const CellGrid grid = CellGrid::of(data.DisplaySize);
    if (grid != grid_) before.clear();
    grid_ = grid;
    ++frame_;
    hashes_.assign(grid_.count(), 1);
    for (const ImDrawList* list : data.CmdLists) {
        for (const ImDrawCmd& command : list->CmdBuffer) hash_command(data, *list, command);
    }
    areas_.clear();
    if (before.empty()) {
        areas_.push_back({0, 0, data.DisplaySize.x, data.DisplaySize.y});
    } else {
        collect_areas(before);
    }
    return areas_;
}

void Damage::hash_command(const ImDrawData& data, const ImDrawList& list, const ImDrawCmd& command) {
    const Area clip = intersection(of(command.ClipRect), {0, 0, data.DisplaySize.x, data.DisplaySize.y});
    if (empty(clip) || command.UserCallback == ImDrawCallback_ResetRenderState) return;
    if (command.UserCallback != nullptr) return add(clip, frame_);
    std::uint64_t clip_hash = 0;
    for (const float edge : {clip.left, clip.top, clip.right, clip.bottom}) {
        mix(clip_hash, static_cast<std::uint64_t>(static_cast<std::int64_t>(edge * 4)));
    }
    for_each_shape(list, command, [&](const Shape& shape) {
        const Area box = intersection(clip, box_of(shape));
        if (empty(box)) return;
        std::uint64_t hash = clip_hash;
        for (std::size_t i = 0; i < shape.corners; ++i) mix(hash, *shape.corner[i]);
        add(box, hash);
    });
}

void Damage::add(Area box, std::uint64_t hash) {
    const CellGrid::Cells cells = grid_.touched(box.left, box.top, box.right, box.bottom);
    for (int row = cells.top; row <= cells.bottom; ++row) {
        for (int column = cells.left; column <= cells.right; ++column) {
            mix(hashes_[grid_.at(row, column)], hash);
        }
    }
}

void Damage::collect_areas(const std::vector<std::uint64_t>& before) {
    const auto changed = [&](int row, int column) {
        const std::size_t i = grid_.at(row, column);
        return hashes_[i] != before[i];
    };
    for (int row = 0; row < grid_.rows; ++row) {
        const float top = static_cast<float>(row) * cell_px;
        for (int column = 0; column < grid_.columns;) {
            if (!changed(row, column)) {
                ++column;
                continue;
            }
            const int first = column;
            while (column < grid_.columns && changed(row, column)) ++column;
            const Area run{static_cast<float>(first) * cell_px, top, static_cast<float>(column) * cell_px,
                           top + cell_px};
            // A run as wide as one that ends right above it makes that one higher.
            const auto above = std::find_if(areas_.begin(), areas_.end(), [&run](const Area& area) {
                return area.bottom == run.top && area.left == run.left && area.right == run.right;
            });
            if (above != areas_.end()) {
                above->bottom = run.bottom;
            } else {
                areas_.push_back(run);
            }
        }
    }
    join_beyond(areas_, rects_max);
}

DamageClip::DamageClip(const ImDrawData& data, const std::vector<Damage::Area>& areas)
    : data_(data),
      grid_(CellGrid::of(data.DisplaySize)),
      area_of_cell_(grid_.count()),
      seen_(areas.size()),
      parts_(areas.size()) {
    for (std::size_t i = 0; i < areas.size(); ++i) {
        const Area& area = areas[i];
        // Areas are of whole cells; their far edges belong to the next ones.
        const CellGrid::Cells cells = grid_.touched(area.left, area.top, area.right - CellGrid::cell_px / 2,
                                                    area.bottom - CellGrid::cell_px / 2);
        for (int row = cells.top; row <= cells.bottom; ++row) {
            for (int column = cells.left; column <= cells.right; ++column) {
                area_of_cell_[grid_.at(row, column)] = static_cast<std::uint16_t>(i + 1);
            }
        }
    }
    for (ImDrawList* list : data.CmdLists) {
        Whole cut;
        for (const ImDrawCmd& command : list->CmdBuffer) {
            if (command.UserCallback != nullptr) {
                cut.commands.push_back(command);
            } else {
                cut_command(*list, command, areas, cut);
            }
        }
        list->CmdBuffer.swap(cut.commands);
        list->IdxBuffer.swap(cut.indices);
        whole_.push_back(std::move(cut));
    }
}

// A shape that lies in two areas is drawn twice, each time within one: no pixel gets it more than once.
void DamageClip::cut_command(const ImDrawList& list, const ImDrawCmd& command,
                             const std::vector<Damage::Area>& areas, Whole& cut) {
    for (auto& part : parts_) part.clear();
    const Area clip = of(command.ClipRect);
    Area all{1e9F, 1e9F, -1e9F, -1e9F};
    for (const Area& area : areas) {
        const Area part = intersection(clip, area);
        if (!empty(part)) all = joined(all, part);
    }
    if (empty(all)) return;
    for_each_shape(list, command, [&](const Shape& shape) {
        const Area box = intersection(all, box_of(shape));
        if (empty(box)) return;
        ++shapes_;
        const CellGrid::Cells cells = grid_.touched(box.left, box.top, box.right, box.bottom);
        for (int row = cells.top; row <= cells.bottom; ++row) {
            for (int column = cells.left; column <= cells.right; ++column) {
                const std::size_t area = area_of_cell_[grid_.at(row, column)];
                if (area == 0 || std::exchange(seen_[area - 1], shapes_) == shapes_) continue;
                parts_[area - 1].insert(parts_[area - 1].end(), shape.indices,
                                        shape.indices + shape.index_count);
            }
        }
    });
    for (std::size_t i = 0; i < areas.size(); ++i) {
        if (parts_[i].empty()) continue;
        const Area part = intersection(clip, areas[i]);
        cut.commands.push_back(command);
        ImDrawCmd& added = cut.commands.back();
        added.ClipRect = {part.left, part.top, part.right, part.bottom};
        added.IdxOffset = static_cast<unsigned>(cut.indices.Size);
        added.ElemCount = static_cast<unsigned>(parts_[i].size());
        cut.indices.resize(cut.indices.Size + static_cast<int>(parts_[i].size()));
        std::copy(parts_[i].begin(), parts_[i].end(), cut.indices.Data + added.IdxOffset);
    }
}

DamageClip::~DamageClip() {
    for (std::size_t i = 0; i < whole_.size(); ++i) {
        ImDrawList& list = *data_.CmdLists[static_cast<int>(i)];
        list.CmdBuffer.swap(whole_[i].commands);
        list.IdxBuffer.swap(whole_[i].indices);
    }
}

}  // namespace labdeck::ui
