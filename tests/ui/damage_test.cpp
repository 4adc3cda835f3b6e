#include "ui/damage.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

namespace labdeck::ui {
namespace {

void no_callback(const ImDrawList*, const ImDrawCmd*) {}

/// A frame of 320 x 320 made by hand: ten cells a side.
class Frame {
public:
    Frame() : list_(&shared_) {
        shared_.TexUvWhitePixel = {0, 0};
        shared_.InitialFlags = ImDrawListFlags_AntiAliasedLines | ImDrawListFlags_AntiAliasedFill;
        list_._ResetForNewFrame();
        list_.PushClipRect({0, 0}, {320, 320});
        list_.PushTextureID(nullptr);
        data.DisplaySize = {320, 320};
        data.FramebufferScale = {1, 1};
    }
    Frame& rect(float x, float y, float size, ImU32 colour = 0xffffffffU) {
        list_.AddRectFilled({x, y}, {x + size, y + size}, colour);
        return *this;
    }
    Frame& callback(ImVec2 min, ImVec2 max) {
        list_.PushClipRect(min, max);
        list_.AddCallback(no_callback, nullptr);
        list_.PopClipRect();
        return *this;
    }
    const ImDrawData& done() {
        data.CmdLists.clear();
        data.CmdLists.push_back(&list_);
        data.CmdListsCount = 1;
        return data;
    }
    ImDrawList& list() { return list_; }

    ImDrawData data;

private:
    ImDrawListSharedData shared_;
    ImDrawList list_;
};

class Context {
public:
    Context() : context_(ImGui::CreateContext()) {}
    ~Context() { ImGui::DestroyContext(context_); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

private:
    ImGuiContext* context_;
};

constexpr ImU32 half = 0x80ffffffU;

struct Colour {
    std::array<float, 4> part{};

