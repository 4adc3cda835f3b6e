#include "ui/damage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "ui/theme.h"

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
    std::size_t count = 3;
    std::array<const ImDrawVert*, 4> corner{};
};

template <typename Visit>
void for_each_shape(const ImDrawList& list, const ImDrawCmd& command, Visit visit) {
    const ImDrawVert* const vertices = list.VtxBuffer.Data + command.VtxOffset;
    const ImDrawIdx* const indices = list.IdxBuffer.Data + command.IdxOffset;
    for (unsigned i = 0; i + 2 < command.ElemCount;) {
        const ImDrawIdx* const at = indices + i;
        const bool quad = i + 5 < command.ElemCount && at[3] == at[0] && at[4] == at[2];
        const ImDrawVert *const a = vertices + at[0], *const b = vertices + at[1],
                                *const c = vertices + at[2];
        const Shape shape = quad ? Shape{4, {a, b, c, vertices + at[5]}} : Shape{3, {a, b, c, c}};
        visit(shape);
        i += quad ? 6 : 3;
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

/// The pixels that a clip rectangle leaves, as ImGui's own renderer rounds it.
Area whole_pixels(const ImVec4& clip, float display_height) {
    const float left = std::trunc(clip.x);
    const float below = std::trunc(display_height - clip.w);
    const float bottom = display_height - below;
    return {left, bottom - std::trunc(clip.w - clip.y), left + std::trunc(clip.z - clip.x), bottom};
}

bool contains(const Area& area, const Area& inner) {
    return area.left <= inner.left && area.top <= inner.top && area.right >= inner.right &&
           area.bottom >= inner.bottom;
}

/// A glyph, or a rectangle of one colour: its corners in ImGui's order, from the upper left clockwise.
bool upright(std::span<const ImDrawVert> quad) {
    const ImDrawVert &a = quad[0], &b = quad[1], &c = quad[2], &d = quad[3];
    return a.pos.y == b.pos.y && b.pos.x == c.pos.x && c.pos.y == d.pos.y && d.pos.x == a.pos.x &&
           a.uv.y == b.uv.y && b.uv.x == c.uv.x && c.uv.y == d.uv.y && d.uv.x == a.uv.x && a.col == b.col &&
           a.col == c.col && a.col == d.col && a.pos.x < c.pos.x && a.pos.y < c.pos.y;
}

/// A rectangle of one colour which hides what is below it. Its texel is the white one.
bool opaque(std::span<const ImDrawVert> quad, ImVec2 white) {
    const auto is_white = [white](const ImVec2& uv) { return uv.x == white.x && uv.y == white.y; };
    return (quad[0].col >> IM_COL32_A_SHIFT) == 0xffU && is_white(quad[0].uv) && is_white(quad[2].uv);
}

std::array<ImDrawVert, 4> cut_upright(std::span<const ImDrawVert> quad, const Area& part) {
    const ImDrawVert from = quad[0], to = quad[2];
    const ImVec2 a{std::max(from.pos.x, part.left), std::max(from.pos.y, part.top)};
    const ImVec2 c{std::min(to.pos.x, part.right), std::min(to.pos.y, part.bottom)};
    const ImVec2 step{(to.uv.x - from.uv.x) / (to.pos.x - from.pos.x),
                      (to.uv.y - from.uv.y) / (to.pos.y - from.pos.y)};
    const auto corner = [&](float x, float y) {
        const ImVec2 uv{from.uv.x + (x - from.pos.x) * step.x, from.uv.y + (y - from.pos.y) * step.y};
        return ImDrawVert{{x, y}, uv, from.col};
    };
    return {corner(a.x, a.y), corner(c.x, a.y), corner(c.x, c.y), corner(a.x, c.y)};
}

/// llvmpipe cuts longer commands at 1,024 indices, so at no multiple of six, and then looks for no
/// rectangles.
constexpr unsigned command_indices_max = 1'020;

/// A triangle has seven corners at most when each edge of a rectangle has cut one off it.
struct Polygon {
    std::array<ImDrawVert, 7> corners{};
    std::size_t count = 0;

    void add(const ImDrawVert& corner) noexcept { corners[count++] = corner; }
};

/// Where an edge crosses the line `axis` = `at`. The same from either end, so that two triangles with an edge
/// in common still fit together.
ImDrawVert crossing(ImDrawVert a, ImDrawVert b, float ImVec2::*axis, float at) {
    if (b.pos.*axis < a.pos.*axis) std::swap(a, b);
    const float part = (at - a.pos.*axis) / (b.pos.*axis - a.pos.*axis);
    const auto between = [part](const ImVec2& from, const ImVec2& to) {
        return ImVec2{std::lerp(from.x, to.x, part), std::lerp(from.y, to.y, part)};
    };
    ImDrawVert found{between(a.pos, b.pos), between(a.uv, b.uv), ui::mix(a.col, b.col, part)};
    found.pos.*axis = at;
    return found;
}

/// What of a polygon is on the right of (or below) the line, or on the other side: Sutherland and Hodgman.
Polygon cut_by(const Polygon& polygon, float ImVec2::*axis, float at, bool beyond) {
    Polygon kept;
    for (std::size_t i = 0; i < polygon.count; ++i) {
        const ImDrawVert& from = polygon.corners[i];
        const ImDrawVert& to = polygon.corners[(i + 1) % polygon.count];
        const bool from_in = beyond ? from.pos.*axis >= at : from.pos.*axis <= at;
        const bool to_in = beyond ? to.pos.*axis >= at : to.pos.*axis <= at;
        if (from_in) kept.add(from);
        if (from_in != to_in) kept.add(crossing(from, to, axis, at));
    }
    return kept;
}

Polygon cut_to(Polygon polygon, const Area& part) {
    polygon = cut_by(polygon, &ImVec2::x, part.left, true);
    polygon = cut_by(polygon, &ImVec2::x, part.right, false);
    polygon = cut_by(polygon, &ImVec2::y, part.top, true);
    return cut_by(polygon, &ImVec2::y, part.bottom, false);
}

}  // namespace

CellGrid CellGrid::of(ImVec2 display) noexcept {
    return {static_cast<int>(std::ceil(display.x / cell_width)),
            static_cast<int>(std::ceil(display.y / cell_height))};
}

CellGrid::Cells CellGrid::touched(float left, float top, float right, float bottom) const noexcept {
    const auto column = [this](float x) {
        return std::clamp(static_cast<int>(x / cell_width), 0, columns - 1);
    };
    const auto row = [this](float y) { return std::clamp(static_cast<int>(y / cell_height), 0, rows - 1); };
    return {column(left), row(top), column(right), row(bottom)};
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
        for (std::size_t i = 0; i < shape.count; ++i) mix(hash, *shape.corner[i]);
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
        const float top = static_cast<float>(row) * CellGrid::cell_height;
        for (int column = 0; column < grid_.columns;) {
            if (!changed(row, column)) {
                ++column;
                continue;
            }
            const int first = column;
            while (column < grid_.columns && changed(row, column)) ++column;
            const Area run{static_cast<float>(first) * CellGrid::cell_width, top,
                           static_cast<float>(column) * CellGrid::cell_width, top + CellGrid::cell_height};
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

ImDrawData& DamageCut::of(const ImDrawData& data, const std::vector<Damage::Area>& areas, ImU32 ground) {
    list_.CmdBuffer.resize(0);
    list_.IdxBuffer.resize(0);
    list_.VtxBuffer.resize(0);
    take_areas(data, areas);
    const ImFontAtlas& fonts = *ImGui::GetIO().Fonts;
    white_ = fonts.TexUvWhitePixel;
    texture_ = fonts.TexID;
    for (Part& part : parts_) {
        const auto& [left, top, right, bottom] = part.area;
        const std::array<ImDrawVert, 4> corners{{{{left, top}, white_, ground},
                                                 {{right, top}, white_, ground},
                                                 {{right, bottom}, white_, ground},
                                                 {{left, bottom}, white_, ground}}};
        add_polygon(part, corners);
    }
    for (const ImDrawList* list : data.CmdLists) {
        for (const ImDrawCmd& command : list->CmdBuffer) {
            if (command.UserCallback != nullptr) {
                finish_command();
                list_.CmdBuffer.push_back(command);
            } else {
                cut_command(*list, command);
            }
        }
    }
    finish_command();
    cut_ = data;
    cut_.CmdLists.resize(0);
    cut_.CmdLists.push_back(&list_);
    cut_.CmdListsCount = 1;
    cut_.TotalIdxCount = list_.IdxBuffer.Size;
    cut_.TotalVtxCount = list_.VtxBuffer.Size;
    return cut_;
}

void DamageCut::take_areas(const ImDrawData& data, const std::vector<Area>& areas) {
    display_ = data.DisplaySize;
    grid_ = CellGrid::of(display_);
    part_of_cell_.assign(grid_.count(), 0);
    shapes_ = 0;
    parts_.resize(areas.size());
    for (std::size_t i = 0; i < areas.size(); ++i) {
        const Area& area = areas[i];
        parts_[i].area = intersection(area, {0, 0, display_.x, display_.y});
        parts_[i].seen = 0;
        // Areas are of whole cells; their far edges belong to the next ones.
        const CellGrid::Cells cells =
            grid_.touched(area.left, area.top, area.right - CellGrid::cell_width / 2,
                          area.bottom - CellGrid::cell_height / 2);
        for (int row = cells.top; row <= cells.bottom; ++row) {
            for (int column = cells.left; column <= cells.right; ++column) {
                part_of_cell_[grid_.at(row, column)] = static_cast<std::uint16_t>(i + 1);
            }
        }
    }
}

// A shape that lies in two areas is drawn twice, each time within one: no pixel gets it more than once.
void DamageCut::cut_command(const ImDrawList& list, const ImDrawCmd& command) {
    const Area clip = whole_pixels(command.ClipRect, display_.y);
    Area all{1e9F, 1e9F, -1e9F, -1e9F};
    for (const Part& part : parts_) {
        const Area visible = intersection(clip, part.area);
        if (!empty(visible)) all = joined(all, visible);
    }
    if (empty(all)) return;
    if (command.TextureId != texture_) finish_command();
    texture_ = command.TextureId;
    for_each_shape(list, command, [&](const Shape& shape) {
        const Area whole = box_of(shape);
        const Area box = intersection(all, whole);
        if (empty(box)) return;
        ++shapes_;
        const std::array<ImDrawVert, 4> corners{*shape.corner[0], *shape.corner[1], *shape.corner[2],
                                                *shape.corner[3]};
        const std::span<const ImDrawVert> drawn(corners.data(), shape.count);
        const CellGrid::Cells cells = grid_.touched(box.left, box.top, box.right, box.bottom);
        for (int row = cells.top; row <= cells.bottom; ++row) {
            for (int column = cells.left; column <= cells.right; ++column) {
                const std::size_t part = part_of_cell_[grid_.at(row, column)];
                if (part == 0 || std::exchange(parts_[part - 1].seen, shapes_) == shapes_) continue;
                add_shape(parts_[part - 1], drawn, whole, clip);
            }
        }
    });
}

void DamageCut::add_shape(Part& part, std::span<const ImDrawVert> corners, const Area& box,
                          const Area& clip) {
    const Area visible = intersection(clip, part.area);
    if (empty(intersection(visible, box))) return;
    const bool is_upright = corners.size() == 4 && upright(corners);
    const bool of_font_texture = texture_ == ImGui::GetIO().Fonts->TexID;
    if (of_font_texture && is_upright && opaque(corners, white_) && contains(box, part.area) &&
        contains(clip, part.area)) {
        part.indices.clear();
    }
    if (contains(visible, box)) return add_polygon(part, corners);
    if (is_upright) return add_polygon(part, cut_upright(corners, visible));
    for (std::size_t i = 2; i < corners.size(); ++i) {
        Polygon triangle;
        for (const std::size_t corner : {std::size_t{0}, i - 1, i}) triangle.add(corners[corner]);
        const Polygon inside = cut_to(triangle, visible);
        if (inside.count >= 3) add_polygon(part, {inside.corners.data(), inside.count});
    }
}

void DamageCut::add_polygon(Part& part, std::span<const ImDrawVert> corners) {
    const auto first = static_cast<ImDrawIdx>(list_.VtxBuffer.Size);
    for (const ImDrawVert& corner : corners) list_.VtxBuffer.push_back(corner);
    const auto add_triangle = [&part, first](std::size_t b, std::size_t c) {
        for (const std::size_t corner : {std::size_t{0}, b, c}) {
            part.indices.push_back(first + static_cast<ImDrawIdx>(corner));
        }
    };
    for (std::size_t i = 2; i < corners.size(); ++i) add_triangle(i - 1, i);
    // llvmpipe knows a rectangle by six indices, and looks for one only where all come in sixes.
    if (corners.size() % 2 != 0) add_triangle(0, 0);
}

void DamageCut::finish_command() {
    ImDrawCmd command;
    command.ClipRect = {0, 0, display_.x, display_.y};
    command.TextureId = texture_;
    command.IdxOffset = static_cast<unsigned>(list_.IdxBuffer.Size);
    for (Part& part : parts_) {
        const int at = list_.IdxBuffer.Size;
        list_.IdxBuffer.resize(at + static_cast<int>(part.indices.size()));
        std::copy(part.indices.begin(), part.indices.end(), list_.IdxBuffer.Data + at);
        part.indices.clear();
    }
    const auto end = static_cast<unsigned>(list_.IdxBuffer.Size);
    for (; command.IdxOffset < end; command.IdxOffset += command.ElemCount) {
        command.ElemCount = std::min(end - command.IdxOffset, command_indices_max);
        list_.CmdBuffer.push_back(command);
    }
}

}  // namespace labdeck::ui