    static Colour of(ImU32 packed) {
        const ImVec4 all = ImGui::ColorConvertU32ToFloat4(packed);
        return {{all.x, all.y, all.z, all.w}};
    }
    float distance(const Colour& other) const {
        float most = 0;
        for (std::size_t i = 0; i < 4; ++i) most = std::max(most, std::abs(part[i] - other.part[i]));
        return most;
    }
};

/// One pixel as GL would make it: every triangle over its centre, blended in their order.
Colour seen(const ImDrawData& data, ImVec2 at, Colour colour) {
    for (const ImDrawList* list : data.CmdLists) {
        for (const ImDrawCmd& command : list->CmdBuffer) {
            const auto& [x0, y0, x1, y1] = command.ClipRect;
            const auto left = std::trunc(x0), bottom = 320 - std::trunc(320 - y1);
            if (at.x < left || at.x > left + std::trunc(x1 - x0)) continue;
            if (at.y > bottom || at.y < bottom - std::trunc(y1 - y0)) continue;
            for (unsigned i = 0; i < command.ElemCount; i += 3) {
                std::array<const ImDrawVert*, 3> corner{};
                for (unsigned k = 0; k < 3; ++k) {
                    corner[k] = &list->VtxBuffer[static_cast<int>(
                        command.VtxOffset + list->IdxBuffer[static_cast<int>(command.IdxOffset + i + k)])];
                }
                const ImVec2 a = corner[0]->pos, b = corner[1]->pos, c = corner[2]->pos;
                const float twice = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
                if (twice == 0) continue;
                const float of_b = ((at.x - a.x) * (c.y - a.y) - (at.y - a.y) * (c.x - a.x)) / twice;
                const float of_c = ((b.x - a.x) * (at.y - a.y) - (b.y - a.y) * (at.x - a.x)) / twice;
                const float of_a = 1 - of_b - of_c;
                if (of_a < 0 || of_b < 0 || of_c < 0) continue;
                Colour here;
                for (std::size_t k = 0; k < 4; ++k) {
                    here.part[k] = of_a * Colour::of(corner[0]->col).part[k] +
                                   of_b * Colour::of(corner[1]->col).part[k] +
                                   of_c * Colour::of(corner[2]->col).part[k];
                }
                const float alpha = here.part[3];
                for (std::size_t k = 0; k < 3; ++k) {
                    colour.part[k] += (here.part[k] - colour.part[k]) * alpha;
                }
                colour.part[3] = alpha + colour.part[3] * (1 - alpha);
            }
        }
    }
    return colour;
}

bool covers(const std::vector<Damage::Area>& areas, float x, float y) {
    for (const auto& area : areas) {
        if (x >= area.left && x < area.right && y >= area.top && y < area.bottom) return true;
    }
    return false;
}

TEST_SUITE("ui/damage") {
    TEST_CASE("the first frame is new as a whole, the same one again not at all") {
        Damage damage;
        CHECK(covers(damage.find(Frame().rect(10, 10, 50).done()), 300, 300));
        CHECK(damage.find(Frame().rect(10, 10, 50).done()).empty());
        damage.forget();
        CHECK_FALSE(damage.find(Frame().rect(10, 10, 50).done()).empty());
    }
    TEST_CASE("what moves dirties where it was and where it is, and nothing else") {
        Damage damage;
        damage.find(Frame().rect(200, 200, 40).rect(10, 10, 20).done());
        const auto& areas = damage.find(Frame().rect(200, 200, 40).rect(100, 10, 20).done());
        CHECK(covers(areas, 20, 20));
        CHECK(covers(areas, 110, 20));
        CHECK_FALSE(covers(areas, 210, 210));
        CHECK_FALSE(covers(areas, 60, 20));
    }
    TEST_CASE("another colour, and another order, are changes") {
        Damage damage;
        damage.find(Frame().rect(10, 10, 20, 0xff0000ffU).rect(15, 15, 20, 0xff00ff00U).done());
        CHECK_FALSE(
            damage.find(Frame().rect(15, 15, 20, 0xff00ff00U).rect(10, 10, 20, 0xff0000ffU).done()).empty());
        CHECK_FALSE(
            damage.find(Frame().rect(15, 15, 20, 0xff00ff01U).rect(10, 10, 20, 0xff0000ffU).done()).empty());
    }
    TEST_CASE("what a callback may draw counts as changed each time") {
        Damage damage;
        damage.find(Frame().callback({64, 64}, {128, 128}).done());
        const auto& areas = damage.find(Frame().callback({64, 64}, {128, 128}).done());
        CHECK(covers(areas, 100, 100));
        CHECK_FALSE(covers(areas, 250, 250));
    }
    TEST_CASE("areas stay few and do not overlap") {
        Damage damage;
        damage.find(Frame().done());
        Frame frame;
        for (int i = 0; i < 50; ++i)
            frame.rect(static_cast<float>(i % 5 * 64 + 4), static_cast<float>(i / 5 * 32 + 4), 8);
        const auto& areas = damage.find(frame.done());
        CHECK(areas.size() <= Damage::rects_max);
        for (int i = 0; i < 50; ++i) {
            CHECK(covers(areas, static_cast<float>(i % 5 * 64 + 6), static_cast<float>(i / 5 * 32 + 6)));
        }
        for (std::size_t i = 0; i < areas.size(); ++i) {
            for (std::size_t k = i + 1; k < areas.size(); ++k) {
                const bool apart = areas[i].right <= areas[k].left || areas[k].right <= areas[i].left ||
                                   areas[i].bottom <= areas[k].top || areas[k].bottom <= areas[i].top;
                CHECK(apart);
            }
        }
    }
    TEST_CASE("of what is in no area nothing is drawn, and of what is in several each has its part") {
        const Context context;
        Frame frame;
        frame.rect(10, 10, 60, half).rect(200, 200, 20, half).rect(70, 70, 10, half);
        DamageCut cut;
        // The first rectangle lies in both, over several cells; the last in the second alone.
        const ImDrawData& parts = cut.of(frame.done(), {{0, 0, 64, 64}, {64, 64, 128, 96}}, 0xff000000U);
        REQUIRE(parts.CmdLists.Size == 1);
        REQUIRE(parts.CmdLists[0]->CmdBuffer.Size == 1);
        CHECK(parts.CmdLists[0]->CmdBuffer[0].ElemCount == 2 * 6 + 3 * 6);
    }
    TEST_CASE("what a rectangle hides is left out, but not where a callback has drawn in between") {
        const Context context;
        DamageCut cut;
        const auto indices = [&cut](Frame& frame) {
            return cut.of(frame.done(), {{0, 0, 64, 64}}, 0xff000000U).TotalIdxCount;
        };
        CHECK(indices(Frame().rect(0, 0, 50).rect(0, 0, 80)) == 6);
        CHECK(indices(Frame().rect(0, 0, 50).rect(0, 0, 80, half)) == 3 * 6);
        CHECK(indices(Frame().rect(0, 0, 50).rect(10, 10, 80)) == 3 * 6);
        CHECK(indices(Frame().rect(0, 0, 80).callback({0, 0}, {32, 32}).rect(0, 0, 80)) == 2 * 6);
    }
    TEST_CASE("a command stays below what software GL draws in one piece, and whole rectangles long") {
        const Context context;
        Frame frame;
        for (int i = 0; i < 500; ++i) frame.rect(2, 2, 20, half);
        DamageCut cut;
        const ImDrawList& list = *cut.of(frame.done(), {{0, 0, 64, 64}}, 0xff000000U).CmdLists[0];
        CHECK(list.CmdBuffer.Size == 3);
        for (const ImDrawCmd& command : list.CmdBuffer) {
            CHECK(command.ElemCount < 1024);
            CHECK(command.ElemCount % 6 == 0);
        }
        CHECK(list.IdxBuffer.Size == 501 * 6);
    }
    TEST_CASE("the parts make the same picture as the whole within the areas, and none beside them") {
        const Context context;
        std::mt19937 random(2);
        const auto between = [&random](float low, float high) {
            return std::uniform_real_distribution<float>(low, high)(random);
        };
        const auto place = [&between] { return ImVec2{between(-20, 340), between(-20, 340)}; };
        const auto colour = [&random] { return static_cast<ImU32>(random()); };
        const std::vector<Damage::Area> areas{
            {0, 0, 64, 64}, {64, 64, 128, 96}, {160, 32, 168, 320}, {200, 160, 320, 240}, {8, 256, 96, 272}};
        for (int round = 0; round < 20; ++round) {
            Frame frame;
            ImDrawList& list = frame.list();
            for (int i = 0; i < 15; ++i) {
                const ImVec2 at = place();
                list.PushClipRect(at, {at.x + between(10, 200), at.y + between(10, 200)}, true);
                list.AddRectFilled(place(), place(), colour());
                list.AddTriangleFilled(place(), place(), place(), colour());
                list.AddRectFilledMultiColor(place(), place(), colour(), colour(), colour(), colour());
                list.AddQuadFilled(place(), place(), place(), place(), colour());
                list.AddCircleFilled(place(), between(2, 60), colour(), 24);
                list.AddLine(place(), place(), colour(), between(1, 4));
                list.PopClipRect();
            }
            const ImDrawData& whole = frame.done();
            DamageCut cut;
            const ImDrawData& parts = cut.of(whole, areas, 0xff203040U);
            for (int i = 0; i < 4000; ++i) {
                const ImVec2 at{std::floor(between(0, 320)) + 0.5F, std::floor(between(0, 320)) + 0.5F};
                const bool inside = covers(areas, at.x, at.y);
                const Colour expected = inside ? seen(whole, at, Colour::of(0xff203040U)) : Colour{};
                const Colour found = seen(parts, at, {});
                CAPTURE(at.x);
                CAPTURE(at.y);
                CHECK(expected.distance(found) < 0.02F);
            }
        }
    }
}

}  // namespace
}  // namespace labdeck::ui
